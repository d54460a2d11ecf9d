"""When a simulated satellite passed, and which pairs and season bins follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.network.seasons import SEASONS, season_bins
from slidecloud.simulate.calendar import acquisition_dates, neighbours
from slidecloud.types import Float32, Float64

DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, eq=False)
class Survey:
    """A network of pairs.

    Attributes
    ----------
    dates
        datetime64[s] (date,).
    baseline
        Perpendicular baseline of each date, m.
    first, second
        Date indices (pair,), first earlier.
    looks
        Independent looks of a sample.
    bin
        Season bin of each pair.
    duration
        Years of each bin between the first and the last date.
    season
        Season of each bin, an index into `SEASONS`.
    coherence
        Coherence of each pair, the same everywhere, in place of the world's; None: the world's.
    """

    dates: NDArray[np.datetime64]
    baseline: Float64
    first: NDArray[np.intp]
    second: NDArray[np.intp]
    looks: float
    bin: NDArray[np.intp]
    duration: Float64
    season: NDArray[np.intp]
    coherence: Float32 | None = None

    @property
    def years(self) -> Float64:
        """Years of each date since the first."""
        return _years(self.dates - self.dates[0])

    @property
    def spans(self) -> Float64:
        """Years between the two dates of each pair."""
        return self.years[self.second] - self.years[self.first]


def survey(
    dates: int | ArrayLike,
    *,
    baseline: Float64 | None = None,
    connections: int = 3,
    max_days: float = 36.0,
    looks: float = 16.0,
    pairs: int | None = None,
    coherence: Float32 | None = None,
) -> Survey:
    """A network of each date with its next `connections` ones, bins as the gradients stage has them.

    Parameters
    ----------
    dates
        How many, every 12 days, or which.
    baseline
        (date,) m; 0 without.
    pairs
        Keep the first so many pairs.
    coherence
        See `Survey`; one value per pair.
    """
    times = acquisition_dates(dates)
    chosen = np.array(neighbours(times, connections=connections, max_days=max_days), dtype=np.intp)[:pairs]
    first, second = chosen.T
    last = int(second.max()) + 1
    times = times[:last]
    bins = season_bins(times[first], times[second], seasons=SEASONS)
    starts = np.maximum(np.asarray(bins.bin_start, "datetime64[s]"), times[0])
    ends = np.minimum(np.asarray(bins.bin_end, "datetime64[s]"), times[-1])
    return Survey(
        dates=times,
        baseline=np.zeros(last) if baseline is None else np.asarray(baseline, dtype=np.float64)[:last],
        first=first,
        second=second,
        looks=looks,
        bin=np.asarray(bins.bin, dtype=np.intp),
        duration=_years(ends - starts),
        season=np.asarray(bins.season, dtype=np.intp),
        coherence=coherence,
    )


def random_survey(rng: np.random.Generator, *, pairs: int) -> Survey:
    """A network of about `pairs` pairs that began on any day, with gaps and baselines as Sentinel-1 has them."""
    connections = int(rng.integers(2, 5))
    count = max(6, round(pairs / connections) + connections)
    missing = rng.random(2 * count) < rng.uniform(0.0, 0.2)
    kept = np.flatnonzero(~missing)[:count]
    start = np.datetime64("2016-01-04T11:12:00", "s") + np.timedelta64(int(rng.integers(0, 1500)), "D")
    return survey(
        start + kept * np.timedelta64(12, "D"),
        baseline=rng.uniform(40.0, 80.0) * rng.standard_normal(count),
        connections=connections,
        max_days=float(rng.choice([36.0, 48.0, 60.0])),
        looks=float(rng.choice([8.0, 16.0, 32.0])),
        pairs=pairs,
    )


def _years(spans: NDArray[np.timedelta64]) -> Float64:
    years: Float64 = spans / np.timedelta64(86_400, "s") / DAYS_PER_YEAR
    return years
