"""Pairs of GeoTIFFs on one grid: the survey of their headers, and the source that reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from slidecloud.stack.blocks import encode_coherence, pair_block
from slidecloud.stack.geometry import checked_elevation, checked_look_vectors
from slidecloud.stack.grids import majority, placement
from slidecloud.stack.names import Listing, printable
from slidecloud.stack.rasters import FLOATS, Layer, RasterHeader, open_header, read_rows
from slidecloud.stack.source import row_range
from slidecloud.types import DataError, Float32, Grid, Pair, PairBlock, Rejected, SourcePair, StackHeader

_BLOCK_ROWS = 512
_VOID = -32768
"""Marks voids in SRTM and its descendants, with or without a no-data tag."""
COHERENCE_DTYPES = ("uint8", *FLOATS)
ELEVATION_DTYPES = ("int16", "int32", *FLOATS)


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Files of one pair. `extra` files only take part in the fingerprint."""

    wrapped: Path | None
    unwrapped: Path | None
    coherence: Path
    extra: tuple[Path, ...] = ()

    @property
    def rasters(self) -> dict[str, Path]:
        named = {"wrapped": self.wrapped, "unwrapped": self.unwrapped, "coherence": self.coherence}
        return {name: path for name, path in named.items() if path is not None}

    @property
    def paths(self) -> tuple[Path, ...]:
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

    for key in sorted(pairs):
        try:
            opened[key] = {name: _open(listing, path, name) for name, path in pairs[key].rasters.items()}
        except DataError as error:
            refuse(key, error)
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


def _open(listing: Listing, path: Path, name: str) -> RasterHeader:
    try:
        return open_header(path, dtypes=COHERENCE_DTYPES if name == "coherence" else FLOATS)
    except DataError as error:
        raise DataError(f"{listing.name(path)} {error}") from error


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
    return Layer(str(header.path), row, column, header.grid.height, header.grid.width, header.nodata)


def fingerprint(listing: Listing, files: PairFiles) -> str:
    """Digest of names, sizes and modification times of the files of a pair."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files.paths:
        name = path.relative_to(listing.root).as_posix().encode("utf-8", "surrogateescape")
        try:
            found = path.stat()
            digest.update(name + f"\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
        except OSError as error:
            digest.update(name + f"\0{type(error).__name__}\n".encode())
    return digest.hexdigest()


def source_pairs(
    listing: Listing, files: Mapping[str, PairFiles], keys: Iterable[str], pair_of: Callable[[str], Pair]
) -> tuple[SourcePair, ...]:
    """The pairs of a source, sorted by time."""
    found = (
        SourcePair(pair_of(key), tuple(map(str, files[key].paths)), fingerprint(listing, files[key])) for key in keys
    )
    return tuple(sorted(found, key=lambda item: (item.pair.reference, item.pair.secondary)))


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
            maps["elevation"] = _elevation(self.elevation, height, width)
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
        found = {name: read_rows(layer, start, stop, width) for name, layer in layers.items()}
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


def _elevation(layer: Layer, height: int, width: int) -> Float32:
    metres = read_rows(layer, 0, height, width, zero_is_nodata=False)
    metres[metres == _VOID] = np.nan
    return checked_elevation(metres, printable(layer.path))
