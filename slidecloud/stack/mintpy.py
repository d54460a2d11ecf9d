"""Stacks of MintPy: ``ifgramStack.h5`` with ``geometryGeo.h5`` or ``geometryRadar.h5``, here or in ``inputs``.

Phase is in rad, positive away from the satellite, the earlier date first; 0 is no data. Corrected unwrapped phase
(``unwrapPhase_bridging_phaseClosure`` and so on) is preferred to ``unwrapPhase``, and ``wrapPhase`` to wrapping it;
where ``connectComponent`` is 0 nothing is unwrapped, and the wrapped phase stays. Angles are in degrees, the azimuth
that of the direction to the satellite, anticlockwise from north. Pairs that MintPy drops (``dropIfgram`` false) are
refused by name, or kept on demand. The reference pixel (REF_Y, REF_X) is not subtracted, as MintPy does not subtract it
in this file either: a run has a reference of its own.
"""

from __future__ import annotations

import math
import re
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.stack import mintpy_metadata as metadata
from slidecloud.stack.blocks import pair_block, refuse_empty
from slidecloud.stack.files import fingerprint
from slidecloud.stack.geotiff import by_key
from slidecloud.stack.hdf5 import Hdf5, opened
from slidecloud.stack.mintpy_geometry import Geometry, open_geometry
from slidecloud.stack.names import SENTINEL1_LAUNCH, Listing, SourcePath, date_problem, one_of, parse_day, printable
from slidecloud.stack.source import SourceWarning, check_id, row_range
from slidecloud.types import DataError, Float32, Grid, Pair, PairBlock, Rejected, SourcePair, StackHeader

STACK = "ifgramStack.h5"
_UNWRAPPED = tuple(f"unwrapPhase{step}" for step in ("_bridging_phaseClosure", "_phaseClosure", "_bridging", ""))


@dataclass(frozen=True)
class MintpySource:
    """Pairs of one ``ifgramStack.h5``; see `slidecloud.stack.source.Source`.

    ``datasets`` are the names of wrapped phase, unwrapped phase and components, each empty where the file has none;
    ``layers`` the place of each pair in them by key.
    """

    header: StackHeader
    pairs: tuple[SourcePair, ...]
    rejected: tuple[Rejected, ...]
    place: SourcePath
    datasets: tuple[str, str, str]
    layers: dict[str, int]
    geometry: Geometry | None

    def static(self) -> dict[str, Float32]:
        """Elevation, incidence, look vectors and, in radar geometry, coordinates, as far as the geometry has them."""
        return {} if self.geometry is None else self.geometry.maps(self.header)

    def read(self, pair: SourcePair, rows: slice) -> PairBlock:
        """Rows of one pair, full width; see `slidecloud.stack.source.Source.read`."""
        key, height = pair.pair.key, self.header.shape[0]
        if key not in self.layers:
            raise KeyError(f"pair {key} is not in stack {self.header.id}: take one of source.pairs")
        start, stop = row_range(rows, height)
        with opened(self.place) as file:

            def read(first: int, end: int) -> PairBlock:
                return self._read(file, self.layers[key], first, end)

            return refuse_empty(read(start, stop), read, height, name=f"{file.name}: pair {key}")

    def _read(self, file: Hdf5, layer: int, start: int, stop: int) -> PairBlock:
        found: dict[str, Any] = {}
        for name in (*self.datasets, "coherence"):
            if name:
                kinds = "iub" if name == "connectComponent" else "f"
                dataset = file.dataset(name, kinds=kinds, ndim=3, expected="values (pair, y, x)")
                found[name] = file.rows(dataset, start, stop, layer=layer)
        wrapped, unwrapped = (_phase(found[name]) if name else None for name in self.datasets[:2])
        names = tuple(f"{file.name}: {name} of layer {layer}" for name in (*self.datasets[:2], "coherence"))
        coherence = found["coherence"].astype(np.float32)
        block = pair_block(wrapped, unwrapped, coherence, names=names, keep_unwrapped=self.header.has_unwrapped)  # type: ignore[arg-type]
        if block.unwrapped is not None and self.datasets[2]:
            block.unwrapped[found[self.datasets[2]] == 0] = np.nan
        return block


def matches(listing: Listing) -> bool:
    """Whether a folder holds a stack of MintPy."""
    return any(path.name == STACK for path in listing.files)


