"""Windows of the hazard grid: what is read of it, and the basins that lie in a tile."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_units import UnitsConfig
from slidecloud.hazard.facing import Facing, facing, halo, smoothing_of
from slidecloud.kernels.slope_units import extents
from slidecloud.pipeline.tiles import Tile
from slidecloud.store.arrays import read, reader
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location
from slidecloud.store.unit_specs import BASINS
from slidecloud.types import DataError, Grid

_EDGES = ("top", "bottom", "left", "right")


def read_window(location: Location, group: str, name: str, window: Tile) -> NDArray[Any]:
    """An array of a group inside a window."""
    found = reader(location, group)[name]
    return read(found, (window.rows, window.columns))  # type: ignore[arg-type]


def smoothing(config: UnitsConfig) -> float:
    """Standard deviation, m, of the Gaussian that slopes are averaged over."""
    return smoothing_of(config.least_area) if config.smoothing is None else config.smoothing


def facing_in(location: Location, config: UnitsConfig, grid: Grid, window: Tile, *, smooth: bool = True) -> Facing:
    """Which way the ground of a window faces; its slopes are averaged unless each cell is asked for by itself."""
    spacing = (-grid.dy, grid.dx)
    width = smoothing(config) if smooth else 0.0
    around = halo(spacing, width)
    wide = window.padded(around, around, (grid.height, grid.width))
    elevation = read_window(location, FACTORS, config.elevation, wide)
    found = facing(elevation, spacing=spacing, flat=math.radians(config.flat), smoothing=width)
    top, left = window.top - wide.top, window.left - wide.left
    return Facing(found.aspect[top : window.bottom - wide.top, left : window.right - wide.left])


@dataclass(frozen=True)
class Basins:
    """Basins by their numbers, which ascend: rows and columns of each, half-open, int32 (basin,)."""

    basin: NDArray[np.int32]
    top: NDArray[np.int32]
    bottom: NDArray[np.int32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    @classmethod
    def found(cls, basin: NDArray[np.int32]) -> Basins:
        """The basins of a whole map, each named after its first cell; 0 is none."""
        names, edges = extents(basin)
        return cls(names, *edges.T)

    @classmethod
    def stored(cls, location: Location) -> Basins:
        """The basins that `encoded` was written of."""
        data = location.read(BASINS)
        if data is None:
            raise DataError(
                f"{BASINS} is missing from {location} though basins were found. Run 'slidecloud verify {location} "
                "--repair', and then 'slidecloud hazard units' again."
            )
        from pyarrow import parquet

        found = parquet.read_table(io.BytesIO(data))
        return cls(*(found[name].to_numpy() for name in ("basin", *_EDGES)))

    def encoded(self) -> bytes:
        """As Parquet."""
        import pyarrow as pa
        from pyarrow import parquet

        buffer = io.BytesIO()
        parquet.write_table(pa.table({name: getattr(self, name) for name in ("basin", *_EDGES)}), buffer)
        return buffer.getvalue()

    def numbered(self, names: NDArray[np.int32]) -> Basins:
        """Those with these numbers."""
        return self._chosen(np.searchsorted(self.basin, names))

    def begun_in(self, tile: Tile, width: int) -> Basins:
        """Those whose first cell lies in a tile of a grid so many columns wide."""
        row, column = np.divmod(self.basin - 1, width)
        inside = (row >= tile.top) & (row < tile.bottom) & (column >= tile.left) & (column < tile.right)
        return self._chosen(np.flatnonzero(inside))

    def window(self, shape: tuple[int, int], *, halo: int = 1) -> Tile:
        """What holds all of them, and the neighbours of their cells inside the grid."""
        whole = Tile(int(self.top.min()), int(self.bottom.max()), int(self.left.min()), int(self.right.max()))
        return whole.padded((halo, halo), (halo, halo), shape)

    def _chosen(self, index: NDArray[np.intp]) -> Basins:
        return Basins(*(getattr(self, name)[index] for name in ("basin", *_EDGES)))
