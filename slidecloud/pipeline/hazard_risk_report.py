"""What the stage ``hazard_risk`` made, and how a store tells of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import GridConfig
from slidecloud.config_hazard import HazardConfig
from slidecloud.config_risk import RiskConfig
from slidecloud.hazard.factors import grid_of
from slidecloud.hazard.risk import Risk
from slidecloud.hazard.risk_scores import HeldOut
from slidecloud.hazard.risk_tables import class_table, level_table, weight_table
from slidecloud.kernels.natural_breaks import Breaks
from slidecloud.store import templates
from slidecloud.store.arrays import reader
from slidecloud.store.location import Location
from slidecloud.store.risk_specs import RISK
from slidecloud.types import Float32, Float64, Grid

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class RiskResult:
    """An index and what is known of it.

    Attributes
    ----------
    risk, breaks, scores
        The index, its levels, and its scores on held-out places.
    caveats
        What speaks against it, one sentence each.
    x, y
        Of the landslides it was made from: centres of their cells in the CRS of the grid.
    cells, points
        Cells and landslides in each level, from 0, unknown.
    """

    risk: Risk
    breaks: Breaks
    scores: HeldOut
    caveats: tuple[str, ...]
    x: Float64
    y: Float64
    cells: NDArray[np.int64]
    points: NDArray[np.int64]


def report(result: RiskResult) -> dict[str, Any]:
    """A result as JSON values, null where a number is not known."""
    risk, scores = result.risk, result.scores
    judged = risk.priorities
    return {
        "weights": _rows(weight_table(risk)),
        "classes": _rows(class_table(risk)),
        "levels": _rows(level_table(result.cells, result.points)),
        "edges": result.breaks.edges.tolist(),
        "goodness_of_variance_fit": result.breaks.fit,
        "consistency_ratio": None if judged is None else judged.consistency_ratio,
        "random_index": None if judged is None else judged.random_index,
        "auc_held_out": scores.auc,
        "auc_apparent": scores.apparent,
        "points_scored": scores.points,
        "others_scored": scores.others,
        "caveats": list(result.caveats),
    }


def made_from(config: HazardConfig, risk: RiskConfig, result: RiskResult) -> list[tuple[str, str]]:
    """Names and values of what an index was made from, for people."""
    grid = grid_of(config.grid)
    held_out = "at random" if risk.held_out == "optimistic" else f"in parts that lie together ({risk.held_out})"
    source = "the inventory of the run" if risk.points is None else risk.points.rstrip("/").rpartition("/")[2]
    rows = [
        ("landslides", f"{len(result.x)}, from {source}"),
        ("grid", f"{grid.width} x {grid.height} cells of {grid.dx:g} m, {config.grid.crs}"),
        ("held out", f"{held_out}, {risk.folds} parts, {risk.repeats} times"),
        ("weights", f"{risk.weighting}, from information values scaled by {risk.scaling}"),
        ("software", templates.SOFTWARE),
    ]
    masks = ", ".join(path.rstrip("/").rpartition("/")[2] for path in risk.masks)
    return rows if not masks else [*rows, ("masks", masks)]


def thinned(location: Location, config: GridConfig, *, most: int) -> tuple[Float32, NDArray[np.uint8], Grid]:
    """Index and level of every so many cells, (y, x), at most ``most`` along a side, and the grid of these cells."""
    whole = grid_of(config)
    step = -(-max(whole.height, whole.width) // most)
    group: Any = reader(location, RISK)
    index, level = (np.asarray(group[name][::step, ::step]) for name in ("index", "level"))
    height, width = index.shape
    return index, level, replace(whole, dx=step * whole.dx, dy=step * whole.dy, height=height, width=width)


def _rows(table: DataFrame) -> list[dict[str, Any]]:
    return [{name: _plain(value) for name, value in row.items()} for row in table.to_dict("records")]


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
