"""Deformation and inventory of a run as factors of hazard: of one track, levelled, with standard errors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr

from slidecloud.config_factors import FactorConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.laying import Window
from slidecloud.hazard.sources import Made
from slidecloud.kernels.sampling import at_places
from slidecloud.pipeline import timeseries
from slidecloud.stack.warped import pixels_under
from slidecloud.store import open_run, records, seams
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import PREFERRED_INTEGRATED
from slidecloud.store.runs import Run
from slidecloud.types import Float32, Float64, Grid, StackHeader, track_of

_KINDS: Final = ("los_rate", "los_displacement")
_MARGIN: Final = 2
"""Pixels of the grid by which the place of a series is taken to be larger."""


@dataclass(frozen=True)
class Piece:
    """A series of the run: of a burst or a patch of one, and rows and columns of the grid that it may cover."""

    burst: str
    patch: str | None
    header: StackHeader
    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class Motion:
    """Rate or cumulative displacement along the line of sight of one track; of several series the smallest sigma.

    ``ends`` is the last day that has a part in it.
    """

    name: str
    grid: Grid
    run: Location
    config: FactorConfig
    pieces: tuple[Piece, ...]
    inputs: tuple[tuple[str, str], ...]
    ends: str

    def parts(self) -> list[Any]:
        told = self.config.model_dump(mode="json", include={"kind", "until"})
        return [told, [[one.burst, one.patch] for one in self.pieces], self.inputs]

    def memory(self) -> tuple[float, int]:
        largest = max(math.prod(one.header.shape) for one in self.pieces)
        return 140, 300 * largest

    def classes(self) -> Mapping[int, str]:
        return {}

    def make(self, rows: slice, columns: slice) -> Made:
        shape = rows.stop - rows.start, columns.stop - columns.start
        value, sigma = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        run = open_run(self.run).levelled()
        for one in self.pieces:
            if one.bottom <= rows.start or one.top >= rows.stop:
                continue
            if one.right <= columns.start or one.left >= columns.stop:
                continue
            found, error = self._laid(run, one, rows, columns)
            better = np.isfinite(found) & ~(error >= sigma)
            value[better], sigma[better] = found[better], error[better]
        return {self.name: value, f"{self.name}_sigma": sigma}

    def _laid(self, run: Run, one: Piece, rows: slice, columns: slice) -> tuple[Float32, Float32]:
        series = run.timeseries(one.burst, one.patch)
        grid = one.header.grid
        source = grid or tuple(np.asarray(series[axis].values, np.float32) for axis in ("latitude", "longitude"))
        window: Any = Window(self.grid, rows, columns)
        row, column = pixels_under(window, source)  # type: ignore[arg-type]
        reach = tuple(max(1, round(self.grid.dx / step)) for step in one.header.spacing)
        name = self.config.kind
        values = _rate(series) if name == "los_rate" else _displacement(series, self.config)
        found, error = (at_places(part, row, column, reach=(reach[0], reach[1])) for part in values)
        return found, error


def motions(configs: Mapping[str, FactorConfig], run: Location, grid: Grid) -> list[Motion]:
    """Sources of all factors of deformation, opened and checked.

    Raises
    ------
    ConfigError
        If the run has no series, several tracks and none is named, none of the track that is named, or none on the
        grid; names the tracks.
    """
    asked = {name: one for name, one in sorted(configs.items()) if one.kind in _KINDS}
    if not asked:
        return []
    opened = open_run(run)
    places = list(opened.series_places())
    stages = (timeseries.STAGE, seams.STAGE)
    inputs = tuple(sorted((f"{key.stage}/{key.unit}", key.digest) for key in records.done(run) if key.stage in stages))
    found = []
    for name, one in asked.items():
        track = _track(f"factors.{name}", one.track, sorted({track_of(header) for _, _, header in places}), run)
        pieces = tuple(
            piece
            for burst, patch, header in places
            if track_of(header) == track and (piece := _piece(opened, burst, patch, header, grid)) is not None
        )
        if not pieces:
            raise ConfigError(f"factors.{name}: no series of track {track} in {run} lies within the grid's bounds.")
        ends = max(_last(opened.timeseries(one_.burst, one_.patch), one) for one_ in pieces)
        found.append(Motion(name, grid, run, one, pieces, inputs, ends))
    return found


def inventory_places(run: Location, grid: Grid) -> Float64:
    """Centres of a run's landslides in the grid's CRS, (n, 2)."""
    from pyproj import Transformer

    table = open_run(run).inventory
    east, north = ((table[low] + table[high]).to_numpy() / 2 for low, high in (("west", "east"), ("south", "north")))
    x, y = Transformer.from_crs("EPSG:4326", grid.crs, always_xy=True).transform(east, north)
    return np.column_stack([x, y])


def _track(key: str, asked: str | None, known: Sequence[str], run: Location) -> str:
    if asked is None and len(known) == 1:
        return known[0]
    if asked in known and asked is not None:
        return asked
    said = "names no track" if asked is None else f"names the track {asked!r}"
    raise ConfigError(f"{key} {said}; {run} has displacement of {', '.join(known) or 'none'}. Tracks are never mixed.")


def _piece(run: Run, burst: str, patch: str | None, header: StackHeader, grid: Grid) -> Piece | None:
    """A series with its place on the grid; None beside it."""
    from pyproj import CRS, Transformer

    crs = CRS.from_user_input(grid.crs)
    own = header.grid
    if own is not None:
        turn = Transformer.from_crs(CRS.from_user_input(own.crs), crs, always_xy=True)
        bounds = own.left, own.top + own.dy * own.height, own.left + own.dx * own.width, own.top
        west, south, east, north = turn.transform_bounds(*bounds)
    else:
        series = run.timeseries(burst, patch)
        turn = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
        x, y = turn.transform(series["longitude"].values.astype(float), series["latitude"].values.astype(float))
        x, y = (np.where(np.isfinite(axis), axis, np.nan) for axis in (x, y))
        west, south, east, north = np.nanmin(x), np.nanmin(y), np.nanmax(x), np.nanmax(y)
    top, bottom = math.floor((north - grid.top) / grid.dy), math.ceil((south - grid.top) / grid.dy)
    left, right = math.floor((west - grid.left) / grid.dx), math.ceil((east - grid.left) / grid.dx)
    if bottom <= 0 or right <= 0 or top >= grid.height or left >= grid.width:
        return None
    return Piece(burst, patch, header, top - _MARGIN, bottom + _MARGIN, left - _MARGIN, right + _MARGIN)


def _rate(series: xr.Dataset) -> tuple[Float32, Float32]:
    """Velocity of the smaller expected error, and its standard error."""
    integrated = "preferred" in series and int(series["preferred"]) == PREFERRED_INTEGRATED
    name = "velocity_integrated" if integrated else "velocity"
    return np.asarray(series[name].values), np.asarray(series[f"{name}_sigma"].values)


def _displacement(series: xr.Dataset, config: FactorConfig) -> tuple[Float32, Float32]:
    """Displacement from the first date to the last that counts, and its standard error."""
    last = int(np.flatnonzero(_counts(series, config))[-1])
    names = ("displacement", "displacement_sigma")
    value, sigma = (np.asarray(series[name].isel(time=last).values) for name in names)
    return value, sigma


def _counts(series: xr.Dataset, config: FactorConfig) -> Any:
    days = series["time"].values.astype("datetime64[D]")
    counts = days <= np.datetime64(config.until) if config.until is not None else days == days
    if counts.sum() < 2:
        raise ConfigError(f"until is {config.until}, and displacement begins on {days[0]}; give a later day.")
    return counts


def _last(series: xr.Dataset, config: FactorConfig) -> str:
    return str(series["time"].values.astype("datetime64[D]")[_counts(series, config)][-1])
