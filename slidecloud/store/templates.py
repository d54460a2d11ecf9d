"""Templates: the metadata and coordinates of a group, made from the schema before any data is written."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec, Crc32cCodec
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import ZarrUserWarning
from zarr.storage import MemoryStore

from slidecloud import __version__
from slidecloud.store import records
from slidecloud.store.location import Location
from slidecloud.store.schema import PAIR_BATCH, SPATIAL_CHUNK, ArraySpec
from slidecloud.types import Grid

SOFTWARE = f"slidecloud {__version__}"
STAGE = "template"

Sizes = Mapping[str, int]


def group(
    specs: tuple[ArraySpec, ...],
    sizes: Sizes,
    *,
    path: str,
    attributes: Mapping[str, Any],
    coordinates: Mapping[str, NDArray[Any]],
    grid: Grid | None,
    chunks: Mapping[str, int] | None = None,
) -> dict[str, bytes]:
    """All objects of an empty group: its metadata, and the coordinates with their values.

    Parameters
    ----------
    specs
        Arrays to create.
    sizes
        Length of each dimension.
    path
        Path of the group in the store; "" is the root.
    attributes
        Attributes of the group.
    coordinates
        Values of the arrays that are known beforehand, by name.
    grid
        Map grid, for ``x``, ``y`` and ``spatial_ref``; None leaves them out.
    chunks
        Chunk length by dimension where it differs from the schema's. A series, whose chunks are smaller in space, then
        takes the greatest common divisor, so that tiles of whole map chunks stay whole series chunks.

    Returns
    -------
    dict
        Bytes by key in the store.
    """
    memory = MemoryStore()
    root = zarr.create_group(memory, path=path, attributes=dict(attributes), zarr_format=3)
    if grid is not None:
        _georeference(root, grid)
    for spec in specs:
        _array(root, spec, sizes, chunks or {}, mapped=grid is not None)
    for name, values in coordinates.items():
        whole = root[name].with_config({"write_empty_chunks": True})  # type: ignore[union-attr]
        whole[...] = values
    if specs:
        _consolidate(memory, path)
    return _objects(memory, path)


def consolidated(objects: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same objects, with all metadata repeated in that of the root.

    Readers then open the whole tree with one request, and need not list a folder that also holds our records.
    """
    memory = MemoryStore({key: default_buffer_prototype().buffer.from_bytes(data) for key, data in objects.items()})
    _consolidate(memory, "")
    return _objects(memory, "")


def ensure(location: Location, unit: str, objects: Mapping[str, bytes], *, keep_older: bool = False) -> bool:
    """Write a template where it is not there yet, with its record; False where it was.

    Objects that already hold the same bytes are left alone, so growing a dimension touches no chunk. The older record
    goes first, so that none speaks of other bytes; ``keep_older`` leaves it until the new one is written, where it is
    all that tells an interrupted append from a fresh start.
    """
    checksums, key = _checksums(objects), key_of(unit, objects)
    if records.read(location, key) is not None:
        records.withdraw_others(location, key)
        return False
    if not keep_older:
        records.withdraw_others(location, key)
    present = location.read_many(objects)
    location.write_many({name: data for name, data in sorted(objects.items()) if present.get(name) != data})
    records.write(location, records.Record(key, checksums, SOFTWARE))
    records.withdraw_others(location, key)
    return True


def key_of(unit: str, objects: Mapping[str, bytes]) -> records.Key:
    """Key of the record of a template with these objects."""
    return records.Key(STAGE, unit, records.digest(_checksums(objects)))


def _checksums(objects: Mapping[str, bytes]) -> dict[str, str]:
    return {key: records.checksum(data) for key, data in objects.items()}


def compressors() -> tuple[BloscCodec, Crc32cCodec]:
    """Codecs of every array: fast compression, and a checksum that turns a flipped byte into an error on reading."""
    return (BloscCodec(cname="lz4", clevel=5, shuffle="bitshuffle"), Crc32cCodec())


def _array(root: zarr.Group, spec: ArraySpec, sizes: Sizes, overrides: Sizes, *, mapped: bool) -> None:
    shape = tuple(sizes[dim] for dim in spec.dims)
    chunks = tuple(_chunk(spec, number, sizes, overrides) for number in range(len(shape)))
    attributes = {"units": spec.units, "long_name": spec.long_name, **spec.attributes}
    if mapped and spec.dims[-2:] == ("y", "x"):
        attributes["grid_mapping"] = "spatial_ref"
    root.create_array(
        spec.name,
        shape=shape,
        chunks=chunks,
        dtype=spec.dtype,
        fill_value=spec.fill,
        dimension_names=spec.dims,
        attributes=attributes,
        compressors=compressors() if shape else None,
    )


