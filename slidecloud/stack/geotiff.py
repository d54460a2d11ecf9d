"""Pairs of GeoTIFFs on one grid: the survey of their headers, and the source that reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from slidecloud.stack.blocks import encode_coherence, pair_block
from slidecloud.stack.files import size, state
from slidecloud.stack.geometry import checked_elevation, checked_look_vectors
from slidecloud.stack.grids import majority, placement
from slidecloud.stack.names import Listing, SourcePath, printable
from slidecloud.stack.rasters import FLOATS, Layer, RasterHeader, open_header, open_headers, read_rows
from slidecloud.stack.remote import RemotePath
from slidecloud.stack.source import row_range
from slidecloud.types import DataError, Float32, Grid, Pair, PairBlock, Rejected, SourcePair, StackHeader

_BLOCK_ROWS = 512
_VOID = -32768
"""Marks voids in SRTM and its descendants, with or without a no-data tag."""
COHERENCE_DTYPES = ("uint8", *FLOATS)
MASK_DTYPES = ("uint8", "int16", "int32", *FLOATS)
_DTYPES = {"wrapped": FLOATS, "unwrapped": FLOATS, "coherence": COHERENCE_DTYPES}
ELEVATION_DTYPES = ("int16", "int32", *FLOATS)


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Files of one pair; `masks` are rasters that a reader knows by name, `extra` only take part in the fingerprint."""

    wrapped: SourcePath | None
    unwrapped: SourcePath | None
    coherence: SourcePath
    extra: tuple[SourcePath, ...] = ()
    masks: Mapping[str, SourcePath] = field(default_factory=dict)

    @property
    def rasters(self) -> dict[str, SourcePath]:
        named = {"wrapped": self.wrapped, "unwrapped": self.unwrapped, "coherence": self.coherence, **self.masks}
        return {name: path for name, path in named.items() if path is not None}

    @property
    def paths(self) -> tuple[SourcePath, ...]:
        return (*self.rasters.values(), *self.extra)


@dataclass(frozen=True, slots=True)
class Survey:
    """Pairs whose files passed the header check, placed on one grid.

    Attributes
    ----------
    grid
        The grid of the stack.
    layers
        By pair key: the placed files, by ``wrapped``, ``unwrapped``, ``coherence``.
    headers
        By pair key: the header of the phase file.
    rejected
        Pairs that did not pass.
    """

    grid: Grid
    layers: Mapping[str, Mapping[str, Layer]]
    headers: Mapping[str, RasterHeader]
    rejected: tuple[Rejected, ...]


def survey(listing: Listing, pairs: Mapping[str, PairFiles], *, grid: Grid | None = None) -> Survey:
    """Check the header of each file and place it on `grid`, or else on the union of the grid most pairs share.

    Raises
    ------
    DataError
        If no pair passes.
    """
    opened: dict[str, dict[str, RasterHeader]] = {}
    rejected: list[Rejected] = []

    def refuse(key: str, error: DataError) -> None:
        rejected.append(Rejected(key, str(error), fingerprint(listing, pairs[key])))

    for key, headers in _open_all(listing, pairs):
        if isinstance(headers, DataError):
            refuse(key, headers)
        else:
            opened[key] = headers
    if opened and grid is None:
        grid = majority(header.grid for headers in opened.values() for header in headers.values())
    layers: dict[str, dict[str, Layer]] = {}
    for key, headers in opened.items():
        try:
            layers[key] = {name: place(listing, header, grid) for name, header in headers.items() if grid is not None}
        except DataError as error:
            refuse(key, error)
    if not layers or grid is None:
        raise DataError(none_usable(listing, rejected))
    phases = {key: opened[key].get("unwrapped") or opened[key]["wrapped"] for key in layers}
    return Survey(grid, layers, phases, tuple(rejected))


def none_usable(listing: Listing, rejected: Iterable[Rejected]) -> str:
    """Message for a source without any usable pair."""
    reasons = [item.reason for item in by_key(rejected)]
    first = f" The first: {reasons[0]}" if reasons else ""
    return f"{printable(listing.root)}: none of {len(reasons)} pairs can be used, expected at least one.{first}"


def by_key(*groups: Iterable[Rejected]) -> tuple[Rejected, ...]:
    """Rejected items of several kinds, sorted by key; of several with one key the first given."""
    found: dict[str, Rejected] = {}
    for item in (item for group in groups for item in group):
        found.setdefault(item.key, item)
    return tuple(found[key] for key in sorted(found))


def _open_all(
    listing: Listing, pairs: Mapping[str, PairFiles]
) -> Iterator[tuple[str, dict[str, RasterHeader] | DataError]]:
    """By sorted key the headers of a pair's rasters by name, or what is wrong with the first that cannot be used."""
    wanted = [(key, name, path) for key in sorted(pairs) for name, path in pairs[key].rasters.items()]
    found = open_headers([(path, _DTYPES.get(name, MASK_DTYPES)) for _, name, path in wanted])
    for key, members in groupby(zip(wanted, found, strict=True), key=lambda item: item[0][0]):
        headers: dict[str, RasterHeader] = {}
        for (_, name, path), header in members:
            if isinstance(header, DataError):
                yield key, DataError(f"{listing.name(path)} {header}")
                break
            headers[name] = header
        else:
            yield key, headers


def placed(listing: Listing, path: SourcePath, grid: Grid, dtypes: tuple[str, ...]) -> Layer:
    """A file's place on the grid of the stack.

    Raises
    ------
    DataError
        If its header does not pass, or it is not on that grid; names the file.
    """
    try:
        header = open_header(path, dtypes=dtypes)
    except DataError as error:
        raise DataError(f"{listing.name(path)} {error}") from error
    return place(listing, header, grid)


