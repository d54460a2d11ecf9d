"""From pixels of a burst to longitude and latitude."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.types import DataError, Float32, Float64, StackHeader


@dataclass(frozen=True)
class Geocoder:
    """Longitude and latitude of places in a burst.

    Attributes
    ----------
    header
        Of the burst.
    latitude, longitude
        Degrees (y, x) of the pixel centres in radar geometry; None on maps.
    """

    header: StackHeader
    latitude: Float32 | None = None
    longitude: Float32 | None = None

    def __post_init__(self) -> None:
        if self.header.grid is None and (self.latitude is None or self.longitude is None):
            raise DataError(
                f"Burst {self.header.id} is in radar geometry without latitude and longitude, which the stage detect "
                "needs. Ingest them with its stack, or leave detect out of 'stages'."
            )

    def __call__(self, row: Float64, column: Float64) -> tuple[Float64, Float64]:
        """Longitude and latitude, degrees, of places counted in pixels from the outer corner of the first pixel.

        In radar geometry between pixel centres linearly; beyond the outermost centres along the last step.
        """
        if self.header.grid is None:
            return self._between(self.longitude, row, column), self._between(self.latitude, row, column)
        from pyproj import CRS, Transformer

        grid = self.header.grid
        turn = Transformer.from_crs(CRS.from_user_input(grid.crs), "EPSG:4326", always_xy=True)
        longitude, latitude = turn.transform(grid.left + grid.dx * column, grid.top + grid.dy * row)
        return np.asarray(longitude), np.asarray(latitude)

    def corners(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the burst, degrees."""
        height, width = self.header.shape
        row, column = np.meshgrid(np.linspace(0, height, 9), np.linspace(0, width, 9))
        longitude, latitude = self(row.ravel(), column.ravel())
        known = np.isfinite(longitude) & np.isfinite(latitude)
        if not known.any():
            raise DataError(f"Burst {self.header.id} has no finite longitude and latitude; ingest its stack again.")
        return (
            float(longitude[known].min()),
            float(latitude[known].min()),
            float(longitude[known].max()),
            float(latitude[known].max()),
        )

    def _between(self, values: Any, row: Float64, column: Float64) -> Float64:
        height, width = self.header.shape
        top, down = _step(np.asarray(row) - 0.5, height)
        left, right = _step(np.asarray(column) - 0.5, width)
        below, beside = min(1, height - 1), min(1, width - 1)
        v = values.astype(np.float64)
        upper = v[top, left] * (1 - right) + v[top, left + beside] * right
        lower = v[top + below, left] * (1 - right) + v[top + below, left + beside] * right
        found: Float64 = upper * (1 - down) + lower * down
        return found


def _step(position: Float64, size: int) -> tuple[Any, Float64]:
    """The pixel before a position, as far as another follows, and how far the position lies beyond it."""
    before = np.clip(np.floor(position), 0, max(size - 2, 0)).astype(np.intp)
    return before, position - before
