"""What the maps of a track differ by in their overlaps, and what is to be taken off each, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import seams as kernel
from slidecloud.pipeline.seam_members import Member, Overlap, displacement, neighbours, overlap, velocity
from slidecloud.store.seams import DISPLACEMENT, SAME_PASS, VELOCITIES
from slidecloud.types import Float64


def rows_of(track: str, members: Sequence[Member]) -> tuple[list[dict[str, Any]], int]:
    """Rows of the table, and the number of overlaps that tell how far velocities are apart.

    Of each map that overlaps another there is a row for each velocity, and one for its displacement at each pass.
    """
    import shapely

    near = neighbours(members)
    passes = _passes([members[number].open().time for number in sorted({one for pair in near for one in pair})])
    ends, compared = [], []
    for pair in near:
        common = overlap(members, *pair)
        apart = None if common is None else _compare(members, common, passes)
        if apart is not None and np.isfinite(apart[0, 0]):
            ends.append(pair)
            compared.append(apart)
    first, second = np.array(ends, np.intp).reshape(-1, 2).T
    label = kernel.parts(first, second, maps=len(members))
    datum, joined = _datum(label, members), np.unique([first, second])
    quantities = [*((name, 0) for name in VELOCITIES), *((DISPLACEMENT, int(time)) for time in passes)]
    rows = []
    for number, (name, time) in enumerate(quantities):
        offset, sigma, scatter, pixels = np.array([one[number] for one in compared]).reshape(-1, 4).T
        levels = kernel.adjust(first, second, offset, sigma, datum=datum)
        for one in joined:
            own = (first == one) | (second == one)
            known = own & np.isfinite(scatter)
            rows.append(
                {
                    "track": track,
                    "burst": members[one].names[0],
                    "patch": members[one].names[1],
                    "part": int(label[one]),
                    "quantity": name,
                    "time": time,
                    "offset": levels.offset[one],
                    "sigma": levels.sigma[one],
                    "scatter": float(np.median(scatter[known])) if known.any() else np.nan,
                    "pixels": int(pixels[own].sum()),
                    "geometry": shapely.Point(*members[one].middle),
                }
            )
    return rows, len(ends)


def _datum(label: NDArray[np.int64], members: Sequence[Member]) -> NDArray[np.intp]:
    """The largest map of each part, which stays as it is; of equal ones the first."""
    sizes = np.array([member.pixels for member in members])
    datum = np.empty(label.size, np.intp)
    for part in np.unique(label):
        own = np.flatnonzero(label == part)
        datum[own] = own[np.argmax(sizes[own])]
    return datum


def _passes(times: Sequence[NDArray[np.datetime64]]) -> NDArray[np.int64]:
    """First time of each pass of the satellite, seconds since 1970: bursts of one pass follow within seconds."""
    ordered = np.unique(np.concatenate([*times, np.zeros(0, "datetime64[s]")])).astype("datetime64[s]")
    found: list[np.datetime64] = []
    for time in ordered:
        if not found or time - found[-1] > SAME_PASS:
            found.append(time)
    return np.array(found, "datetime64[s]").astype(np.int64)


def _compare(members: Sequence[Member], one: Overlap, passes: NDArray[np.int64]) -> Float64:
    """Differences (quantity, 4) of an overlap: of every velocity, and of displacement at every pass.

    They are NaN where one of the two lacks it.
    """
    pair = members[one.first].open(), members[one.second].open()
    nothing = np.full(one.here.rows.size, np.nan)
    found = []
    for name in VELOCITIES:
        here, there = (
            nothing if (known := velocity(map_, name)) is None else known[pixels]
            for map_, pixels in zip(pair, (one.here, one.there), strict=True)
        )
        found.append(kernel.difference(here, there, *one.here))
    moved = [displacement(map_, pixels) for map_, pixels in zip(pair, (one.here, one.there), strict=True)]
    dates = [np.searchsorted(passes, map_.time.astype(np.int64), side="right") - 1 for map_ in pair]
    for number in range(passes.size):
        own = [np.flatnonzero(when == number) for when in dates]
        here, there = (values[date[0]] if date.size else nothing for values, date in zip(moved, own, strict=True))
        found.append(kernel.difference(here, there, *one.here))
    return np.array(found, np.float64)