def place(listing: Listing, header: RasterHeader, grid: Grid) -> Layer:
    """A raster's place on the grid of the stack.

    Raises
    ------
    DataError
        If it is not on that grid; names the file.
    """
    try:
        row, column = placement(header.grid, grid)
    except DataError as error:
        raise DataError(f"{listing.name(header.path)} {error}") from error
    remote = header.path if isinstance(header.path, RemotePath) else None
    return Layer(str(header.path), row, column, header.grid.height, header.grid.width, header.nodata, remote)


def fingerprint(listing: Listing, files: PairFiles) -> str:
    """Digest of names and states (see `slidecloud.stack.files`) of the files of a pair."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files.paths:
        name = listing.below(path).encode("utf-8", "surrogateescape")
        try:
            digest.update(name + f"\0{state(path)}\n".encode())
        except (OSError, DataError) as error:
            digest.update(name + f"\0{type(error).__name__}\n".encode())
    return digest.hexdigest()


def source_pairs(
    listing: Listing, files: Mapping[str, PairFiles], keys: Iterable[str], pair_of: Callable[[str], Pair]
) -> tuple[SourcePair, ...]:
    """The pairs of a source, sorted by time."""
    found = (
        SourcePair(
            pair_of(key), tuple(map(str, files[key].paths)), fingerprint(listing, files[key]), _bytes(files[key])
        )
        for key in keys
    )
    return tuple(sorted(found, key=lambda item: (item.pair.reference, item.pair.secondary)))


def _bytes(files: PairFiles) -> int:
    """Bytes of the files of a pair, 0 where one is gone since its header was read: reading it names it."""
    try:
        return sum(map(size, files.paths))
    except (OSError, DataError):
        return 0


@dataclass(frozen=True)
class GeotiffSource:
    """A `Source` that reads single-band GeoTIFFs of phase and coherence on one map grid.

    Attributes
    ----------
    header, pairs, rejected
        As in `Source`.
    layers
        By pair key: the placed files.
    elevation
        File of elevations in metres, if any.
    look
        Files of the east, north and up component of the look vector, if any.
    constants
        Static maps that have one value everywhere, by name.
    """

    header: StackHeader
    pairs: tuple[SourcePair, ...]
    rejected: tuple[Rejected, ...]
    layers: Mapping[str, Mapping[str, Layer]]
    elevation: Layer | None = None
    look: tuple[Layer, Layer, Layer] | None = None
    constants: Mapping[str, float] = field(default_factory=dict)

    def static(self) -> dict[str, Float32]:
        """Elevation (m), incidence (rad) and look vectors, as far as the source has them; see `Source.static`.

        Raises
        ------
        DataError
            If a file cannot be read, elevations are absurd, or look vectors are not unit vectors to the satellite.
        """
        height, width = self.header.shape
        maps = {name: np.full((height, width), value, np.float32) for name, value in self.constants.items()}
        if self.elevation is not None:
            maps["elevation"] = read_elevation(self.elevation, height, width)
        if self.look is not None:
            east, north, up = (read_rows(layer, 0, height, width) for layer in self.look)
            name = printable(self.look[0].path)
            maps |= checked_look_vectors(east, north, up, pass_=self.header.pass_, name=name)
        return maps

    def read(self, pair: SourcePair, rows: slice) -> PairBlock:
        """Rows of one pair, full width; see `Source.read`.

        Raises
        ------
        DataError
            If the pixels cannot be read, make no sense, or the whole pair is without data.
        KeyError
            If the pair is not one of this source.
        """
        key = pair.pair.key
        if key not in self.layers:
            raise KeyError(f"pair {key} is not in stack {self.header.id}: take one of source.pairs")
        height, width = self.header.shape
        start, stop = row_range(rows, height)
        block = self._read(key, start, stop)
        if not block.coherence.any() and self._is_empty(key, height, width):
            named = ", ".join(printable(layer.path) for layer in self.layers[key].values())
            raise DataError(f"pair {key} has no pixel with both phase and coherence ({named}): fetch or make it again")
        return block

    def _read(self, key: str, start: int, stop: int) -> PairBlock:
        layers = self.layers[key]
        width = self.header.shape[1]
        found = {name: read_rows(layer, start, stop, width) for name, layer in layers.items() if name in _DTYPES}
        wrapped, unwrapped, coherence = (
            printable(layers[name].path) if name in layers else "" for name in ("wrapped", "unwrapped", "coherence")
        )
        return pair_block(
            found.get("wrapped"),
            found.get("unwrapped"),
            found["coherence"],
            names=(wrapped, unwrapped, coherence),
            keep_unwrapped=self.header.has_unwrapped,
        )

    def _is_empty(self, key: str, height: int, width: int) -> bool:
        """Whether no row of a pair holds data: asked only where a block was empty, and ended at the first data."""
        layers = self.layers[key]
        phase = layers.get("wrapped") or layers["unwrapped"]
        for start in range(0, height, _BLOCK_ROWS):
            stop = min(start + _BLOCK_ROWS, height)
            coherence = encode_coherence(read_rows(layers["coherence"], start, stop, width), layers["coherence"].path)
            if np.any((coherence > 0) & ~np.isnan(read_rows(phase, start, stop, width))):
                return False
        return True


def read_elevation(layer: Layer, height: int, width: int) -> Float32:
    """Metres on the grid of a stack, NaN = no data.

    Raises
    ------
    DataError
        If the file cannot be read, or its elevations are absurd; names it.
    """
    metres = read_rows(layer, 0, height, width, zero_is_nodata=False)
    metres[metres == _VOID] = np.nan
    return checked_elevation(metres, printable(layer.path))
