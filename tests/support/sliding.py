"""A small scene whose slides are known, searched for landslides; and truth and finds on one map."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import runs
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from slidecloud import simulate
from slidecloud.config import RunConfig
from slidecloud.pipeline.executors import Executor, serial
from slidecloud.pipeline.run import run
from slidecloud.pipeline.summary import Summary
from slidecloud.simulate import Scene, Slide
from slidecloud.stack import ArraySource

SHAPE = (120, 150)
STEADY = (
    Slide(row=30, column=35, length=900, width=700, rate=0.2),
    Slide(row=85, column=105, length=1100, width=800, rate=0.2),
)
TURNING = Slide(row=80, column=35, length=1000, width=800, rate=0.3, motion="oscillating")
"""Forth in one half of the year and back in the other: over the year it goes nowhere."""


def scene(
    *, burst: str = "t026_000001_iw2", slides: tuple[Slide, ...] = STEADY, geometry: Any = "map", **options: Any
) -> Scene:
    """Two years over open ground."""
    return simulate.scene(
        5, shape=SHAPE, dates=46, slides=list(slides), geometry=geometry, id=burst, water=0.0, dem_error=0.0, **options
    )


def ingest(folder: Path, made: Scene) -> None:
    """Its stack, of pairs of up to 36 days."""
    seen = simulate.interferograms(made)
    header = dataclasses.replace(made.header, has_unwrapped=False)
    source = ArraySource(header, seen.pairs, seen.phase, seen.coherence, None, made.static())
    assert runs.ingest(source, str(folder / "stacks")).exit_code == 0


def configure(folder: Path, *detect: str) -> RunConfig:
    """A configuration of gradients and detect; further settings of the detector as YAML."""
    settings = ", ".join(["method: classical", *detect])
    lines = (
        "stages: [gradients, detect]",
        f"detect: {{{settings}}}",
        "resources: {executor: serial, memory: 2 GiB}",
    )
    return runs.config.parse("\n".join([f"run: {folder}/run.zarr", f"stacks: {folder}/stacks", *lines]))


def search(folder: Path, *detect: str, executor: Executor | None = None, **options: Any) -> Summary:
    """Look for landslides in what is ingested."""
    return run(configure(folder, *detect), executor=executor or serial(), **options)


def outlines(made: Scene, geometries: Any) -> list[NDArray[np.bool_]]:
    """Geometries in longitude and latitude as masks of the scene's pixels."""
    longitude, latitude = positions(made)
    return [shapely.contains_xy(one, longitude, latitude) for one in geometries]


def positions(made: Scene) -> tuple[Any, Any]:
    """Longitude and latitude (y, x) of the pixel centres."""
    if made.longitude is not None:
        return made.longitude, made.latitude
    grid = made.header.grid
    assert grid is not None
    turn = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True)
    return turn.transform(*np.meshgrid(grid.x, grid.y))


def overlaps(made: Scene, geometries: Any) -> NDArray[np.float64]:
    """Intersection over union (slide, find) of true slides with outlines found."""
    masks = outlines(made, geometries)
    true = [made.labels == label for label in range(1, len(made.slides) + 1)]
    return np.array([[(t & m).sum() / max((t | m).sum(), 1) for m in masks] for t in true]).reshape(len(true), -1)
