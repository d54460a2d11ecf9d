"""Season bins: which season of which year a pair belongs to, by the middle of its time span."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

SEASONS = (4, 10)
"""First months of the default seasons: April to September, October to March."""


class SeasonBins(NamedTuple):
    """Bins in order of time, without gaps between the first and the last that hold a pair.

    Bins without pairs in between are kept, so that index and label of a bin stay as they are when later pairs are
    added.

    Attributes
    ----------
    bin
        int64 (pair,): the bin of each pair.
    label
        ``YYYY-MM`` of the start of each bin, (bin,).
    bin_start, bin_end
        datetime64[s] (bin,), UTC; the end is the start of the next season and does not belong to the bin.
    season
        int64 (bin,): place of the season in the configured order.
    season_name
        First and last month of each configured season, such as ``04-09``, (season,).
    """

    bin: NDArray[np.int64]
    label: tuple[str, ...]
    bin_start: NDArray[np.datetime64]
    bin_end: NDArray[np.datetime64]
    season: NDArray[np.int64]
    season_name: tuple[str, ...]


def season_bins(
    reference_times: ArrayLike, secondary_times: ArrayLike, *, seasons: tuple[int, ...] = SEASONS
) -> SeasonBins:
    """Bin pairs by the season, and year of its start, that the middle of their time span falls into.

    Parameters
    ----------
    reference_times, secondary_times
        datetime64 (pair,), UTC, reference earlier.
    seasons
        First month of each season, 1 to 12, increasing; each lasts until the next begins. One season is a year.

    Raises
    ------
    ValueError
        If times do not fit together or are unknown, or `seasons` is not a list of increasing months.
    """
    if not seasons or list(seasons) != sorted(set(seasons)) or not 1 <= seasons[0] <= seasons[-1] <= 12:
        raise ValueError(f"seasons is {seasons}: expected increasing months from 1 to 12, such as (4, 10)")
    middle = _middle(reference_times, secondary_times)
    names = tuple(
        f"{start:02d}-{(seasons[(i + 1) % len(seasons)] - 2) % 12 + 1:02d}" for i, start in enumerate(seasons)
    )
    months = middle.astype("datetime64[M]").astype(np.int64)
    year, month = np.divmod(months, 12)
    number = year * len(seasons) + np.searchsorted(np.array(seasons), month + 1, side="right") - 1
    if not number.size:
        empty = np.empty(0, dtype="datetime64[s]")
        return SeasonBins(np.empty(0, np.int64), (), empty, empty, np.empty(0, np.int64), names)
    numbers = np.arange(number.min(), number.max() + 1)
    start, end = _season_start(numbers, seasons), _season_start(numbers + 1, seasons)
    return SeasonBins(
        bin=number - numbers[0],
        label=tuple(map(str, start)),
        bin_start=start.astype("datetime64[s]"),
        bin_end=end.astype("datetime64[s]"),
        season=numbers % len(seasons),
        season_name=names,
    )


def _middle(reference_times: ArrayLike, secondary_times: ArrayLike) -> NDArray[np.datetime64]:
    """Middle of each span, datetime64[s], rounded down."""
    reference = np.asarray(reference_times, dtype="datetime64[s]")
    secondary = np.asarray(secondary_times, dtype="datetime64[s]")
    if reference.shape != secondary.shape or reference.ndim != 1:
        raise ValueError(
            f"reference_times and secondary_times have shapes {reference.shape} and {secondary.shape}: "
            "expected (pair,) for both"
        )
    if not bool(np.all(reference < secondary)):
        raise ValueError("a pair's reference time is unknown or not before its secondary time: expected it earlier")
    middle: NDArray[np.datetime64] = reference + (secondary - reference) // 2
    return middle


def _season_start(number: NDArray[np.int64], seasons: tuple[int, ...]) -> NDArray[np.datetime64]:
    """First month of each season, datetime64[M]; seasons are numbered from the first of the year 1970."""
    year, place = np.divmod(number, len(seasons))
    start: NDArray[np.datetime64] = (year * 12 + np.array(seasons)[place] - 1).astype("datetime64[M]")
    return start
