"""Burst stacks: their template, their batches, and the way they open."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import xarray as xr
import zarr
from numpy.typing import NDArray

from slidecloud.store import records, templates
from slidecloud.store.arrays import read, reader, zarr_store
from slidecloud.store.location import Location, locate
from slidecloud.store.schema import SCHEMA_VERSION, STACK, STATIC
from slidecloud.types import DataError, Grid, Pair, PairBlock, StackHeader

INGEST = "ingest"
SLC_KIND = "SLC stack"
REMEDY = "slidecloud ingest SOURCE STACKS"


def stack_template(
    header: StackHeader,
    pairs: Sequence[Pair],
    static: Mapping[str, NDArray[np.float32]],
    *,
    chunks: tuple[int, int, int],
    path: str = "",
) -> dict[str, bytes]:
    """Objects of an empty burst stack with its times, baselines and static maps; chunks are pairs, rows, columns."""
    leave_out = {spec.name for spec in STACK if spec.optional and spec.name not in static}
    if header.has_unwrapped:
        leave_out -= {"unwrapped"}
    specs = tuple(spec for spec in STACK if spec.name not in leave_out)
    height, width = header.shape
    coordinates: dict[str, NDArray[Any]] = {
        "reference_time": _seconds([pair.reference for pair in pairs]),
        "secondary_time": _seconds([pair.secondary for pair in pairs]),
        "perpendicular_baseline": np.array([pair.perpendicular_baseline for pair in pairs], np.float32),
        **static,
    }
    return templates.group(
        specs,
        {"pair": len(pairs), "y": height, "x": width},
        path=path,
        attributes={
            **header_attributes(header, kind=Stack.KIND),
            "coordinates": "reference_time secondary_time perpendicular_baseline",
        },
        coordinates=coordinates,
        grid=header.grid,
        chunks={"pair": chunks[0], "y": chunks[1], "x": chunks[2]},
    )


def header_attributes(header: StackHeader, *, kind: str) -> dict[str, Any]:
    """Root attributes of a stack."""
    fields = dataclasses.asdict(header)
    fields["pass"] = fields.pop("pass_")
    fields["kind"] = kind
    fields["schema_version"] = SCHEMA_VERSION
    if not np.isfinite(header.slant_range):
        fields["slant_range"] = None
    return fields


def header_from(attributes: Mapping[str, Any]) -> StackHeader:
    """The header back from root attributes.

    Raises
    ------
    DataError
        If its id could not name a stack: ids become folders.
    """
    if not re.fullmatch(r"[a-z0-9_]{1,64}", str(attributes.get("id"))):
        raise DataError(
            f"The stack says that its id is {attributes.get('id')!r}; expected 1 to 64 lower-case letters, digits or "
            "underscores. Ingest it again."
        )
    fields = {field.name: attributes.get(field.name) for field in dataclasses.fields(StackHeader)}
    fields["pass_"] = attributes["pass"]
    fields["shape"] = tuple(attributes["shape"])
    fields["spacing"] = tuple(attributes["spacing"])
    fields["grid"] = Grid(**attributes["grid"]) if attributes.get("grid") else None
    if fields["slant_range"] is None:
        fields["slant_range"] = float("nan")
    return StackHeader(**fields)  # type: ignore[arg-type]


class StoredArrays:
    """A store of the kind ``KIND`` as the pipeline reads it: header, static maps, raw arrays.

    Parameters
    ----------
    location
        The store.

    Raises
    ------
    FileNotFoundError
        If there is no such store.
    DataError
        If the store is of another kind or another major version.
    """

    KIND: ClassVar[str]

    def __init__(self, location: Location) -> None:
        self.location = location
        self.root = open_group(location, kind=self.KIND, remedy=REMEDY)
        self.header = header_from(dict(self.root.attrs))

    def static(self) -> dict[str, NDArray[np.float32]]:
        """The stored maps that do not change with time."""
        names = [spec.name for spec in STATIC if spec.name in self.root]
        return {name: np.asarray(self.array(name)[:], np.float32) for name in names}

    def array(self, name: str) -> zarr.Array[Any]:
        """A stored array by name."""
        found = self.root[name]
        if not isinstance(found, zarr.Array):
            raise DataError(f"{name} of {self.location} is a group; expected an array. Ingest the stack again.")
        return found


class Stack(StoredArrays):
    """A burst stack: pairs in stored order."""

    KIND = "burst stack"

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """Pairs in order of arrival."""
        times = [
            np.asarray(self.array(name)[:]).astype("datetime64[s]") for name in ("reference_time", "secondary_time")
        ]
        baselines = np.asarray(self.array("perpendicular_baseline")[:])
        return tuple(Pair(r, s, float(b)) for r, s, b in zip(*times, baselines, strict=True))

    @property
    def chunks(self) -> tuple[int, int, int]:
        """Pairs, rows and columns of a chunk."""
        pairs, rows, columns = self.array("phase").chunks
        return pairs, rows, columns

    def pair_rows(self, indices: range, rows: slice) -> PairBlock:
        """Rows of several stored pairs; the arrays have the pair as their first axis."""
        names = ["phase", "coherence", *(["unwrapped"] if self.header.has_unwrapped else [])]
        parts = [read(self.array(name), (slice(indices.start, indices.stop), rows, slice(None))) for name in names]
        return PairBlock(parts[0], parts[1], parts[2] if len(parts) > 2 else None)

    @cached_property
    def pair_digests(self) -> tuple[str | None, ...]:
        """Digest of the stored pixels of each pair, in order of arrival; None for a pair that could not be read.

        Raises
        ------
        DataError
            If ingest has not finished.
        """
        known: dict[str, str | None] = {}
        for record in batch_records(self.location):
            known.update(record.facts["pairs"])
            known.update(dict.fromkeys(record.facts["rejected"]))
        missing = [pair.key for pair in self.pairs if pair.key not in known]
        if missing:
            raise DataError(
                f"Ingest of {self.location} has not finished: {len(missing)} of {len(self.pairs)} pairs are missing, "
                f"the first is {missing[0]}. Run the same 'slidecloud ingest' again; it goes on where it stopped."
            )
        return tuple(known[pair.key] for pair in self.pairs)


def batch_records(location: Location) -> list[records.Record]:
    """Done-records of all batches of a burst stack; of one batch, the one with most pairs."""
    best: dict[str, records.Record] = {}
    for key in sorted(records.done(location, stage=INGEST), key=lambda k: (k.unit, k.digest)):
        record = records.read(location, key)
        if record is not None and (
            key.unit not in best or len(record.facts["pairs"]) > len(best[key.unit].facts["pairs"])
        ):
            best[key.unit] = record
    return [best[unit] for unit in sorted(best)]


def kind_of(location: Location) -> str | None:
    """What the root of a store says it is, such as ``run`` or ``burst stack``; None where it cannot be told."""
    try:
        return str(json.loads(location.read("zarr.json") or b"")["attributes"]["kind"])
    except (ValueError, KeyError, TypeError):
        return None


def open_stack(url: str | Location, storage_options: Mapping[str, Any] | None = None) -> xr.Dataset:
    """Open a burst or SLC stack lazily: decoded radians, coherence, times and coordinates.

    Parameters
    ----------
    url
        Folder or URL of ``<id>.zarr``.
    storage_options
        Options of the object store.

    Returns
    -------
    xarray.Dataset
        Dimensions (pair, y, x), of an SLC stack (time, y, x); attributes are the header.
    """
    location = locate(url, storage_options)
    open_group(location, kind=SLC_KIND if kind_of(location) == SLC_KIND else Stack.KIND, remedy=REMEDY)
    return open_dataset(location)


def open_dataset(location: Location, group: str = "") -> xr.Dataset:
    """A group of a store as a lazy, decoded Dataset; without Dask where Dask is absent."""
    store = zarr_store(location, read_only=True)
    dataset: xr.Dataset = xr.open_zarr(store, group=group or None, decode_coords="all", zarr_format=3)
    return dataset


def open_group(location: Location, *, kind: str, remedy: str, consolidated: bool = True) -> zarr.Group:
    """Open the root of one of our stores, after checking that it is one; see `reader`.

    Raises
    ------
    FileNotFoundError
        If nothing is there.
    DataError
        If it is something else, or of another major version.
    """
    try:
        root = reader(location, consolidated=consolidated)
    except FileNotFoundError:
        raise FileNotFoundError(f"There is no {kind} at {location}; make one with '{remedy}'.") from None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{location} is not a {kind}: {error}. Give the folder of one, or repair it with verify."
        ) from None
    found = root.attrs.get("kind")
    if found != kind:
        raise DataError(f"{location} holds {found or 'no slidecloud store'}; expected a {kind}. Check the path.")
    version = str(root.attrs.get("schema_version"))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise DataError(
            f"{location} has schema version {version}; this slidecloud reads {SCHEMA_VERSION.split('.')[0]}.x. "
            "Use the slidecloud of that version, or make the store again."
        )
    return root


def _seconds(times: Sequence[np.datetime64]) -> NDArray[np.int64]:
    return np.array(times, "datetime64[s]").astype(np.int64)
