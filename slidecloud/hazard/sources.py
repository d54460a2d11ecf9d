"""What factors are made from: opened and checked once, then asked for one window of the grid after the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_factors import FactorConfig
from slidecloud.hazard import factors, laying
from slidecloud.kernels.density import point_density
from slidecloud.stack.map_files import MapFile
from slidecloud.types import DataError, Grid

Made = dict[str, NDArray[Any]]
_MAP_BYTES: Final = 40
_GROUND_BYTES: Final = 100
"""Of a pixel of a map, and of a map that terrain is computed from."""


class Source(Protocol):
    """Something that one or more factors are made from.

    Attributes
    ----------
    name
        Of the group of its factors.
    grid
        The one grid.
    """

    @property
    def name(self) -> str: ...

    @property
    def grid(self) -> Grid: ...

    def parts(self) -> list[Any]:
        """What the digest of its units covers, as JSON values."""

    def memory(self) -> tuple[float, int]:
        """Bytes for each pixel of a window, and beside them."""

    def classes(self) -> Mapping[int, str]:
        """Names of the categories by their number, where it has categories."""

    def make(self, rows: slice, columns: slice) -> Made:
        """Arrays (y, x) of a window, by name."""


@dataclass(frozen=True)
class Ground:
    """A map of numbers, and the terrain factors that are computed from it."""

    name: str
    grid: Grid
    map: MapFile
    config: FactorConfig
    terrain: tuple[tuple[str, FactorConfig], ...] = ()

    def parts(self) -> list[Any]:
        told = [[name, one.model_dump(mode="json", exclude={"path"})] for name, one in self.terrain]
        return [self.map.fingerprint, self.config.resampling, told]

    def memory(self) -> tuple[float, int]:
        reach = laying.reach(self.map.grid, self.grid) if self.config.resampling else (1, 1)
        each = _GROUND_BYTES if self.terrain else _MAP_BYTES
        # Pixels around a window, however long and narrow it is.
        size = factors.halo([one for _, one in self.terrain], self.grid.dx)
        around = 2 * size * (self.grid.width + self.grid.height + 2 * size)
        return each, each * around + laying.BLOCK_BYTES * reach[0] * reach[1]

    def classes(self) -> Mapping[int, str]:
        return {}

    def make(self, rows: slice, columns: slice) -> Made:
        size = factors.halo([one for _, one in self.terrain], self.grid.dx)
        # The ground around the window comes from the map itself, beyond the grid's border too.
        around = (slice(part.start - size, part.stop + size) for part in (rows, columns))
        ground = laying.lay(self.map, self.grid, *around, how=self.config.resampling)
        made: Made = {self.name: ground[size : ground.shape[0] - size, size : ground.shape[1] - size]}
        return made | factors.terrain(ground, dict(self.terrain), spacing=self.grid.dx, halo=size)


@dataclass(frozen=True)
class CategoryMap:
    """Categories of a map."""

    name: str
    grid: Grid
    map: MapFile
    config: FactorConfig

    def parts(self) -> list[Any]:
        return [self.map.fingerprint, self.config.resampling, sorted(self.classes())]

    def memory(self) -> tuple[float, int]:
        return _MAP_BYTES, laying.BLOCK_BYTES

    def classes(self) -> Mapping[int, str]:
        return self.config.classes or {}

    def make(self, rows: slice, columns: slice) -> Made:
        found = laying.lay(self.map, self.grid, rows, columns, how=self.config.resampling)
        try:
            made = factors.categories(found, self.map.name)
        except ValueError as error:
            raise DataError(str(error)) from None
        unknown = sorted({int(number) for number in np.unique(made)} - {*self.classes(), factors.MISSING})
        if self.classes() and unknown:
            raise DataError(
                f"{self.map.name} holds the category {unknown[0]}, which factors.{self.name}.classes does not name; "
                "add it, or mark it as no data in the map"
            )
        return {self.name: made}


@dataclass(frozen=True)
class Densities:
    """Density of points, those beyond the grid's border included.

    ``points`` (n, 2) are x and y in the grid's CRS.
    """

    name: str
    grid: Grid
    points: tuple[tuple[float, float], ...]
    radius: float

    def parts(self) -> list[Any]:
        return [self.points, self.radius]

    def memory(self) -> tuple[float, int]:
        return 30, 200 * len(self.points)

    def classes(self) -> Mapping[int, str]:
        return {}

    def make(self, rows: slice, columns: slice) -> Made:
        place = np.array(self.points, np.float64).reshape(-1, 2)
        row, column = factors.cell_of(self.grid, place[:, 0], place[:, 1])
        shape = rows.stop - rows.start, columns.stop - columns.start
        away = self.radius / self.grid.dx + 1
        near = (row > rows.start - away) & (row < rows.stop + away)
        near &= (column > columns.start - away) & (column < columns.stop + away)
        found = point_density(
            row[near] - rows.start, column[near] - columns.start, shape=shape,
            spacing=(self.grid.dx, self.grid.dx), radius=self.radius, edge=False,
        )  # fmt: skip
        return {self.name: (1e6 * found).astype(np.float32)}


def known_pixels(values: NDArray[Any]) -> int:
    """Pixels that have a value."""
    return int(factors.is_known(values).sum())
