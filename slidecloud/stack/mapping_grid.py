"""The grid of a plain stack: from coordinates of pixel centres and the coordinate system of the file."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from slidecloud.config_mapping import MappingConfig
from slidecloud.stack.grids import TOLERANCE
from slidecloud.stack.mapping_data import PlainData
from slidecloud.types import DataError, Grid

_DEGREES = ("degrees_north", "degrees_east", "degree_north", "degree_east", "degrees", "degree")


def lattice(data: PlainData, chosen: MappingConfig) -> tuple[Grid | None, tuple[int, int], PlainData]:
    """Grid (None in radar geometry), shape, and the data with the way its rows and columns run.

    Raises
    ------
    DataError
        If coordinates are missing or uneven, or the coordinate system cannot be told.
    """
    first = chosen.phase.unwrapped or chosen.phase.wrapped or ""
    sizes = data.variable(first, ("pair", "y", "x"), "phase").sizes
    shape = sizes[data.axes.y], sizes[data.axes.x]
    others = (chosen.phase.wrapped, chosen.coherence.variable)
    for name in filter(None, others):
        found = data.variable(name, ("pair", "y", "x"), "values").sizes
        if dict(found) != dict(sizes):
            raise DataError(
                f"{data.name}: {name} has the sizes {dict(found)}, expected {dict(sizes)} like {first}: write it again"
            )
    if chosen.geometry == "radar":
        return None, shape, data
    (top, dy), (left, dx) = (_axis(data, name) for name in ("y", "x"))
    turned = dataclasses.replace(data, northward=dy > 0, westward=dx < 0)
    top = top + dy * shape[0] if dy > 0 else top
    left = left + dx * shape[1] if dx < 0 else left
    return Grid(_crs(data, chosen, first), left, top, abs(dx), -abs(dy), *shape), shape, turned


def _axis(data: PlainData, dim: str) -> tuple[float, float]:
    """Outer corner of the first pixel, and step."""
    name = str(getattr(data.axes, dim))
    centres = np.asarray(data.values(name, dim, f"coordinates of pixel centres along {dim}"))
    if centres.dtype.kind not in "fiu" or len(centres) < 2:
        raise DataError(
            f"{data.name}: {name} has {len(centres)} values of {centres.dtype}, expected at least two coordinates: "
            "write the centres of pixels, or give geometry: radar in the mapping"
        )
    values = centres.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite coordinates are named below
        step = (values[-1] - values[0]) / (len(values) - 1)
        away = np.abs(values - values[0] - step * np.arange(len(values)))
    if not (np.isfinite(step) and step != 0 and float(away.max()) <= TOLERANCE * abs(step)):
        raise DataError(f"{data.name}: {name} does not go in equal steps, expected a regular grid: resample it")
    return float(values[0] - step / 2), float(step)


def _crs(data: PlainData, chosen: MappingConfig, first: str) -> str:
    """The coordinate system: of the mapping, of the grid mapping of the file, or degrees by the units."""
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    said: Any = chosen.crs
    if said is None:
        dataset = data.dataset()
        own = {**dataset[first].attrs, **dataset[first].encoding}
        name = own.get("grid_mapping", "spatial_ref")
        attributes = dataset[name].attrs if isinstance(name, str) and name in dataset.variables else {}
        said = attributes.get("crs_wkt") or attributes.get("spatial_ref") or attributes.get("epsg_code")
    if said is None and data.dataset()[data.axes.x].attrs.get("units") in _DEGREES:
        said = "EPSG:4326"
    if said is None:
        raise DataError(f"{data.name} has no grid mapping with crs_wkt, expected one: give crs in the mapping")
    try:
        found = CRS.from_user_input(int(said) if str(said).isdigit() else str(said))
    except (CRSError, ValueError) as error:
        raise DataError(
            f"{data.name}: the coordinate system {str(said)[:60]!r} is not known, expected one such as EPSG:32633: "
            "correct crs in the mapping"
        ) from error
    code = found.to_epsg()
    return f"EPSG:{code}" if code else str(found.to_wkt())
