"""A source whose pixels are arrays in memory: simulations, tests, notebooks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.phase import encode
from slidecloud.stack.source import STATIC_LAYERS, check_id, row_range
from slidecloud.types import Float32, Pair, PairBlock, Rejected, SourcePair, StackHeader


class ArraySource:
    """Interferograms held in arrays, offered as a `Source`.

    Parameters
    ----------
    header
        Header of the stack; its ``shape`` must be that of the arrays.
    pairs
        One `Pair` for each layer, in any order, each once. They are offered sorted; pixels follow.
    phase
        (pair, y, x): int16 binary angle (``phase * pi / 32768`` rad), or float radians, which are wrapped and encoded
        when read (NaN = no data). Reference * conj(secondary): positive away from the satellite.
    coherence
        (pair, y, x): uint8 ``value / 255`` with 0 = no data, or float 0..1 (0 or NaN = no data).
    unwrapped
        (pair, y, x) float rad, NaN = no data; needed if, and only if, ``header.has_unwrapped``.
    static
        Maps (y, x) by name, see `Source.static`.

    Raises
    ------
    ValueError
        If shapes, pairs or names do not fit together.
    TypeError
        If an array has a dtype other than those above.

    Notes
    -----
    Arrays are kept, not copied; a memory map stays on disk. The fingerprint of a pair is a digest of its pixels.
    """

    def __init__(
        self,
        header: StackHeader,
        pairs: Sequence[Pair],
        phase: NDArray[Any],
        coherence: NDArray[Any],
        unwrapped: NDArray[Any] | None = None,
        static: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        check_id(header.id)
        _check_layers(header, len(pairs), phase, coherence, unwrapped)
        _check_pairs(pairs)
        self.header = header
        self.rejected: tuple[Rejected, ...] = ()
        self._phase = phase
        self._coherence = coherence
        self._unwrapped = unwrapped
        self._static = {name: _static_map(header, name, values) for name, values in (static or {}).items()}
        order = sorted(range(len(pairs)), key=lambda i: (pairs[i].reference, pairs[i].secondary))
        self._layer = {pairs[i].key: i for i in order}
        self.pairs = tuple(SourcePair(pairs[i], (), self._digest(i)) for i in order)

    def static(self) -> dict[str, Float32]:
        """The static maps, float32 (y, x)."""
        return dict(self._static)

    def read(self, pair: SourcePair, rows: slice) -> PairBlock:
        """Rows of one pair, full width; see `Source.read`.

        Raises
        ------
        KeyError
            If the pair is not one of this source.
        """
        start, stop = row_range(rows, self.header.shape[0])
        if pair.pair.key not in self._layer:
            raise KeyError(f"pair {pair.pair.key} is not in stack {self.header.id}: take one of source.pairs")
        at = self._layer[pair.pair.key], slice(start, stop)
        phase, coherence = _encoded(self._phase[at], self._coherence[at])
        if self._unwrapped is None:
            return PairBlock(phase, coherence, None)
        unwrapped = np.where(coherence > 0, self._unwrapped[at], np.nan).astype(np.float32)
        return PairBlock(phase, coherence, unwrapped)

    def _digest(self, layer: int) -> str:
        digest = hashlib.blake2b(digest_size=16)
        for array in (self._phase, self._coherence, self._unwrapped):
            if array is not None:
                digest.update(np.ascontiguousarray(array[layer]).data)
        return digest.hexdigest()


def _encoded(phase: NDArray[Any], coherence: NDArray[Any]) -> tuple[NDArray[np.int16], NDArray[np.uint8]]:
    """Phase and coherence as stored, coherence 0 and phase 0 where either has no data."""
    if coherence.dtype == np.uint8:
        stored = np.array(coherence)
    else:
        known = coherence > 0
        stored = np.where(known, np.clip(np.rint(np.where(known, coherence, 0) * 255), 1, 255), 0).astype(np.uint8)
    if phase.dtype == np.int16:
        angle = np.array(phase)
    else:
        finite = np.isfinite(phase)
        stored[~finite] = 0
        angle = encode(np.where(finite, phase, 0))
    angle[stored == 0] = 0
    return angle, stored


def _check_layers(
    header: StackHeader, pairs: int, phase: NDArray[Any], coherence: NDArray[Any], unwrapped: NDArray[Any] | None
) -> None:
    expected = (pairs, *header.shape)
    for name, array, integer in (
        ("phase", phase, np.int16),
        ("coherence", coherence, np.uint8),
        ("unwrapped", unwrapped, None),
    ):
        if array is None:
            continue
        if array.shape != expected:
            raise ValueError(
                f"{name} has shape {array.shape}: expected {expected}, the number of pairs and header.shape"
            )
        if array.dtype != integer and not np.issubdtype(array.dtype, np.floating):
            also = "" if integer is None else f" or {np.dtype(integer).name} as stored"
            raise TypeError(f"{name} has dtype {array.dtype}: expected floating point{also}")
    if coherence.dtype != np.uint8 and bool(np.any(coherence > 1)):
        raise ValueError(f"coherence reaches {np.nanmax(coherence):g}: expected 0..1, or uint8 0..255")
    if header.has_unwrapped != (unwrapped is not None):
        raise ValueError(
            f"header.has_unwrapped is {header.has_unwrapped}, but unwrapped is "
            f"{'missing' if unwrapped is None else 'given'}: make the two agree"
        )


def _check_pairs(pairs: Sequence[Pair]) -> None:
    seen: set[str] = set()
    for pair in pairs:
        if not pair.reference < pair.secondary:
            raise ValueError(
                f"pair {pair.key}: expected the reference earlier than the secondary; swap them and negate the phase"
            )
        if pair.key in seen:
            raise ValueError(f"pair {pair.key} is given twice: expected each pair once")
        seen.add(pair.key)


def _static_map(header: StackHeader, name: str, values: NDArray[Any]) -> Float32:
    if name not in STATIC_LAYERS:
        raise ValueError(f"static map {name!r} is unknown: expected one of {', '.join(STATIC_LAYERS)}")
    if values.shape != header.shape:
        raise ValueError(f"static map {name} has shape {values.shape}: expected {header.shape} from header.shape")
    return np.asarray(values, dtype=np.float32)
