"""A small scene with two known slides of which displacement is wanted in patches only."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import runs
from pyproj import Transformer

from slidecloud import simulate
from slidecloud.simulate import Coherence, Interferograms, Scene, Slide
from slidecloud.stack import ArraySource

BURST = "t026_000001_iw2"
SHAPE = (112, 140)
SLIDES = (
    Slide(row=30, column=35, length=900, width=700, rate=0.12),
    Slide(row=82, column=105, length=1000, width=800, rate=0.12),
)


def scene(*, burst: str = BURST, slides: tuple[Slide, ...] = SLIDES, **options: Any) -> Scene:
    """A year over open ground, coherent enough to unwrap."""
    settings: dict[str, Any] = {"shape": SHAPE, "dates": 16, "water": 0.0, "dem_error": 0.0, **options}
    return simulate.scene(5, slides=list(slides), id=burst, **settings)


def source(made: Scene, *, unwrapped: bool = False, seen: Interferograms | None = None) -> ArraySource:
    """Its pairs, without the unwrapped phase unless asked for."""
    seen = seen or simulate.interferograms(made)
    header = dataclasses.replace(made.header, has_unwrapped=unwrapped)
    return ArraySource(
        header, seen.pairs, seen.phase, seen.coherence, seen.unwrapped if unwrapped else None, made.static()
    )


def lines(*series: str) -> tuple[str, ...]:
    """A configuration of all stages that looks for slides by the classical method; settings of timeseries as YAML."""
    settings = ", ".join(["halo: 600", *series])
    return (
        "stages: [gradients, detect, timeseries]",
        "detect: {method: classical, seasons: false}",
        "resources: {executor: serial, memory: 2 GiB}",
        f"timeseries: {{{settings}}}",
    )


def compute(folder: Path, made: ArraySource, *series: str, **options: Any) -> Any:
    """Ingest and run."""
    return runs.compute(folder, made, *lines(*series), **options)


def position(made: Scene, row: float, column: float) -> tuple[float, float]:
    """Longitude and latitude of the middle of a pixel."""
    grid = made.header.grid
    assert grid is not None
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    longitude, latitude = turn.transform(
        grid.left + grid.dx * (int(column) + 0.5), grid.top + grid.dy * (int(row) + 0.5)
    )
    return longitude, latitude


__all__ = ["BURST", "SHAPE", "SLIDES", "Coherence", "compute", "lines", "position", "scene", "source"]
