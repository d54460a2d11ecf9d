"""A mapped scene made small enough to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_optical import OpticalConfig
from slidecloud.pipeline.optical_scenes import Scene, open_scene
from slidecloud.store import tables
from slidecloud.store.arrays import read, reader
from slidecloud.store.location import Location, locate
from slidecloud.store.optical_specs import LEVELS, UNKNOWN, outlines_key, scene_group
from slidecloud.store.specs import SPATIAL_CHUNK
from slidecloud.types import DataError, Float32

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

MOST: Final = 1200
"""Pixels along a side of a picture."""
_ROWS: Final = SPATIAL_CHUNK[0]
"""Rows of a scene that are read at once."""


class View(NamedTuple):
    """A scene for drawing: every so many pixels of its last image (band, y, x) and of its scores (y, x), NaN where
    there are none; outlines in its CRS; left, right, bottom, top."""

    image: Float32
    scores: Float32
    outlines: GeoDataFrame
    extent: tuple[float, float, float, float]


def view(config: OpticalConfig, name: str, *, most: int = MOST) -> View | None:
    """A scene of a configuration; None where its outlines are not drawn yet."""
    location = locate(config.place, config.storage_options)
    data = location.read(outlines_key(name))
    if data is None:
        return None
    scene = open_scene(name, config.scenes[name], config.storage_options)
    grid = scene.grid
    step = -(-max(grid.height, grid.width) // most)
    parts = [_part(scene, location, row, step) for row in range(0, grid.height, _ROWS)]
    image, levels = (np.concatenate(rows, axis=-2) for rows in zip(*parts, strict=True))
    scores = np.where(levels == UNKNOWN, np.nan, levels / np.float32(LEVELS)).astype(np.float32)
    extent = grid.left, grid.left + grid.dx * grid.width, grid.top + grid.dy * grid.height, grid.top
    return View(image, scores, tables.decode((outlines_key(name), data)).to_crs(grid.crs), extent)


def _part(scene: Scene, location: Location, row: int, step: int) -> tuple[Float32, NDArray[np.uint8]]:
    """Every so many pixels of some rows: the bands of the last image, and the levels of the scores."""
    rows, bands = slice(row, min(row + _ROWS, scene.grid.height)), len(scene.images[-1].bands)
    shape, thin = (rows.stop - row, scene.grid.width), np.s_[..., -row % step :: step, ::step]
    score = reader(location, scene_group(scene.name))["score"]

    def image(columns: slice) -> NDArray[Any]:
        return scene.read(row, columns.start, shape[0], columns.stop - columns.start)[-bands:]

    def levels(columns: slice) -> NDArray[Any]:
        found: NDArray[Any] = read(score, (rows, columns))  # type: ignore[arg-type]
        return found

    seen = _known(image, np.full((bands, *shape), np.nan, np.float32))
    return seen[thin], _known(levels, np.full(shape, UNKNOWN, np.uint8))[thin]


def _known(get: Callable[[slice], NDArray[Any]], nothing: NDArray[Any]) -> NDArray[Any]:
    """Rows (..., y, x) as far as they can be read: at once, or else a block after the other.

    What cannot be read, because its tile was set aside, is left as ``nothing`` has it.
    """
    width = nothing.shape[-1]
    try:
        return get(slice(0, width))
    except DataError:
        for left in range(0, width, SPATIAL_CHUNK[1]):
            columns = slice(left, min(left + SPATIAL_CHUNK[1], width))
            with suppress(DataError):
                nothing[..., columns] = get(columns)
        return nothing
