"""What a patch holds of the atmosphere: what was taken off each date, and whether it helped."""

from __future__ import annotations

import math
from typing import Final

from slidecloud.store.specs import SERIES_CHUNK, ArraySpec


def _of_dates(name: str, long_name: str) -> ArraySpec:
    return ArraySpec(name, ("time",), "float32", "m", long_name, (None,), math.nan, optional=True)


CORRECTION: Final[tuple[ArraySpec, ...]] = (
    ArraySpec(
        "correction",
        ("time", "y", "x"),
        "float32",
        "m",
        "displacement since the first date that only the atmosphere made; taken off the pairs before inversion",
        SERIES_CHUNK,
        math.nan,
        optional=True,
    ),
    _of_dates("correction_before", "scatter of still ground at the date before its correction"),
    _of_dates("correction_after", "the same after it, on ground that nothing was fitted to"),
    ArraySpec(
        "correction_kept",
        ("time",),
        "uint8",
        "1",
        "corrections that helped at the date and were kept, as bits",
        (None,),
        0,
        {"flag_masks": [1, 2, 4], "flag_meanings": "gacos height ramp"},
        optional=True,
    ),
)
"""With ``timeseries.atmosphere.gacos``, ``height`` or ``ramp``."""

FILTERED: Final[tuple[ArraySpec, ...]] = (
    ArraySpec(
        "displacement_filtered",
        ("time", "y", "x"),
        "float32",
        "m",
        "displacement without what is smooth in space and quick in time on the still ground around",
        SERIES_CHUNK,
        math.nan,
        optional=True,
    ),
)
"""With ``timeseries.atmosphere.filter``."""
