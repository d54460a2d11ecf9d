"""Inversion on the GPU of pairs that lie on the host: pixels go in parts, copied while the part before is inverted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels import device, sbas
from slidecloud.pipeline.device_runner import LARGEST_BATCH, SHARE
from slidecloud.types import Float32

_SLOTS = 2


def invert_on_gpu(
    phase: Float32,
    coherence: NDArray[np.uint8],
    reference: ArrayLike,
    secondary: ArrayLike,
    *,
    time: ArrayLike,
    largest: int = LARGEST_BATCH,
    **options: Any,
) -> sbas.Inversion:
    """Inversion of host arrays, with the parameters of `slidecloud.kernels.sbas.invert`, its fields on the host.

    Two slots of pinned memory and device buffers take turns: while one part of the pixels is inverted, the next is
    laid side by side and copied on a stream of its own.

    Parameters
    ----------
    phase, coherence
        (pair, pixel), float32 rad or int16 binary angles, and uint8.
    largest
        Bytes of a part at most.
    options
        Those of `slidecloud.kernels.sbas.invert`.

    Raises
    ------
    RuntimeError
        If there is no GPU.
    MemoryError
        If not even one pixel fits its free memory.
    """
    cuda = device.cuda()
    pairs, pixels = phase.shape
    size = _part_size(pairs * (phase.itemsize + 1), pixels, largest)
    copying, computing = cuda.stream(), cuda.stream()
    slots = [(_Slot(pairs, size, phase.dtype), _Slot(pairs, size, coherence.dtype)) for _ in range(_SLOTS)]
    starts = range(0, pixels, size)

    def send(number: int) -> list[Any]:
        part = slice(starts[number], min(starts[number] + size, pixels))
        slot = slots[number % _SLOTS]
        return [slot[0].send(phase[:, part], copying), slot[1].send(coherence[:, part], copying)]

    found: list[sbas.Inversion] = []
    ahead = send(0)
    for number in range(len(starts)):
        copying.synchronize()
        there = [part.bind(computing) for part in ahead]
        # The other slot was last read by the part before, which has come back.
        ahead = send(number + 1) if number + 1 < len(starts) else []
        result = sbas.invert(there[0], there[1], reference, secondary, time=time, **options)
        found.append(sbas.Inversion(*(device.to_host(field) for field in result)))
    return sbas.Inversion(*(np.concatenate(fields, axis=-1) for fields in zip(*found, strict=True)))


def _part_size(pixel_bytes: int, pixels: int, largest: int) -> int:
    """Pixels of a part; what the inversion itself needs it takes from the memory that is left."""
    free = device.free_memory()
    size = int(min(SHARE * free / _SLOTS, largest) // pixel_bytes)
    if size < 1:
        raise MemoryError(
            f"The GPU has {free / 1e6:.0f} MB free; expected at least {_SLOTS * pixel_bytes / SHARE / 1e6:.3g} MB for "
            "one pixel of these pairs. Run fewer workers on this GPU."
        )
    return min(size, pixels)


class _Slot:
    """Room for a part of one input, flat, so that every part is contiguous: pinned on the host, and on the device."""

    def __init__(self, pairs: int, pixels: int, kind: Any) -> None:
        self._host, self._there = device.pinned(pairs * pixels, kind), device.empty(pairs * pixels, kind)

    def send(self, part: NDArray[Any], stream: Any) -> Any:
        """Start copying a part (pair, pixel) to the device; returns it there."""
        host, there = self._host[: part.size], self._there[: part.size]
        host.reshape(part.shape)[...] = part
        there.copy_to_device(host, stream=stream)
        return there.reshape(part.shape)
