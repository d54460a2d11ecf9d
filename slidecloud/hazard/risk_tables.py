"""Tables of a risk index: its classes, its factors and its levels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.hazard.risk import LEVELS, Risk
from slidecloud.kernels.information_value import STATES

if TYPE_CHECKING:
    from pandas import DataFrame


def class_table(risk: Risk) -> DataFrame:
    """One row a class: factor, class, cells, open cells, points, expected, information value, its sigma, scaled, state.

    ``expected`` is the number of points if all open ground were alike.
    """
    from pandas import DataFrame, concat

    parts = [
        DataFrame(
            {
                "factor": table.classes.name,
                "class": table.classes.labels,
                "cells": table.tally.cells,
                "open_cells": table.tally.open_cells,
                "points": table.points,
                "expected": table.information.expected,
                "information_value": table.information.value,
                "sigma": table.information.sigma,
                "scaled": table.scaled,
                "state": [STATES[int(state)] for state in table.information.state],
            }
        )
        for table in risk.tables
    ]
    return concat(parts, ignore_index=True)


def weight_table(risk: Risk) -> DataFrame:
    """One row a factor: its weight as used, by judgement and by entropy, NaN where one was not asked for."""
    from pandas import DataFrame

    nothing = np.full(len(risk.names), np.nan)
    return DataFrame(
        {
            "factor": risk.names,
            "weight": risk.weights,
            "judgement": nothing if risk.priorities is None else risk.priorities.weights,
            "entropy": nothing if risk.entropy is None else risk.entropy,
        }
    )


def level_table(cells: ArrayLike, points: ArrayLike, *, names: Mapping[int, str] = LEVELS) -> DataFrame:
    """One row a level: its share of the ground, its share of the points, and how many times the average that is.

    Parameters
    ----------
    cells, points
        Number in each level by its code, (1 + levels,), such as from ``numpy.bincount``; code 0, not known, is left
        out of the ground, and its points count as missed.
    names
        Of the levels by their code, 1 and on.

    Raises
    ------
    ValueError
        If there is not a number for each level.
    """
    from pandas import DataFrame

    ground, held = np.asarray(cells, np.float64), np.asarray(points, np.float64)
    if ground.shape != (len(names) + 1,) or held.shape != ground.shape:
        raise ValueError(
            f"cells, points: found shapes {ground.shape} and {held.shape}, expected {len(names) + 1} of both, the "
            "first for unknown ground"
        )
    area, share = ground[1:] / max(ground[1:].sum(), 1.0), held[1:] / max(held.sum(), 1.0)
    times = np.where(area > 0.0, share / np.where(area > 0.0, area, 1.0), np.nan)
    return DataFrame({"level": list(names.values()), "ground": area, "points": share, "times_average": times})
