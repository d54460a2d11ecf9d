"""Outlines counted over classes of the ground, beside how much ground there is of each class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.shares import wilson
from slidecloud.types import Float64

if TYPE_CHECKING:
    from pandas import DataFrame


class Counted(NamedTuple):
    """Of one factor, int64 (classes,) each: ``cells`` of all ground, ``outlined`` cells inside outlines of the later
    date, ``outlines`` of that date, and those of them that are ``new``; an outline counts in the class of one place
    inside it."""

    cells: NDArray[np.int64]
    outlined: NDArray[np.int64]
    outlines: NDArray[np.int64]
    new: NDArray[np.int64]

    def plus(self, other: Counted) -> Counted:
        """That of two tiles together."""
        return Counted(*(one + another for one, another in zip(self, other, strict=True)))


def histogram_table(names: Sequence[str], labels: Sequence[Sequence[str]], counted: Sequence[Counted]) -> DataFrame:
    """One row a factor and class.

    Columns factor, class, cells, outlined_cells, outlines, new; ``ground`` and ``area``, shares of the known ground and
    of that inside outlines; ``share`` of the outlines with its 95 % interval ``low`` and ``high`` (Wilson, 1927), as if
    outlines were drawn one by one; and ``times_average``, share over ground, NaN where there is no such ground.

    Parameters
    ----------
    names, labels
        Factors, and the classes of each.
    counted
        Of each factor.
    """
    import pandas

    parts = [
        pandas.DataFrame({"factor": name, "class": list(classes), **_columns(one)})
        for name, classes, one in zip(names, labels, counted, strict=True)
    ]
    return pandas.concat(parts, ignore_index=True)


def _columns(one: Counted) -> dict[str, NDArray[np.int64] | Float64]:
    ground, share = _share(one.cells), _share(one.outlines)
    low, high = _interval(share, int(one.outlines.sum()))
    return {
        "cells": one.cells,
        "outlined_cells": one.outlined,
        "outlines": one.outlines,
        "new": one.new,
        "ground": ground,
        "area": _share(one.outlined),
        "share": share,
        "low": low,
        "high": high,
        "times_average": np.divide(share, ground, out=np.full(len(ground), np.nan), where=ground > 0),
    }


def _share(count: NDArray[np.int64]) -> Float64:
    """Shares of the whole; NaN of nothing."""
    total = count.sum()
    found: Float64 = count / total if total else np.full(len(count), np.nan)
    return found


def _interval(share: Float64, number: int) -> tuple[Float64, Float64]:
    """Ends of the 95 % interval of shares of a number of draws; NaN of none."""
    if not number:
        return share, share
    middle, half = wilson(share, number)
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
