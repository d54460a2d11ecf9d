"""From the store to the GPU: batches of pairs go through pinned memory, copied while the batch before is computed.

The one place where stacks move between host and device. Two slots take turns, each with pinned host memory and a
device buffer: while the GPU works on one of them, the next batch is read from the store into the other's host
memory and copied on a stream of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import device
from slidecloud.kernels.gradients import GradientSums
from slidecloud.kernels.gradients_device import RunningSums

Read = Callable[[NDArray[np.int64], Sequence[NDArray[Any]]], object]
"""Puts chosen pairs into two arrays (pair, y, x), phase int16 and coherence uint8."""

LARGEST_BATCH = 256_000_000
"""Bytes of a batch: enough to keep copies and kernels at their full speed."""
SHARE = 0.5
"""Share of the free device memory that the buffers may take; other units may be at work on the same device."""
_SAMPLE_BYTES = 3
_SLOTS = 2


def stream_gradients(
    read: Read, shape: tuple[int, int], *, chunk: int = 1, largest: int = LARGEST_BATCH, **options: Any
) -> GradientSums:
    """Sums of a stack that is read batch by batch, in the order in which its pairs are added.

    Parameters
    ----------
    read
        Puts chosen pairs, by their places in ``reference``, into arrays (pair, y, x): phase int16, coherence uint8.
    shape
        Rows and columns of these.
    chunk
        Pairs that are stored together: batches hold multiples of it where they can.
    largest
        Bytes of a batch at most.
    options
        Those of `slidecloud.kernels.gradients_device.RunningSums`.

    Raises
    ------
    RuntimeError
        If there is no GPU.
    MemoryError
        If not even one pair fits its free memory.
    """
    running = RunningSums(shape, **options)
    if running.order.size:
        size = batch_size(shape, running.order.size, device.free_memory(), chunk=chunk, largest=largest)
        _stream(read, running, shape, size)
    return running.sums()


def batch_size(shape: tuple[int, int], pairs: int, free: int, *, chunk: int = 1, largest: int = LARGEST_BATCH) -> int:
    """Pairs of a batch, two of which fit into ``free`` bytes of device memory with room for others."""
    pair = _SAMPLE_BYTES * shape[0] * shape[1]
    room = int(min(SHARE * free / _SLOTS, largest) // max(pair, 1))
    if room < 1 and _SLOTS * pair > free:
        raise MemoryError(
            f"The GPU has {free / 1e6:.0f} MB free; expected at least {_SLOTS * pair / 1e6:.0f} MB for two pairs of "
            f"{shape[0]} x {shape[1]} pixels. Choose a smaller resources.tile, or run fewer workers on this GPU."
        )
    size = min(max(room, 1), pairs)
    return size - size % chunk if chunk < size < pairs else size


def _stream(read: Read, running: RunningSums, shape: tuple[int, int], size: int) -> None:
    cuda = device.cuda()
    copying, computing = cuda.stream(), cuda.stream()
    slots = [_Slot(cuda, (size, *shape)) for _ in range(_SLOTS)]
    for number, first in enumerate(range(0, running.order.size, size)):
        slot = slots[number % _SLOTS]
        slot.used.synchronize()
        chosen = running.order[first : first + size]
        read(chosen, [host[: chosen.size] for host in slot.host])
        batch = slot.copy(chosen.size, copying)
        slot.copied.wait(computing)
        running.add(*batch, stream=computing)
        slot.used.record(computing)
    computing.synchronize()


class _Slot:
    """Pinned host memory and a device buffer for a batch, and when they were last filled and used."""

    def __init__(self, cuda: Any, shape: tuple[int, int, int]) -> None:
        kinds = (np.int16, np.uint8)
        self.host = [device.pinned(shape, kind) for kind in kinds]
        self.device = [device.empty(shape, kind) for kind in kinds]
        self.copied, self.used = cuda.event(), cuda.event()

    def copy(self, number: int, stream: Any) -> list[Any]:
        """Start copying so many pairs to the device; returns them there, to be used after ``copied``."""
        parts = [there[:number] for there in self.device]
        for part, host in zip(parts, self.host, strict=True):
            part.copy_to_device(host[:number], stream=stream)
        self.copied.record(stream)
        return parts
