"""Acquisitions to pairs, and what the network of pairs is worth: subsets, redundancy, chains, half-width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.network.graph import components, longest_chain, weak_points
from slidecloud.types import Float64, Pair

IntArray = NDArray[np.int64]
DateArray = NDArray[np.datetime64]
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, eq=False, slots=True)
class Network:
    """Dates joined by pairs. Pairs are sorted by (reference, secondary).

    Attributes
    ----------
    dates
        datetime64[s] (date,), increasing, UTC.
    reference, secondary
        int64 (pair,) indices into `dates`, reference < secondary.
    perpendicular_baseline
        float64 (pair,) metres, NaN where unknown.
    subset
        int64 (date,): number of the connected component of each date, counted from 0 in order of their first dates;
        -1 for isolated dates, which are in no pair.
    date_redundant
        bool (date,): True where all other dates of the subset stay connected without this one.
    pair_redundant
        bool (pair,): True where the pair lies on a closed loop, so that its dates stay connected without it.
    longest_chain
        int64 (link + 1,): dates of the longest chain of pairs in which each begins where the one before ends; of
        equally long ones that whose dates come first. Empty without pairs.
    """

    dates: DateArray
    reference: IntArray
    secondary: IntArray
    perpendicular_baseline: Float64
    subset: IntArray
    date_redundant: NDArray[np.bool_]
    pair_redundant: NDArray[np.bool_]
    longest_chain: IntArray

    @property
    def subset_count(self) -> int:
        """Number of connected components that have pairs."""
        return int(self.subset.max(initial=-1)) + 1

    @property
    def isolated(self) -> IntArray:
        """Indices of dates without a pair."""
        return np.flatnonzero(self.subset < 0)

    @property
    def pairs_per_date(self) -> IntArray:
        """Number of pairs of each date, int64 (date,)."""
        return np.bincount(np.concatenate([self.reference, self.secondary]), minlength=self.dates.size)

    @property
    def redundancy(self) -> int:
        """Pairs beyond those a date needs to be determined: pairs - (dates in pairs - subsets)."""
        return int(self.reference.size - ((self.subset >= 0).sum() - self.subset_count))

    @property
    def half_width(self) -> int:
        """Half-width of the banded normal matrix of increments: longest pair in steps of dates in pairs, less one."""
        if not self.reference.size:
            return 0
        step = np.cumsum(self.subset >= 0)
        return int((step[self.secondary] - step[self.reference]).max()) - 1

    @property
    def days(self) -> Float64:
        """Length of each pair in days, float64 (pair,)."""
        return (self.dates[self.secondary] - self.dates[self.reference]) / _DAY

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs as `Pair`, in order."""
        columns = zip(self.reference, self.secondary, self.perpendicular_baseline, strict=True)
        return tuple(Pair(self.dates[i], self.dates[j], float(baseline)) for i, j, baseline in columns)


def pairs(
    dates: ArrayLike,
    *,
    max_days: float,
    perpendicular_baseline: ArrayLike | None = None,
    max_baseline: float | None = None,
) -> Network:
    """All pairs of acquisitions within limits of time and perpendicular baseline (small baselines, Berardino 2002).

    Parameters
    ----------
    dates
        datetime64 (date,), increasing, UTC.
    max_days
        Longest pair. Lengths are rounded to whole days first, as revisits differ by seconds.
    perpendicular_baseline
        (date,) metres, position of each acquisition relative to any common origin.
    max_baseline
        Largest perpendicular baseline of a pair, metres; needs `perpendicular_baseline`.

    Returns
    -------
    Network

    Raises
    ------
    ValueError
        If dates are not increasing, limits are not positive, or baselines are missing or do not fit the dates.
    """
    times = _increasing(dates)
    _positive("max_days", max_days)
    _positive("max_baseline", max_baseline)
    position = np.full(times.size, np.nan)
    if perpendicular_baseline is not None:
        position = np.asarray(perpendicular_baseline, dtype=np.float64)
        if position.shape != times.shape:
            raise ValueError(f"perpendicular_baseline has shape {position.shape}: expected {times.shape}, one per date")
    if max_baseline is not None and bool(np.isnan(position).any()):
        missing = ", ".join(map(str, times[np.isnan(position)][:3].astype("datetime64[D]")))
        raise ValueError(
            f"max_baseline needs the baseline of every date: unknown for {int(np.isnan(position).sum())} "
            f"({missing}). Give perpendicular_baseline, or leave out max_baseline"
        )
    days = np.rint((times[None, :] - times[:, None]) / _DAY)
    taken = np.triu(days <= max_days, k=1)
    if max_baseline is not None:
        taken &= np.abs(position[None, :] - position[:, None]) <= max_baseline
    reference, secondary = np.nonzero(taken)
    return _network(times, reference, secondary, position[secondary] - position[reference])


