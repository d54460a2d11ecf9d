"""What the patches of a burst hold: windows in which displacement is wanted, with their own unwrapped phase."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Final

from slidecloud.store.specs import PAIR_BATCH, RADAR_POSITION, SPATIAL_CHUNK, ArraySpec
from slidecloud.store.specs import map_spec as _map
from slidecloud.store.specs import time_spec as _time
from slidecloud.types import StackHeader

UNWRAPPED: Final[tuple[ArraySpec, ...]] = (
    ArraySpec(
        "phase",
        ("pair", "y", "x"),
        "float32",
        "rad",
        "unwrapped phase, positive away from the satellite; the level of each component is arbitrary",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        math.nan,
    ),
    ArraySpec(
        "component",
        ("pair", "y", "x"),
        "uint8",
        "1",
        "connected component within which jumps are believed right; 0 is none",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        0,
    ),
    ArraySpec(
        "coherence",
        ("pair", "y", "x"),
        "uint8",
        "1",
        "interferometric coherence; 0 is no data",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        0,
        {"scale_factor": 1 / 255, "_FillValue": 0},
    ),
    ArraySpec(
        "cycles",
        ("pair", "y", "x"),
        "int16",
        "1",
        "turns of 2 pi that loops of pairs show missing from phase, to be added; -32768 where the pixel is rejected",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        0,
    ),
    _time("reference_time", "pair", "acquisition time of the earlier image (UTC)"),
    _time("secondary_time", "pair", "acquisition time of the later image (UTC)"),
    *RADAR_POSITION,
)

REJECTED: Final = -32768
"""Stands in ``cycles`` for a pixel whose turns cannot be told."""


def _number(name: str, units: str, long_name: str) -> ArraySpec:
    return ArraySpec(name, (), "float32", units, long_name, (), math.nan, optional=True)


def _of_pairs(name: str, units: str, long_name: str) -> ArraySpec:
    return ArraySpec(name, ("pair",), "float32", units, long_name, (None,), math.nan, optional=True)


REASONS: Final = ("none", "no_level", "low_coverage", "low_coherence", "contradicted", "open_loops")
"""What the codes of ``pair_reason`` mean, those of `slidecloud.kernels.pair_editing`."""

PREFERRED_UNKNOWN, PREFERRED_UNWRAPPED, PREFERRED_INTEGRATED = 0, 1, 2
"""What ``preferred`` says: neither velocity tells anything, ``velocity``, or ``velocity_integrated``."""

OF_PATCHES: Final[tuple[ArraySpec, ...]] = (
    _map(
        "velocity_integrated",
        "m year-1",
        "line-of-sight velocity from gradients, without unwrapping; towards the satellite",
        optional=True,
    ),
    _map("velocity_integrated_sigma", "m year-1", "standard error of velocity_integrated", optional=True),
    _number("integrated_false_offset", "m year-1", "largest velocity_integrated on still ground left free"),
    _number("recovered_fraction", "1", "share of a known slide, put into the pairs, that velocity gives back"),
    _number("recovered_fraction_integrated", "1", "the same of velocity_integrated"),
    ArraySpec(
        "preferred",
        (),
        "uint8",
        "1",
        "which velocity has the smaller expected error over the patch",
        (),
        0,
        {"flag_values": [0, 1, 2], "flag_meanings": "unknown unwrapped integrated"},
        optional=True,
    ),
    _map("moving", "1", "1 where a detection lies: no reference is taken there", dtype="uint8", optional=True),
    ArraySpec(
        "component_turns",
        ("pair", "component"),
        "int16",
        "1",
        "turns of 2 pi taken off each component of the pair; -32768 leaves it out",
        (None, None),
        -32768,
        optional=True,
    ),
    ArraySpec(
        "pair_used",
        ("pair",),
        "uint8",
        "1",
        "1 where the pair takes part; 2 where it does only because the network needs it; 0 where it was left out",
        (None,),
        0,
        optional=True,
    ),
    ArraySpec(
        "pair_reason",
        ("pair",),
        "uint8",
        "1",
        "why the pair was left out or takes part only because the network needs it",
        (None,),
        0,
        {"flag_values": list(range(len(REASONS))), "flag_meanings": " ".join(REASONS)},
        optional=True,
    ),
    _of_pairs("pair_coherence", "1", "mean coherence of the pair where the patch moves"),
    _of_pairs("pair_contradicted", "1", "share of the pair that other pairs contradict and loops do not mend"),
    _of_pairs("pair_bad_loops", "1", "share of the pair's loops that are off by more than half a turn after mending"),
    _of_pairs("pair_noise", "rad", "what a pair that takes part leaves of the series, root mean square"),
    ArraySpec(
        "date_noise",
        ("time",),
        "float32",
        "m",
        "noise of the date by what its pairs leave of the series: decorrelation and unwrapping, not atmosphere",
        (None,),
        math.nan,
        optional=True,
    ),
)
"""What the group ``timeseries`` of a patch holds beside that of a burst."""

EDITED: Final = ("pair_contradicted", "pair_bad_loops", "pair_noise", "date_noise")
"""Those of them that come from comparing pairs, with ``timeseries.edit``."""

INTEGRATED: Final = (
    "velocity_integrated",
    "velocity_integrated_sigma",
    "integrated_false_offset",
    "recovered_fraction_integrated",
)
"""Those of them that come from gradients."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns of a patch in its burst, half-open."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def name(self) -> str:
        """Name of the patch: where it begins, such as ``r000512_c001024``."""
        return f"r{self.top:06d}_c{self.left:06d}"

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.bottom - self.top, self.right - self.left

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.shape[0] * self.shape[1]

    @property
    def rows(self) -> slice:
        """Rows as a slice."""
        return slice(self.top, self.bottom)

    @property
    def columns(self) -> slice:
        """Columns as a slice."""
        return slice(self.left, self.right)

    def touches(self, other: Window) -> bool:
        """Whether the two have a pixel in common."""
        return (
            self.top < other.bottom and other.top < self.bottom and self.left < other.right and other.left < self.right
        )

    def united(self, other: Window) -> Window:
        """The smallest window that holds both."""
        return Window(
            min(self.top, other.top),
            max(self.bottom, other.bottom),
            min(self.left, other.left),
            max(self.right, other.right),
        )


NAME: Final = re.compile(r"r\d{6}_c\d{6}")


def patches_group(burst: str) -> str:
    """Path of the group that holds the patches of a burst."""
    return f"bursts/{burst}/patches"


def patch_group(burst: str, patch: str) -> str:
    """Path of a patch."""
    return f"{patches_group(burst)}/{patch}"


def window_header(header: StackHeader, window: Window) -> StackHeader:
    """Header of a window of a burst: its shape, and its own grid."""
    grid = header.grid
    if grid is not None:
        height, width = window.shape
        left, top = grid.left + grid.dx * window.left, grid.top + grid.dy * window.top
        grid = replace(grid, left=left, top=top, height=height, width=width)
    return replace(header, shape=window.shape, grid=grid)