def open_mintpy(listing: Listing, *, id: str | None = None, keep_dropped: bool = False) -> MintpySource:
    """Open a stack of MintPy.

    Parameters
    ----------
    listing
        Files of the folder.
    id
        Name of the stack; the name of the folder, in lower case, if not given.
    keep_dropped
        Offer the pairs too that MintPy drops.

    Raises
    ------
    DataError
        If there are several stacks, datasets or attributes are missing or contradict each other, or no pair is left.
    ValueError
        If the id cannot name a stack.

    Warns
    -----
    SourceWarning
        If there is no geometry, or the wavelength or the time of day is assumed.
    """
    path = _only(listing, STACK)
    if path is None:
        raise DataError(f"{printable(listing.root)} has no {STACK}, expected one: give the folder of MintPy's inputs")
    stack_id = check_id(_slug(listing.root) if id is None else id, origin="id")
    place, name = path, listing.name(path)
    with opened(place) as file:
        found = metadata.Attributes(file.name, file.attributes())
        shape = metadata.shape_of(found)
        datasets = _datasets(file)
        count = _check_shapes(file, datasets, shape)
        dates = file.values("date", kinds="SO", ndim=2, expected="two dates of each pair")
        baselines = _column(file, "bperp", "f", count, math.nan)
        kept = _column(file, "dropIfgram", "biu", count, True)
        day_time = metadata.day_time_of(found, name)
    if dates.shape != (count, 2):
        raise file.error("date", f"has the shape {dates.shape}, expected {(count, 2)}: load the data again")
    geometry = _geometry(listing, shape, metadata.grid_of(found))
    middle = geometry.middle() if geometry is not None else {}
    pairs, layers, rejected = [], {}, []
    for layer, (texts, baseline, keep) in enumerate(zip(dates, baselines, kept, strict=True)):
        key = "_".join(_text(text) for text in texts)
        mark = fingerprint(path, layer)
        try:
            reference, secondary = (_day(_text(text)) for text in texts)
            problem = date_problem(reference, secondary, earliest=SENTINEL1_LAUNCH)
            if key in layers:
                problem = "comes twice, expected each pair once: load the data again"
            if not problem and not (keep or keep_dropped):
                problem = "is dropped by MintPy (dropIfgram is false): pass keep_dropped (--keep-dropped) to use it"
        except ValueError:
            problem = "has dates that are not two days of the calendar, expected YYYYMMDD: load the data again"
        if problem:
            rejected.append(Rejected(printable(key), f"{name}: pair {printable(key)} {problem}", mark))
            continue
        pair = Pair(reference.astype("datetime64[s]") + day_time, secondary.astype("datetime64[s]") + day_time,
                    float(baseline))  # fmt: skip
        pairs.append(SourcePair(pair, (str(path),), mark))
        layers[key] = layer
    if not pairs:
        raise DataError(f"{name}: none of {count} pairs can be used. The first: {rejected[0].reason}")
    return MintpySource(
        metadata.stack_header(stack_id, found, name, middle, has_unwrapped=bool(datasets[1])),
        tuple(sorted(pairs, key=lambda item: (item.pair.reference, item.pair.secondary))),
        by_key(listing.refused, rejected),
        place,
        datasets,
        layers,
        geometry,
    )


def _datasets(file: Hdf5) -> tuple[str, str, str]:
    """Names of wrapped phase, unwrapped phase and components; empty where the file has none."""
    unwrapped = next((name for name in _UNWRAPPED if name in file), "")
    wrapped = "wrapPhase" if "wrapPhase" in file else ""
    if not wrapped and not unwrapped:
        raise file.error("unwrapPhase", "is missing, expected it or wrapPhase: load interferograms into MintPy again")
    return wrapped, unwrapped, "connectComponent" if unwrapped and "connectComponent" in file else ""


def _check_shapes(file: Hdf5, datasets: tuple[str, str, str], shape: tuple[int, int]) -> int:
    """Number of pairs; all datasets must have it, and the rows and columns of the attributes."""
    count = None
    for name in (*filter(None, datasets), "coherence"):
        kinds = "iub" if name == "connectComponent" else "f"
        found = file.dataset(name, kinds=kinds, ndim=3, expected="values (pair, y, x)").shape
        count = found[0] if count is None else count
        if found != (count, *shape):
            raise file.error(
                name,
                f"has the shape {found}, expected {(count, *shape)}, pairs, LENGTH and WIDTH: load the data again",
            )
    return int(count or 0)


def _column(file: Hdf5, name: str, kinds: str, count: int, default: Any) -> list[Any]:
    """A value for each pair, or a default where the file has none."""
    if name not in file:
        return [default] * count
    values = file.values(name, kinds=kinds, expected="a value for each pair")
    if len(values) != count:
        raise file.error(name, f"has {len(values)} values, expected {count}, one for each pair: load the data again")
    return list(values)


def _geometry(listing: Listing, shape: tuple[int, int], grid: Grid | None) -> Geometry | None:
    name = "geometryRadar.h5" if grid is None else "geometryGeo.h5"
    path = _only(listing, name)
    if path is not None:
        return open_geometry(path, shape, grid)
    warnings.warn(
        f"{printable(listing.root)} has no {name}: elevation and look vectors are not known. Put it beside {STACK}",
        SourceWarning,
        stacklevel=3,
    )
    return None


def _only(listing: Listing, name: str) -> SourcePath | None:
    try:
        return one_of(path for path in listing.files if path.name == name)
    except ValueError as error:
        raise DataError(f"{printable(listing.root)} has {error}") from error


def _slug(root: SourcePath) -> str:
    """Name of the first folder above that is not one of MintPy's own."""
    return next((part for part in reversed(root.parts) if part not in ("inputs", "mintpy")), "").lower()


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _day(text: str) -> np.datetime64:
    if not re.fullmatch(r"\d{8}", text):
        raise ValueError(text)
    return parse_day(text)


def _phase(values: Any) -> Float32:
    """Radians with NaN for no data, which MintPy writes as 0."""
    with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which the check of values names
        phase = values.astype(np.float32)
    phase[phase == 0] = np.nan
    result: Float32 = phase
    return result