def from_pairs(pairs: Sequence[Pair], *, dates: ArrayLike | None = None) -> Network:
    """The network of existing pairs.

    Parameters
    ----------
    pairs
        Any order, each once.
    dates
        datetime64 (date,), increasing: all acquisitions, to report those without pairs. By default those of the pairs.

    Raises
    ------
    ValueError
        If a pair is given twice, or back to front, or has a date that is not among `dates`.
    """
    ordered = sorted(pairs, key=lambda pair: (pair.reference, pair.secondary))
    for before, pair in zip([None, *ordered], ordered, strict=False):
        if not pair.reference < pair.secondary:
            raise ValueError(f"pair {pair.key}: expected the reference earlier than the secondary; swap them")
        if before is not None and (before.reference, before.secondary) == (pair.reference, pair.secondary):
            raise ValueError(f"pair {pair.key} is given twice: expected each pair once")
    first = np.array([pair.reference for pair in ordered], dtype="datetime64[s]")
    second = np.array([pair.secondary for pair in ordered], dtype="datetime64[s]")
    used = np.unique(np.concatenate([first, second]))
    times = used if dates is None else _increasing(dates)
    if not np.isin(used, times).all():
        raise ValueError(
            f"pairs use the date {used[~np.isin(used, times)][0]}, which is not among dates: expected all of them"
        )
    baseline = np.array([pair.perpendicular_baseline for pair in ordered], dtype=np.float64)
    return _network(times, np.searchsorted(times, first), np.searchsorted(times, second), baseline)


def select(
    pairs: Sequence[Pair], *, max_days: float | None = None, max_baseline: float | None = None
) -> tuple[Pair, ...]:
    """Existing pairs within limits, sorted by (reference, secondary).

    Parameters
    ----------
    pairs
        Any order.
    max_days
        Longest pair; lengths are rounded to whole days first, as revisits differ by seconds.
    max_baseline
        Largest absolute perpendicular baseline, metres. A pair of unknown baseline is left out.

    Raises
    ------
    ValueError
        If a limit is not positive.
    """
    _positive("max_days", max_days)
    _positive("max_baseline", max_baseline)
    kept = (
        pair
        for pair in pairs
        if (max_days is None or round(float((pair.secondary - pair.reference) / _DAY)) <= max_days)
        and (max_baseline is None or abs(pair.perpendicular_baseline) <= max_baseline)
    )
    return tuple(sorted(kept, key=lambda pair: (pair.reference, pair.secondary)))


def _network(times: DateArray, reference: IntArray, secondary: IntArray, baseline: Float64) -> Network:
    edges = list(zip(reference.tolist(), secondary.tolist(), strict=True))
    date_weak, pair_weak = weak_points(times.size, edges)
    return Network(
        dates=times,
        reference=np.asarray(reference, dtype=np.int64),
        secondary=np.asarray(secondary, dtype=np.int64),
        perpendicular_baseline=np.asarray(baseline, dtype=np.float64),
        subset=components(times.size, edges),
        date_redundant=~date_weak,
        pair_redundant=~pair_weak,
        longest_chain=longest_chain(times.size, edges),
    )


def _increasing(dates: ArrayLike) -> DateArray:
    times = np.asarray(dates)
    if times.ndim != 1 or not np.issubdtype(times.dtype, np.datetime64):
        raise ValueError(f"dates have shape {times.shape} and dtype {times.dtype}: expected datetime64 (date,)")
    times = times.astype("datetime64[s]")
    if bool(np.isnat(times).any()):
        raise ValueError("dates contain NaT: expected known times; leave those acquisitions out")
    wrong = np.flatnonzero(np.diff(times) <= np.timedelta64(0))
    if wrong.size:
        raise ValueError(
            f"dates do not increase after {times[wrong[0]]}: expected each once, in order; use numpy.unique"
        )
    return times


def _positive(name: str, value: float | None) -> None:
    if value is not None and not value > 0:
        raise ValueError(f"{name} is {value}: expected a positive number")
