"""Maps of a run as a Zarr store of pyramids, so that viewers stay fast at every scale."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.pyramid import shrink
from slidecloud.products.layers import BLOCK, Layer, layers
from slidecloud.products.mosaics import mosaics
from slidecloud.products.whole import whole
from slidecloud.store import locate, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.schema import SPATIAL_CHUNK, ArraySpec
from slidecloud.types import Grid

if TYPE_CHECKING:
    from slidecloud.store import Run

COARSEST: Final = 512
"""Rows and columns that the last level has at most."""
_KEPT: Final = ("flag_values", "flag_masks", "flag_meanings")
_CONVENTION: Final = ("multiscales", "d35379db-88df-4056-af3a-620245f8e347", "Levels of resolution")


def export(
    run: Run,
    path: str | os.PathLike[str],
    *,
    bursts: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    by_track: bool = False,
) -> Path:
    """Write maps of a run as one Zarr v3 store with a pyramid for each burst: ``<burst>/0``, ``<burst>/1`` and so on.

    Level 0 has the store's values; a pixel of level k is the mean of the 2^k by 2^k pixels of level 0 under it, without
    those that have no data (of whole numbers, which may be classes, the pixel in the middle). Levels end where one has
    no more than `COARSEST` rows and columns. Each level is a plain dataset with coordinates, ``spatial:`` and ``proj:``
    attributes; the group above has those and the convention ``multiscales``. It is a store of its own, and not part of
    the run: nothing in the run changes, and nothing there has to be kept in step with it. Memory is that of some rows
    of a map.

    Parameters
    ----------
    run
        An open run store.
    path
        Folder of the new store; one that is there is replaced when the new one is whole.
    bursts, names
        As in `slidecloud.products.layers.layers`; only maps (y, x).
    by_track
        One pyramid a track in place of one a burst; see `slidecloud.products.mosaics.mosaics`.

    Returns
    -------
    Path
        The store.

    Raises
    ------
    KeyError
        If a burst or a map is not in the run.
    ValueError
        If a burst is in radar geometry, a map has dates or seasons, or the run has nothing to export.
    DataError
        If what is stored cannot be read.
    """
    found = (mosaics if by_track else layers)(run, bursts=bursts, names=names)
    cubes = [layer.name for layer in found if layer.array.ndim > 2]
    if cubes:
        raise ValueError(f"{cubes[0]} has a value for each date or season, and pyramids are of maps; leave it out.")
    places: dict[str, list[Layer]] = {}
    for layer in found:
        places.setdefault(layer.place, []).append(layer)
    with whole(path) as made:
        location = locate(made)
        root = {"kind": "maps", "software": templates.SOFTWARE, "source": str(run.location)}
        objects = templates.group((), {}, path="", attributes=root, coordinates={}, grid=None)
        for place, members in places.items():
            objects |= _template(place, members)
        metadata = {key: data for key, data in objects.items() if key.endswith("zarr.json")}
        location.write_many(objects | templates.consolidated(metadata))
        writer = Writer(location)
        for layer in found:
            _write(writer, layer)
    return Path(path)


def levels(grid: Grid) -> list[Grid]:
    """The grid of each level, finest first; a pixel of a coarse one may stick out over the lower and right border."""
    found = [grid]
    while max(found[-1].height, found[-1].width) > COARSEST:
        factor = 2 ** len(found)
        found.append(
            replace(
                grid,
                dx=factor * grid.dx,
                dy=factor * grid.dy,
                height=-(-grid.height // factor),
                width=-(-grid.width // factor),
            )
        )
    return found


def _template(place: str, members: Sequence[Layer]) -> dict[str, bytes]:
    """Objects of the empty pyramid of a place."""
    grids = levels(members[0].grid)
    attributes = templates.georeference(grids[0])
    attributes["zarr_conventions"] = [*attributes["zarr_conventions"], templates.convention(*_CONVENTION)]
    layout = [_layout(number, grid) for number, grid in enumerate(grids)]
    attributes["multiscales"] = {"layout": layout, "resampling_method": "average"}
    objects = templates.group((), {}, path=place, attributes=attributes, coordinates={}, grid=None)
    for number, grid in enumerate(grids):
        objects |= templates.group(
            tuple(_spec(layer) for layer in members),
            {"y": grid.height, "x": grid.width},
            path=f"{place}/{number}",
            attributes={},
            coordinates={},
            grid=grid,
        )
    return objects


def _layout(number: int, grid: Grid) -> dict[str, Any]:
    place = {
        "spatial:shape": [grid.height, grid.width],
        "spatial:transform": [grid.dx, 0.0, grid.left, 0.0, grid.dy, grid.top],
    }
    if number == 0:
        return {"asset": "0", "transform": {"scale": [1.0, 1.0], "translation": [0.0, 0.0]}, **place}
    transform = {"scale": [2.0, 2.0], "translation": [0.0, 0.0]}
    return {"asset": str(number), "derived_from": str(number - 1), "transform": transform, **place}


def _spec(layer: Layer) -> ArraySpec:
    attributes, dtype = layer.array.attrs, layer.array.dtype
    kept = {name: _plain(attributes[name]) for name in _KEPT if name in attributes}
    floating = np.issubdtype(dtype, np.floating)
    return ArraySpec(
        layer.name, ("y", "x"), dtype.name, str(attributes.get("units", "1")),
        str(attributes.get("long_name", layer.name)), SPATIAL_CHUNK, float("nan") if floating else 0,
        kept if floating else {**kept, "resampling_method": "nearest"},
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _write(writer: Writer, layer: Layer) -> None:
    """All levels of a map, from one pass over it."""
    grids = levels(layer.grid)
    rows = max(BLOCK, 2 ** (len(grids) - 1))
    bands = [_Band(writer, f"{layer.place}/{k}/{layer.name}", grid, rows >> k) for k, grid in enumerate(grids)]
    for block in layer.blocks(rows=rows):
        for number, band in enumerate(bands):
            band.put(shrink(block.values[0], 2**number), block.rows.start >> number, block.columns.start >> number)


class _Band:
    """Rows of a level that are not written yet: as many as make whole chunks.

    Parameters
    ----------
    writer, path, grid
        Where they go.
    rows
        Rows of the level that come with each row of blocks.
    """

    def __init__(self, writer: Writer, path: str, grid: Grid, rows: int) -> None:
        self._writer, self._path, self._grid = writer, path, grid
        self._height = max(rows, SPATIAL_CHUNK[0])
        self._top = 0
        self._values: NDArray[Any] | None = None

    def put(self, values: NDArray[Any], top: int, left: int) -> None:
        """Take a block whose first pixel is at a row and column of the level; blocks come in order."""
        if self._values is None:
            self._values = np.zeros((self._height, self._grid.width), values.dtype)
        bottom, right = top + values.shape[0], left + values.shape[1]
        self._values[top - self._top : bottom - self._top, left:right] = values
        full = bottom - self._top == self._height or bottom == self._grid.height
        if full and right == self._grid.width:
            self._writer.write(self._path, self._values[: bottom - self._top], (self._top, 0))
            self._top = bottom
