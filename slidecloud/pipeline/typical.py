"""A typical burst of Sentinel-1, for measurements and for estimates of what does not exist yet."""

from __future__ import annotations

import numpy as np

from slidecloud.simulate.calendar import acquisition_dates, neighbours
from slidecloud.types import SENTINEL1_WAVELENGTH, Grid, Pair, StackHeader

SPACING = 40.0
"""Metres: 2 looks in azimuth and 8 in range."""


def typical_pairs(*, images: int, pairs: int) -> list[Pair]:
    """Pairs of at most 36 days, spread evenly over images every 12 days.

    Raises
    ------
    ValueError
        If so many images do not make so many pairs.
    """
    times = acquisition_dates(images)
    ends = neighbours(times)
    if not 1 <= pairs <= len(ends):
        raise ValueError(
            f"{pairs} pairs of {images} images: expected 1 to {len(ends)} pairs of up to 36 days, one image every 12 "
            "days. Give fewer pairs or more images."
        )
    chosen = np.linspace(0, len(ends) - 1, pairs).round().astype(int)
    return [Pair(times[i], times[j], 0.0) for i, j in (ends[k] for k in chosen)]


def typical_header(shape: tuple[int, int]) -> StackHeader:
    """Header of a burst of a given shape with 40 m pixels on a metric grid."""
    grid = Grid("EPSG:32648", 5e5, 3.4e6, SPACING, -SPACING, *shape)
    return StackHeader(
        id="typical", geometry="map", shape=shape, spacing=(SPACING, SPACING), wavelength=SENTINEL1_WAVELENGTH,
        range_looks=8, azimuth_looks=2, effective_looks=16.0, heading=-12.3, look_direction="right",
        pass_="ascending", slant_range=8.8e5, source="none", processor="none", filtered=False, has_unwrapped=False,
        grid=grid,
    )  # fmt: skip