def _chunk(spec: ArraySpec, number: int, sizes: Sizes, overrides: Sizes) -> int:
    dim, chunk = spec.dims[number], spec.chunks[number]
    if chunk is None:
        return max(1, sizes[dim])
    if dim not in overrides:
        return chunk
    whole = {"pair": PAIR_BATCH, "y": SPATIAL_CHUNK[0], "x": SPATIAL_CHUNK[1]}[dim]
    return overrides[dim] if chunk == whole else math.gcd(chunk, overrides[dim])


def _georeference(root: zarr.Group, grid: Grid) -> None:
    from pyproj import CRS

    crs = CRS.from_user_input(grid.crs)
    gdal = [grid.left, grid.dx, 0.0, grid.top, 0.0, grid.dy]
    with warnings.catch_warnings():
        # A CRS without a CF equivalent still carries its WKT.
        warnings.simplefilter("ignore", UserWarning)
        mapping = {name: value for name, value in crs.to_cf().items() if _is_json(value)}
    mapping["GeoTransform"] = " ".join(repr(value) for value in gdal)
    array = root.create_array(
        "spatial_ref", shape=(), dtype="int32", fill_value=0, dimension_names=(), attributes=mapping, compressors=None
    )
    array.with_config({"write_empty_chunks": True})[...] = np.int32(0)
    for name, values in (("x", grid.x), ("y", grid.y)):
        axis = root.create_array(
            name,
            shape=values.shape,
            chunks=values.shape,
            dtype="float64",
            fill_value=np.nan,
            dimension_names=(name,),
            attributes=_axis(name, geographic=crs.is_geographic),
            compressors=compressors(),
        )
        axis[...] = values
    root.update_attributes(georeference(grid))


def georeference(grid: Grid) -> dict[str, Any]:
    """Attributes of a group that tell where its maps lie, in the conventions ``proj:`` and ``spatial:``."""
    from pyproj import CRS

    crs = CRS.from_user_input(grid.crs)
    bottom, right = grid.top + grid.dy * grid.height, grid.left + grid.dx * grid.width
    return {
        "zarr_conventions": [
            convention("proj", "f17cb550-5864-4468-aeb7-f3180cfb622f", "Coordinate reference system"),
            convention("spatial", "689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "Spatial coordinates"),
        ],
        "proj:code": ":".join(crs.to_authority() or ("WKT", "0")),
        "proj:wkt2": crs.to_wkt(),
        "spatial:dimensions": ["y", "x"],
        "spatial:transform": [grid.dx, 0.0, grid.left, 0.0, grid.dy, grid.top],
        "spatial:shape": [grid.height, grid.width],
        "spatial:bbox": [grid.left, bottom, right, grid.top],
        "spatial:registration": "pixel",
    }


def _axis(name: str, *, geographic: bool) -> dict[str, Any]:
    if geographic:
        long_name, units = {"x": ("longitude", "degrees_east"), "y": ("latitude", "degrees_north")}[name]
        return {"standard_name": long_name, "long_name": long_name, "units": units, "axis": name.upper()}
    direction = {"x": "easting", "y": "northing"}[name]
    return {
        "standard_name": f"projection_{name}_coordinate",
        "long_name": f"{direction} of the pixel centre",
        "units": "m",
        "axis": name.upper(),
    }


def convention(name: str, uuid: str, description: str) -> dict[str, str]:
    """An entry of ``zarr_conventions``."""
    base = f"https://github.com/zarr-conventions/{name}/blob/v0.1"
    return {"name": name, "uuid": uuid, "spec_url": f"{base}/README.md", "description": description}


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _consolidate(memory: MemoryStore, path: str) -> None:
    with warnings.catch_warnings():
        # Not part of the Zarr v3 specification yet; readers that do not know it ignore it.
        warnings.simplefilter("ignore", ZarrUserWarning)
        zarr.consolidate_metadata(memory, path=path, zarr_format=3)


def _objects(memory: MemoryStore, path: str) -> dict[str, bytes]:
    async def collect() -> dict[str, bytes]:
        prototype = default_buffer_prototype()
        found: dict[str, bytes] = {}
        async for key in memory.list():
            if path and not key.startswith(f"{path}/"):
                continue  # metadata of the parents belongs to their own template
            data = await memory.get(key, prototype)
            if data is not None:
                found[key] = data.to_bytes()
        return found

    found: dict[str, bytes] = sync(collect())
    return found
