"""Whether the motion of each point has to do with rain or level at all: a test of independence, as a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from scipy.stats import chi2, false_discovery_control

from slidecloud.types import Float64

LEAST: Final = 20
"""Intervals below which nothing is tested: three classes each way then expect about two in every cell."""
_BLOCK: Final = 256
"""Points whose tables are counted at a time."""


class Independence(NamedTuple):
    """The test of every point, each float64 (point,) unless said; NaN where nothing can be tested.

    ``statistic``: chi-square of the table of motion against driver. ``normalised``: Cramer's V, the root of the
    statistic over its largest possible value, in [0, 1]: the value of the map. ``intervals``: int64, how many were
    compared. ``p_value``: of a statistic as large if the two had nothing to do with each other, from moving the driver
    along the record. ``textbook_p``: the same from the chi-square distribution, which takes intervals for independent;
    to compare. ``adjusted``: the smallest rate of false discoveries at which the point is one (Benjamini and Hochberg
    1995). ``significant``: bool, adjusted at most the rate asked for. ``field``: whether any point is.
    """

    statistic: Float64
    normalised: Float64
    intervals: NDArray[np.int64]
    p_value: Float64
    textbook_p: Float64
    adjusted: Float64
    significant: NDArray[np.bool_]
    field: bool


def independence(motion: ArrayLike, driver: ArrayLike, *, classes: int = 3, rate: float = 0.05) -> Independence:
    """Chi-square test of independence of the motion of each point and a driver (Pearson 1900).

    Both are cut into classes of about equal number, each series by its own quantiles. Series with memory or a season
    give large statistics by chance, and the textbook's p value then finds a connection where none is. So the p value is
    the share of all moves of the driver along the record, its end joined to its beginning, that give a statistic as
    large as found; the record as it is counts as one of them. Its smallest value is one over the number of intervals.

    Parameters
    ----------
    motion
        (point, interval), such as mm between successive passes; NaN = missing.
    driver
        (interval,) for all or (point, interval), such as the rain of each interval or the fall of the level; NaN =
        missing. Shift it beforehand by the lag that is to be tested.
    classes
        Of either, at least 2. Equal values share a class, so dry days can make it fewer.
    rate
        Share of false ones among the points called significant.

    Raises
    ------
    ValueError
        If shapes do not fit or a setting makes no sense.

    Notes
    -----
    The control of false discoveries holds where points depend on each other as neighbours do, and the field is
    significant where any point is (Wilks 2006, 2016). Since no p value is below one over the number of intervals, a
    connection that fewer than one point in ``rate * intervals`` has cannot come out as significant.

    References
    ----------
    Pearson, K. (1900), Phil. Mag. 50(302), 157-175. Cramer, H. (1946), Mathematical Methods of Statistics, 282.
    Benjamini, Y., Hochberg, Y. (1995), J. R. Stat. Soc. B 57, 289-300. Wilks, D. S. (2006), J. Appl. Meteorol.
    Climatol. 45, 1181-1189; (2016), Bull. Am. Meteorol. Soc. 97, 2263-2273.
    """
    moved, drove = _checked(motion, driver, classes, rate)
    groups = [slice(first, first + _BLOCK) for first in range(0, len(moved), _BLOCK)]
    found = [_tested(moved[part], drove[part] if len(drove) > 1 else drove, classes) for part in groups]
    statistic, normalised, p_value, textbook, count = (
        np.concatenate(column) if column else np.zeros(0)
        for column in (zip(*found, strict=True) if found else [()] * 5)
    )
    return _adjusted(statistic, normalised, count.astype(np.int64), p_value, textbook, rate)


def together(tests: Sequence[Independence], points: Sequence[NDArray[np.intp]], *, rate: float = 0.05) -> Independence:
    """One test of all points from those of groups, int (k,) points each, adjusted for the number of all."""
    back = np.argsort(np.concatenate(points))
    statistic, normalised, number, p_value, textbook = (
        np.concatenate(column)[back] for column in zip(*(test[:5] for test in tests), strict=True)
    )
    return _adjusted(statistic, normalised, number, p_value, textbook, rate)


def adjusted_p(p_value: ArrayLike) -> Float64:
    """P values of many points adjusted for their number (Benjamini and Hochberg 1995), in their shape; NaN stays."""
    given = np.asarray(p_value, np.float64)
    known, found = np.isfinite(given), np.full(given.shape, np.nan)
    if known.any():
        found[known] = false_discovery_control(given[known], method="bh")
    return found


def _adjusted(
    statistic: Float64, normalised: Float64, number: NDArray[np.int64], p_value: Float64, textbook: Float64, rate: float
) -> Independence:
    adjusted = adjusted_p(p_value)
    significant = adjusted <= rate
    return Independence(
        statistic, normalised, number, p_value, textbook, adjusted, significant, bool(significant.any())
    )


def _checked(motion: ArrayLike, driver: ArrayLike, classes: int, rate: float) -> tuple[Float64, Float64]:
    moved, drove = np.asarray(motion, np.float64), np.atleast_2d(np.asarray(driver, np.float64))
    if moved.ndim != 2 or drove.shape not in {moved.shape, (1, moved.shape[1])}:
        raise ValueError(
            f"motion, driver: found shapes {moved.shape} and {np.shape(driver)}, expected (point, interval) and "
            "(interval,) or the same"
        )
    if classes < 2 or not 0 < rate < 1:
        raise ValueError(f"classes, rate: found {classes} and {rate}, expected at least 2 and a share such as 0.05")
    return moved, drove


def _tested(moved: Float64, drove: Float64, classes: int) -> tuple[Float64, Float64, Float64, Float64, Float64]:
    """Statistic, Cramer's V, p value, textbook's p value and intervals of a block of points."""
    points, n = moved.shape
    out = tuple(np.full(points, np.nan) for _ in range(4))
    known = np.isfinite(moved) & np.isfinite(drove)
    count = known.sum(axis=1).astype(np.float64)
    if n < LEAST:
        return *out, count
    one = _members(np.where(known, moved, np.nan), classes)
    if len(drove) == 1:
        tables = np.einsum("pin,sjn->psij", one, _moves(_members(drove, classes)[0]), optimize=True)
    else:
        # A point at a time: the moves of all drivers at once would be as many times larger as there are points.
        two = _members(drove, classes)
        tables = np.stack(
            [np.einsum("in,sjn->sij", a, _moves(b), optimize=True) for a, b in zip(one, two, strict=True)]
        )
    statistics, normalised, freedom = _chi_square(tables)
    statistic, usable = statistics[:, 0], (count >= LEAST) & (freedom[:, 0] > 0)
    # Sums of the same numbers in another order may differ by their last bits.
    reached = normalised >= normalised[:, :1] * (1 - 1e-9)
    chance = reached.sum(axis=1) / n
    textbook = chi2.sf(statistic, np.maximum(freedom[:, 0], 1))
    for to, values in zip(out, (statistic, normalised[:, 0], chance, textbook), strict=True):
        to[usable] = values[usable]
    return *out, count


def _members(values: Float64, classes: int) -> Float64:
    """1 where a value belongs to a class of about equal number, (series, class, n); 0 in all of them where missing."""
    out = np.zeros((len(values), classes, values.shape[1]))
    for series, row in zip(values, out, strict=True):
        known = np.isfinite(series)
        if known.any():
            edges = np.quantile(series[known], np.arange(1, classes) / classes)
            row[np.searchsorted(edges, series[known], side="left"), np.flatnonzero(known)] = 1.0
    return out


def _moves(members: Float64) -> Float64:
    """Members (class, n) moved around the record by each number of intervals, (move, class, n); none comes first."""
    n = members.shape[1]
    twice = np.concatenate([members, members[:, :-1]], axis=1)
    return np.ascontiguousarray(sliding_window_view(twice, n, axis=1).transpose(1, 0, 2))


def _chi_square(tables: Float64) -> tuple[Float64, Float64, NDArray[np.int64]]:
    """Statistic, Cramer's V and degrees of freedom of tables (..., i, j); empty rows and columns do not count."""
    rows, columns, total = tables.sum(axis=-1), tables.sum(axis=-2), tables.sum(axis=(-2, -1))
    expected = rows[..., :, None] * columns[..., None, :] / np.maximum(total, 1)[..., None, None]
    apart = np.divide((tables - expected) ** 2, expected, out=np.zeros_like(tables), where=expected > 0)
    statistic: Float64 = apart.sum(axis=(-2, -1))
    i, j = (rows > 0).sum(axis=-1) - 1, (columns > 0).sum(axis=-1) - 1
    largest = total * np.minimum(i, j)
    normalised = np.sqrt(np.divide(statistic, largest, out=np.zeros_like(statistic), where=largest > 0))
    return statistic, np.minimum(normalised, 1.0), np.maximum(i, 0) * np.maximum(j, 0)
