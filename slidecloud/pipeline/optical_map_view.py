"""A mapped scene made small enough to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_optical import OpticalConfig
from slidecloud.pipeline.optical_scenes import Scene, open_scene
from slidecloud.store import tables
from slidecloud.store.arrays import read, reader
from slidecloud.store.location import Location, locate
from slidecloud.store.optical_specs import LEVELS, UNKNOWN, outlines_key, scene_group
from slidecloud.types import DataError, Float32

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

MOST: Final = 1200
"""Pixels along a side of a picture."""
_ROWS: Final = 256
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
    """Every so many pixels of some rows: the bands of the last image, and the levels of the scores.

    What cannot be read, because its tile was set aside, is not drawn.
    """
    rows, columns = slice(row, min(row + _ROWS, scene.grid.height)), slice(0, scene.grid.width)
    shape, thin = (rows.stop - row, scene.grid.width), np.s_[-row % step :: step, ::step]
    bands = len(scene.images[-1].bands)
    try:
        image = scene.read(row, 0, *shape)[-bands:]
    except DataError:
        image = np.full((bands, *shape), np.nan, np.float32)
    try:
        levels = read(reader(location, scene_group(scene.name))["score"], (rows, columns))  # type: ignore[arg-type]
    except DataError:
        levels = np.full(shape, UNKNOWN, np.uint8)
    return image[:, *thin], levels[thin]
