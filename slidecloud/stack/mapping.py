"""Any plain Zarr store or NetCDF file of interferograms, by a mapping that says which variable is what.

Dimensions may stand in any order, rows may run north, phase may be in cycles and of either sign, dates may be times,
numbers or texts; xarray decodes scale factors and fill values. See `slidecloud.config_mapping` for the mapping.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from slidecloud.config_mapping import MappingConfig
from slidecloud.kernels.phase import wrap
from slidecloud.stack.blocks import pair_block, refuse_empty
from slidecloud.stack.geometry import checked_elevation, checked_look_vectors, flight_pass, heading_of
from slidecloud.stack.geotiff import by_key
from slidecloud.stack.grids import spacing
from slidecloud.stack.mapping_data import PlainData, open_plain
from slidecloud.stack.mapping_file import load_mapping
from slidecloud.stack.mapping_grid import lattice
from slidecloud.stack.mapping_pairs import mapped_pairs
from slidecloud.stack.source import SourceWarning, check_id, row_range
from slidecloud.store.location import Location, locate
from slidecloud.types import DataError, Float32, PairBlock, Rejected, SourcePair, StackHeader


@dataclass(frozen=True)
class MappedSource:
    """Pairs of a plain stack; see `slidecloud.stack.source.Source`. ``layers``: place along pairs by key."""

    header: StackHeader
    pairs: tuple[SourcePair, ...]
    rejected: tuple[Rejected, ...]
    data: PlainData
    mapping: MappingConfig
    layers: dict[str, int]

    def static(self) -> dict[str, Float32]:
        """Elevation, incidence, look vectors and coordinates, as far as the mapping names them."""
        name, view, maps = self.data.name, self.mapping.view, {}
        if self.mapping.maps.elevation is not None:
            maps["elevation"] = checked_elevation(self._map(self.mapping.maps.elevation), f"{name}: elevation")
        if view.los_east is not None and view.los_north is not None and view.los_up is not None:
            east, north, up = (self._map(part) for part in (view.los_east, view.los_north, view.los_up))
            side = self.header.pass_, self.header.look_direction
            maps |= checked_look_vectors(
                east, north, up, pass_=side[0], look_direction=side[1], name=f"{name}: {view.los_east}"
            )
        elif view.incidence is not None:
            maps["incidence"] = self._incidence(view.incidence)
        for key in ("latitude", "longitude"):
            variable = getattr(self.mapping.maps, key)
            if variable is not None and self.header.geometry == "radar":
                maps[key] = self._map(variable)
        return maps

    def read(self, pair: SourcePair, rows: slice) -> PairBlock:
        """Rows of one pair, full width; see `slidecloud.stack.source.Source.read`."""
        key, height = pair.pair.key, self.header.shape[0]
        if key not in self.layers:
            raise KeyError(f"pair {key} is not in stack {self.header.id}: take one of source.pairs")

        def read(start: int, stop: int) -> PairBlock:
            return self._read(self.layers[key], start, stop)

        return refuse_empty(read(*row_range(rows, height)), read, height, name=f"{self.data.name}: pair {key}")

    def _read(self, layer: int, start: int, stop: int) -> PairBlock:
        phase, chosen = self.mapping.phase, self.mapping.coherence
        names = tuple(f"{self.data.name}: {name}" for name in (phase.wrapped, phase.unwrapped, chosen.variable))
        coherence = self.data.layer(chosen.variable, start, stop, pair=layer)
        unwrapped = None if phase.unwrapped is None else self._phase(phase.unwrapped, layer, start, stop)
        wrapped = None if phase.wrapped is None else self._phase(phase.wrapped, layer, start, stop)
        if wrapped is not None and float(np.nanmax(np.abs(wrapped), initial=0)) <= 2 * np.pi + 1e-3:
            wrapped = wrap(wrapped)  # files may count from 0 to 2 pi
        scaled = (coherence / np.float32(chosen.maximum)).astype(np.float32)
        return pair_block(wrapped, unwrapped, scaled, names=names, keep_unwrapped=self.header.has_unwrapped)  # type: ignore[arg-type]

    def _phase(self, variable: str, layer: int, start: int, stop: int) -> Float32:
        """Radians, positive away, NaN for no data."""
        phase = self.mapping.phase
        values = self.data.layer(variable, start, stop, pair=layer)
        sign = 1 if phase.positive == "away" else -1
        if values.dtype.kind == "c":
            return np.where(values == 0, np.nan, sign * np.angle(values)).astype(np.float32)
        factor = sign * (2 * np.pi if phase.unit == "cycles" else 1.0)
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which the check of values names
            scaled = (values.astype(np.float64) * factor).astype(np.float32)
        return np.where(values == 0, np.float32(np.nan), scaled) if phase.zero_is_nodata else scaled

    def _map(self, variable: str) -> Float32:
        return np.asarray(self.data.layer(variable, 0, self.header.shape[0]), np.float32)

    def _incidence(self, given: str | float) -> Float32:
        values = np.full(self.header.shape, given, np.float32) if isinstance(given, float) else self._map(given)
        radians = np.deg2rad(values) if self.mapping.view.unit == "degrees" else values
        known = radians[np.isfinite(radians)]
        if not known.size or not 0 <= float(known.min()) <= float(known.max()) < math.pi / 2:
            found = f"{known.min():.4g} to {known.max():.4g} rad" if known.size else "nothing"
            raise DataError(
                f"{self.data.name}: incidence is {found}, expected 0 to 1.57 rad: check view.unit of the mapping"
            )
        return radians.astype(np.float32)


def open_mapped(
    path: str | os.PathLike[str] | Location,
    mapping: str | MappingConfig,
    *,
    id: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> MappedSource:
    """Open a plain Zarr store or NetCDF file.

    Parameters
    ----------
    path
        The store or file, here or in a bucket.
    mapping
        What it holds, or the YAML or JSON file that says so.
    id
        Name of the stack; the name of the store without ending, in lower case, if not given.
    storage_options
        Options of the object store of a URL; see `slidecloud.store.location.Location`.

    Raises
    ------
    FileNotFoundError
        If data or mapping are missing.
    ConfigError
        If the mapping is wrong in itself.
    DataError
        If the data does not hold what the mapping says, or no pair can be used.
    ValueError
        If the id cannot name a stack.

    Warns
    -----
    SourceWarning
        If neither incidence nor look vectors are named.
    """
    place = locate(path, storage_options)
    chosen = load_mapping(mapping) if isinstance(mapping, str) else mapping
    stack_id = check_id(Path(place.name).stem.lower() if id is None else id, origin="id")
    data = open_plain(place, chosen.axes)
    for variable in filter(None, (chosen.phase.wrapped, chosen.phase.unwrapped, chosen.coherence.variable)):
        _check_kind(data, variable, complex_too=variable == chosen.phase.wrapped)
    grid, shape, data = lattice(data, chosen)
    pairs, layers, rejected = mapped_pairs(data, chosen)
    if not pairs:
        first = f" The first: {rejected[0].reason}" if rejected else ""
        raise DataError(f"{data.name}: none of {len(rejected)} pairs can be used, expected at least one.{first}")
    view = chosen.view
    if view.incidence is None and view.los_up is None:
        text = f"{data.name}: the mapping names neither view.incidence nor view.los_east, los_north, los_up: add them"
        warnings.warn(text, SourceWarning, stacklevel=2)
    looks = view.looks[0] * view.looks[1]
    heading = view.heading if view.heading is not None else _heading(data, chosen, shape)
    header = StackHeader(
        id=stack_id,
        geometry=chosen.geometry,
        shape=shape,
        spacing=spacing(grid) if grid is not None else view.spacing or (math.nan, math.nan),
        wavelength=view.wavelength,
        range_looks=view.looks[1],
        azimuth_looks=view.looks[0],
        effective_looks=view.effective_looks or max(1.0, looks / 2),
        heading=heading,
        look_direction=view.look_direction,
        pass_=flight_pass(heading),
        slant_range=view.slant_range or math.nan,
        source=chosen.source,
        processor="unknown",
        filtered=chosen.filtered,
        has_unwrapped=chosen.phase.unwrapped is not None,
        grid=grid,
    )
    return MappedSource(header, pairs, by_key(rejected), data, chosen, layers)


def _heading(data: PlainData, chosen: MappingConfig, shape: tuple[int, int]) -> float:
    """From the look vectors of the middle row."""
    row = shape[0] // 2
    east, north = (
        np.asarray(data.layer(str(name), row, row + 1), np.float32)
        for name in (chosen.view.los_east, chosen.view.los_north)
    )
    if not (np.isfinite(east) & np.isfinite(north)).any():
        raise DataError(f"{data.name}: {chosen.view.los_east} has no data in the middle: give view.heading")
    heading = heading_of(east, north)
    return heading if chosen.view.look_direction == "right" else (heading + 360) % 360 - 180


def _check_kind(data: PlainData, variable: str, *, complex_too: bool) -> None:
    found: Any = data.variable(variable, ("pair", "y", "x"), "values (pair, y, x)")
    dtype: np.dtype[Any] = found.dtype
    if dtype.kind not in ("fiuc" if complex_too else "fiu"):
        raise DataError(f"{data.name}: {variable} holds {dtype}, expected numbers: write it as floating point")
