"""How good forecasts are: errors, skill against standing still, and how often error bars hold the truth."""

from __future__ import annotations

import itertools
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from slidecloud.forecast.methods import Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.types import Float64

SIZES: Final = (2.0, 4.0, 6.0, 8.0)
"""mm in 12 days, between the classes of the source (MUSEnet, 2023)."""
REVISIT: Final = 12
"""Days between passes that sizes are given for."""
LEAST_PERCENT: Final = 1.0
"""mm of motion below which an error is not expressed in percent of it."""


class Scores(NamedTuple):
    """Scores of forecasts whose truth is known; NaN where they are not defined.

    ``rmse``, ``mae``: mm. ``mape``: percent, over increments of at least `LEAST_PERCENT`. ``correlation``: of forecast
    and true increments. ``skill``: 1 less the mean squared error over that of persistence, an increment of 0: 1 is
    perfect, 0 no better, below 0 worse. ``coverage``: share of truths between the ends of the interval, these included.
    ``width``: mm, mean of the intervals. ``count``: forecasts judged. ``unanswered``: truths without a forecast.
    """

    rmse: float
    mae: float
    mape: float
    correlation: float
    skill: float
    coverage: float
    width: float
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks of scores
    unanswered: int


def score(samples: Samples, forecast: Forecast) -> Scores:
    """All scores at once.

    Parameters
    ----------
    samples
        With their increments; those whose increment is not known are left out.
    forecast
        Of the same samples; NaN where a method has no answer.

    Raises
    ------
    ValueError
        If the forecast is not one for each sample, or the ends of an interval are the wrong way round.
    """
    return _score(samples.increment, *checked(samples, forecast))


def by_size(samples: Samples, forecast: Forecast, *, sizes: ArrayLike = SIZES) -> pd.DataFrame:
    """`Scores` by the size of the motion between two passes, a row a class (``<2``, ``2-4``, ... mm), then ``all``.

    Parameters
    ----------
    samples, forecast
        As for `score`.
    sizes
        mm in 12 days, ascending, between the classes; a size on an edge belongs to the class above.

    Notes
    -----
    A class is chosen by the truth. Forecasts that hold back look good on small and bad on large motion, and no method
    can know the class beforehand: ``all`` is what methods are compared by.
    """
    names, place = size_classes(samples, sizes=sizes)
    found = _by(samples, forecast, place, list(range(len(names))))
    found.loc["all"] = score(samples, forecast)
    found.index = pd.Index([*names, "all"], name="size")
    return _typed(found)


def size_classes(samples: Samples, *, sizes: ArrayLike = SIZES) -> tuple[list[str], NDArray[np.intp]]:
    """Names of the classes of `by_size`, and of each sample the place of its class among them, -1 where unknown."""
    edges = np.asarray(sizes, np.float64)
    names = [f"<{edges[0]:g}", *(f"{a:g}-{b:g}" for a, b in itertools.pairwise(edges)), f">{edges[-1]:g}"]
    size = interval_size(samples)
    return names, np.where(np.isfinite(size), np.searchsorted(edges, size, side="right"), -1)


def by_horizon(samples: Samples, forecast: Forecast) -> pd.DataFrame:
    """`Scores` by days since the last pass, a row each number of days there is."""
    found = _by(samples, forecast, samples.horizon, sorted(set(samples.horizon.tolist())))
    found.index.name = "horizon"
    return _typed(found)


def by_point(samples: Samples, forecast: Forecast, *, points: int) -> pd.DataFrame:
    """`Scores` of each of the points (point,), for maps; NaN where a point has no sample."""
    found = _by(samples, forecast, samples.point, list(range(points)))
    found.index.name = "point"
    return _typed(found)


def interval_size(samples: Samples) -> Float64:
    """Size of the true motion between the passes that a sample lies between, (n,), mm in 12 days.

    It is that of the latest target after the same pass, so that all days between two passes are in one class; where
    passes are not 12 days apart it is scaled to 12 days. NaN where the truth is not known.
    """
    horizon, size = samples.horizon, np.full(len(samples), np.nan)
    known = np.flatnonzero(np.isfinite(samples.increment))
    order = known[np.lexsort((horizon[known], samples.origin[known], samples.point[known]))]
    point, origin = samples.point[order], samples.origin[order]
    ends = np.append((point[1:] != point[:-1]) | (origin[1:] != origin[:-1]), True)[: len(order)]
    whole = np.abs(samples.increment[order]) * REVISIT / horizon[order]
    # Each takes the value at the end of its group.
    size[order] = whole[ends][np.cumsum(ends) - ends]
    return size


def checked(samples: Samples, forecast: Forecast) -> tuple[Float64, Float64, Float64]:
    """The columns of a forecast, after a look at whether they are those of the samples."""
    told, low, high = (np.asarray(column, np.float64) for column in forecast)
    for name, column in zip(Forecast._fields, (told, low, high), strict=True):
        if column.shape != (len(samples),):
            raise ValueError(f"{name}: found shape {column.shape}, expected ({len(samples)},): one a sample")
    wrong = np.flatnonzero(low > high)
    if wrong.size:
        raise ValueError(f"lower: found {low[wrong[0]]:g} above the upper end {high[wrong[0]]:g}")
    return told, low, high


def _score(moved: Float64, told: Float64, low: Float64, high: Float64) -> Scores:
    true, known = np.isfinite(moved), np.isfinite(moved) & np.isfinite(told)
    bounded = known & np.isfinite(low) & np.isfinite(high)
    y, error = moved[known], told[known] - moved[known]
    large = np.abs(y) >= LEAST_PERCENT
    square, still = (error**2).sum(), (y**2).sum()
    varies = known.any() and bool(np.ptp(y) > 0) and bool(np.ptp(told[known]) > 0)
    return Scores(
        float(np.sqrt(_mean(error**2))),
        _mean(np.abs(error)),
        100.0 * _mean(np.abs(error[large] / y[large])),
        float(np.corrcoef(y, told[known])[0, 1]) if varies else float("nan"),
        float(1.0 - square / still) if still > 0 else float("nan"),
        _mean((moved[bounded] >= low[bounded]) & (moved[bounded] <= high[bounded])),
        _mean(high[bounded] - low[bounded]),
        int(known.sum()),
        int((true & ~known).sum()),
    )


def _mean(values: Float64 | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if values.size else float("nan")


def _by(samples: Samples, forecast: Forecast, label: NDArray[np.integer], names: list[int]) -> pd.DataFrame:
    """A row of scores for each of the labels, in their order."""
    columns = samples.increment, *checked(samples, forecast)
    order = np.argsort(label, kind="stable")
    first, last = (np.searchsorted(label[order], names, side=side) for side in ("left", "right"))
    rows = [_score(*(column[order[a:b]] for column in columns)) for a, b in zip(first, last, strict=True)]
    return pd.DataFrame(rows, index=names, columns=list(Scores._fields))


def _typed(found: pd.DataFrame) -> pd.DataFrame:
    return found.astype({"count": np.int64, "unanswered": np.int64})
