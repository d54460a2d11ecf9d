"""Small SLC stacks of known truth: speckle, or none, over a ramp that grows with time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from slidecloud import simulate
from slidecloud.pipeline.ingest_slc import ingest_slc
from slidecloud.stack import SlcArraySource
from slidecloud.types import Grid, StackHeader

LOOKS = (2, 8)
CELLS = (64, 80)
SHAPE = (CELLS[0] * LOOKS[0] + 1, CELLS[1] * LOOKS[1] + 5)
CHUNKS = (32, 64)
STEP = (20.0, 5.0)
"""Metres of a sample along y and x: cells of 40 m."""
DATES = np.datetime64("2020-01-04T11:12:13", "s") + np.arange(7) * np.timedelta64(12, "D")
RATE = (0.6, -1.1)
"""Phase of the ramp, rad per cell and year along (y, x)."""


def header(shape: tuple[int, int] = SHAPE, **changes: Any) -> StackHeader:
    """Header of single samples on a map grid."""
    grid = Grid("EPSG:32648", 5e5, 3.5e6, STEP[1], -STEP[0], *shape)
    values: dict[str, Any] = {
        "id": "slc_small", "geometry": "map", "shape": shape, "spacing": STEP, "wavelength": 0.05546576,
        "range_looks": 1, "azimuth_looks": 1, "effective_looks": 0.6, "heading": -12.0, "look_direction": "right",
        "pass_": "ascending", "slant_range": 8.8e5, "source": "simulated", "processor": "simulated",
        "filtered": False, "has_unwrapped": False, "grid": grid,
    }  # fmt: skip
    return StackHeader(**(values | changes))


def history(shape: tuple[int, int] = SHAPE, dates: Any = DATES) -> np.ndarray:
    """Phase of every date, rad (date, y, x): the ramp at its time."""
    years = (dates - dates[0]) / np.timedelta64(1, "s") / (86400 * 365.25)
    y, x = np.mgrid[: shape[0], : shape[1]]
    ramp = RATE[0] * y / LOOKS[0] + RATE[1] * x / LOOKS[1]
    return years[:, None, None] * ramp


def series(*, shape: tuple[int, int] = SHAPE, seed: int = 3, quality: float = 0.9, dates: Any = DATES) -> np.ndarray:
    """Images with speckle over the ramp, complex64 (date, y, x)."""
    return simulate.slc_series(
        seed, dates=dates, shape=shape, persistent=0.5, decorrelation_time=60.0, quality=quality,
        phase=history(shape, dates),
    )  # fmt: skip


def source(slc: np.ndarray, *, order: Any = slice(None), **options: Any) -> SlcArraySource:
    """The images as a source, in some order."""
    return SlcArraySource(header(slc.shape[1:3]), DATES[: len(slc)][order], slc[order], **options)


def stored(folder: Path, offered: SlcArraySource, *, chunks: tuple[int, int] = CHUNKS) -> Path:
    """Ingest a source into ``folder/stacks``."""
    summary = ingest_slc(offered, str(folder / "stacks"), chunks=chunks)
    assert summary.exit_code == 0, summary.lines()
    return folder / "stacks" / f"{offered.header.id}.zarr"
