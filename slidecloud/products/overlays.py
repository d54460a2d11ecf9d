"""Maps of tracks as pictures to lay over a globe: averaged down on the way, so that no map is held whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.colours import paint
from slidecloud.kernels.pyramid import shrink
from slidecloud.products.layers import BLOCK, Layer, layers
from slidecloud.products.mosaics import bounds, by_track, mosaic, rank
from slidecloud.products.styles import Style, style
from slidecloud.types import Grid

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.store import Run

MOST: Final = 1536
"""Rows and columns that a picture has at most."""


@dataclass(frozen=True)
class Overlay:
    """A picture and where it lies.

    Attributes
    ----------
    title
        What it shows.
    slug
        Its name in names of files.
    picture
        PNG; transparent where nothing is known.
    west, south, east, north
        Borders, degrees.
    style
        Its colours.
    """

    title: str
    slug: str
    picture: bytes
    west: float
    south: float
    east: float
    north: float
    style: Style


def overlays(run: Run, *, name: str = "velocity", most: int = MOST) -> list[Overlay]:
    """A picture of each track of a run, in longitude and latitude.

    Where a picture is coarser than the map, a pixel is the mean of those under it, of the burst with the smallest
    standard error. Bursts in radar geometry are left out; without any map of this name there is no picture.

    Parameters
    ----------
    run
        An open run store.
    name
        Of a map.
    most
        Rows and columns of a picture.
    """
    mapped = [burst for burst in run.bursts if run.header(burst).grid is not None]
    try:
        found = layers(run.levelled(), bursts=mapped, names=[name]) if mapped else []
    except KeyError:
        return []
    return [_overlay(run, track, members, most) for track, members in sorted(by_track(run, found).items())]


def _overlay(run: Run, track: str, members: Sequence[Layer], most: int) -> Overlay:
    grid = _degrees([one.grid for one in members], most)
    coarse: list[tuple[Layer, xr.DataArray | None]] = []
    for one in members:
        factor = _factor(one.grid, grid)
        error = rank(run, one)
        shrunk = _shrunk(one, factor)
        coarse.append((shrunk, None if error is None else _shrunk(replace(one, array=error), factor).array))
    layer = mosaic(track, coarse, grid)
    values = layer.array.values
    chosen = style(layer.name, layer.array.attrs, values)
    edges = grid.left, grid.top + grid.dy * grid.height, grid.left + grid.dx * grid.width, grid.top
    title = f"{str(layer.array.attrs.get('long_name', layer.name)).split(',')[0]}, {track}"
    return Overlay(title, f"{layer.name}_{layer.place}", png(paint(values, chosen.ramp, chosen.limits)), *edges, chosen)


def _degrees(grids: Sequence[Grid], most: int) -> Grid:
    """A grid in longitude and latitude over all grids, as fine as the first or as ``most`` allows."""
    edges = np.array([bounds(one, "EPSG:4326") for one in grids])
    (west, south), (east, north) = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
    first = edges[0]
    fine = (first[2] - first[0]) / grids[0].width, (first[3] - first[1]) / grids[0].height
    width = min(most, max(1, round((east - west) / fine[0])))
    height = min(most, max(1, round((north - south) / fine[1])))
    return Grid("EPSG:4326", west, north, (east - west) / width, -(north - south) / height, height, width)


def _factor(grid: Grid, target: Grid) -> int:
    """The power of two by which a grid is made coarser so as not to be much finer than the target."""
    left, bottom, right, top = bounds(grid, target.crs)
    finer = min(target.dx * grid.width / (right - left), -target.dy * grid.height / (top - bottom))
    return int(min(2 ** max(np.floor(np.log2(max(finer, 1.0)) + 0.25), 0.0), BLOCK))


def _shrunk(layer: Layer, factor: int) -> Layer:
    """A layer with its values read and averaged, block by block."""
    import xarray as xr

    grid = replace(
        layer.grid,
        dx=layer.grid.dx * factor,
        dy=layer.grid.dy * factor,
        height=-(-layer.grid.height // factor),
        width=-(-layer.grid.width // factor),
    )
    values = np.zeros((grid.height, grid.width), layer.array.dtype)
    for block in layer.blocks():
        part = shrink(block.values[0], factor)
        top, left = block.rows.start // factor, block.columns.start // factor
        values[top : top + part.shape[0], left : left + part.shape[1]] = part
    return replace(layer, grid=grid, array=xr.DataArray(values, dims=("y", "x"), attrs=layer.array.attrs))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels (4, y, x) of red, green, blue and opacity as PNG."""
    import warnings

    from rasterio.errors import NotGeoreferencedWarning
    from rasterio.io import MemoryFile

    profile: dict[str, Any] = {"driver": "PNG", "count": 4, "dtype": "uint8"}
    with warnings.catch_warnings(), MemoryFile() as memory:
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with memory.open(height=pixels.shape[1], width=pixels.shape[2], **profile) as output:
            output.write(pixels)
        found: bytes = memory.read()
    return found
