"""One map a track: bursts laid beside each other, and where they overlap the one that is surest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.products.layers import BLOCK, Layer, layers
from slidecloud.store.seams import slug
from slidecloud.types import Float64, Grid, track_of

if TYPE_CHECKING:
    import xarray as xr

    from slidecloud.store import Run

RANKED_BY: Final = {"timeseries": "velocity_sigma", "gradients": "velocity_gradient_x_sigma"}
"""Standard error that chooses where bursts overlap, by group; of other groups the first burst counts."""
_EDGE: Final = 33
"""Points of an edge that are carried from one projection into another to find its bounds."""


def mosaics(
    run: Run, *, bursts: Sequence[str] | None = None, names: Sequence[str] | None = None, step: int = 1
) -> list[Layer]:
    """Maps of each track, lazily: nothing is averaged, the burst with the smallest standard error counts at a pixel.

    Bursts are `slidecloud.store.Run.levelled` where they overlap.

    The grid is that of the track's first burst, continued. Bursts in another projection or off that grid are taken from
    the pixel that holds the centre.

    Parameters
    ----------
    run, bursts, names
        As in `slidecloud.products.layers.layers`; arrays with dates or seasons are left out, and so is the density.
    step
        Pixels of the first burst on a pixel of the mosaic; nothing is averaged.
    """
    run = run.levelled()
    found = layers(run, bursts=bursts, names=names)
    tracks = by_track(run, found)
    grids = {track: joined([one.grid for one in members], step=step) for track, members in tracks.items()}
    # Once a group: opening the patches of a burst takes longer than all else here.
    ranks = {one.source: rank(run, one) for one in {one.source: one for one in found}.values()}
    return [
        mosaic(track, [(one, ranks[one.source]) for one in members if one.name == name], grids[track])
        for track, members in sorted(tracks.items())
        for name in dict.fromkeys(one.name for one in members)
    ]


def by_track(run: Run, found: Sequence[Layer]) -> dict[str, list[Layer]]:
    """Maps (y, x) of bursts by their track."""
    tracks: dict[str, list[Layer]] = {}
    for one in found:
        if one.array.ndim == 2 and one.source.startswith("bursts/"):
            tracks.setdefault(track_of(run.header(one.place)), []).append(one)
    return tracks


def mosaic(track: str, members: Sequence[tuple[Layer, xr.DataArray | None]], grid: Grid) -> Layer:
    """Maps of one name, each with the standard error that ranks it, laid on a grid when it is read."""
    import dask.array as da
    import xarray as xr

    first = members[0][0]
    like = first.array
    edges = tuple(bounds(one.grid, grid.crs) for one, _ in members)
    layer = _Mosaic(tuple(members), edges, grid, like.dtype)
    data = da.from_array(
        layer, chunks=(BLOCK, 4 * BLOCK), asarray=False, fancy=False, name=False, meta=np.empty((0, 0), like.dtype)
    )
    array = xr.DataArray(data, dims=("y", "x"), coords={"y": grid.y, "x": grid.x}, name=first.name)
    array.attrs = {name: value for name, value in like.attrs.items() if name != "grid_mapping"}
    source = ", ".join(one.source for one, _ in members)
    return Layer(slug(track), first.name, array, grid, source, first.run)


def rank(run: Run, member: Layer) -> xr.DataArray | None:
    """The standard error that chooses where bursts overlap; see `RANKED_BY`."""
    group = member.source.rpartition("/")[2]
    if group not in RANKED_BY:
        return None
    array: xr.DataArray = getattr(run, group)(member.place)[RANKED_BY[group]]
    return array


def joined(grids: Sequence[Grid], *, step: int = 1) -> Grid:
    """The first grid, continued over all of them; every so many pixels of it are one."""
    first = grids[0]
    dx, dy = step * first.dx, step * first.dy
    edges = np.array([bounds(one, first.crs) for one in grids])
    # A hair inside, so that bounds on the lattice stay on it.
    left = np.floor((edges[:, 0].min() - first.left) / dx + 1e-6)
    right = np.ceil((edges[:, 2].max() - first.left) / dx - 1e-6)
    top = np.floor((edges[:, 3].max() - first.top) / dy + 1e-6)
    bottom = np.ceil((edges[:, 1].min() - first.top) / dy - 1e-6)
    return Grid(
        first.crs, first.left + left * dx, first.top + top * dy, dx, dy, int(bottom - top), int(right - left)
    )  # fmt: skip


def bounds(grid: Grid, crs: str) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a grid in a projection."""
    right, bottom = grid.left + grid.dx * grid.width, grid.top + grid.dy * grid.height
    if crs == grid.crs:
        return grid.left, bottom, right, grid.top
    from pyproj import Transformer

    turn = Transformer.from_crs(grid.crs, crs, always_xy=True)
    found: tuple[float, float, float, float] = turn.transform_bounds(
        grid.left, bottom, right, grid.top, densify_pts=_EDGE
    )
    return found


@dataclass(frozen=True)
class _Mosaic:
    """An array (y, x) that reads, of each part asked for, what its members hold there."""

    members: tuple[tuple[Layer, xr.DataArray | None], ...]
    edges: tuple[tuple[float, float, float, float], ...]
    grid: Grid
    dtype: np.dtype[Any]
    ndim: int = 2

    @property
    def shape(self) -> tuple[int, int]:
        return self.grid.height, self.grid.width

    def __getitem__(self, index: tuple[slice, slice]) -> NDArray[Any]:
        rows, columns = (np.arange(size)[part] for part, size in zip(index, self.shape, strict=True))
        floating = np.issubdtype(self.dtype, np.floating)
        out = np.full((rows.size, columns.size), np.nan if floating else 0, self.dtype)
        best = np.full(out.shape, np.inf)
        filled = np.zeros(out.shape, np.bool_)
        left, right = self.grid.x[columns[0]] - self.grid.dx, self.grid.x[columns[-1]] + self.grid.dx
        top, bottom = self.grid.y[rows[0]] - self.grid.dy, self.grid.y[rows[-1]] + self.grid.dy
        for (layer, rank), edge in zip(self.members, self.edges, strict=True):
            if edge[0] > right or edge[2] < left or edge[1] > top or edge[3] < bottom:
                continue
            row, column, inside = _pixels(self.grid, layer.grid, rows, columns)
            if not inside.any():
                continue
            window = _window(row[inside], column[inside])
            place = row[inside] - window[0].start, column[inside] - window[1].start
            values = layer.array[window].values[place]
            known = np.isfinite(values) if floating else np.ones(values.shape, np.bool_)
            error = np.full(values.shape, np.inf) if rank is None else rank[window].values[place].astype(np.float64)
            error = np.where(np.isfinite(error), error, np.inf)
            better = known & ((error < best[inside]) | ~filled[inside])
            where = tuple(axis[better] for axis in np.nonzero(inside))
            out[where], best[where], filled[where] = values[better], error[better], True
        return out


def _window(row: NDArray[np.intp], column: NDArray[np.intp]) -> tuple[slice, slice]:
    return slice(int(row.min()), int(row.max()) + 1), slice(int(column.min()), int(column.max()) + 1)


def _pixels(
    target: Grid, source: Grid, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.bool_]]:
    """Row and column in ``source`` of pixel centres of ``target``, and which lie in it; each (rows, columns)."""
    x, y = np.meshgrid(target.x[columns], target.y[rows])
    x, y = _into(x, y, target.crs, source.crs)
    with np.errstate(invalid="ignore"):
        column, row = (x - source.left) / source.dx, (y - source.top) / source.dy
        inside = (row >= 0) & (row < source.height) & (column >= 0) & (column < source.width)
    filled = (np.where(inside, axis, 0).astype(np.intp) for axis in (row, column))
    return *filled, inside  # type: ignore[return-value]


def _into(x: Float64, y: Float64, here: str, there: str) -> tuple[Float64, Float64]:
    if here == there:
        return x, y
    from pyproj import Transformer

    found = Transformer.from_crs(here, there, always_xy=True).transform(x, y)
    return np.asarray(found[0]), np.asarray(found[1])
