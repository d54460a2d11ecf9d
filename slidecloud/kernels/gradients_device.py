"""Gradient stacking on an NVIDIA GPU, for stacks that do not lie in its memory as a whole: pairs come in batches.

`slidecloud.kernels.gradients.accumulate` does the same for device arrays that hold all pairs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels import device
from slidecloud.kernels._gradients_check import (
    Axes,
    Estimator,
    Interior,
    check_estimator,
    check_interior,
    check_origin,
    check_pairs,
    check_window,
    date_steps,
)
from slidecloud.kernels._gradients_geometry import Windows
from slidecloud.kernels._gradients_types import GradientSums, no_sums
from slidecloud.kernels._gradients_unwrap import rewrap


class RunningSums:
    """Sums over pairs in device memory, to which batches of pairs are added.

    They are those of `slidecloud.kernels.gradients.accumulate`, whose parameters these are; ``overlap`` and ``rate``
    are not among the estimators, and windows may have about 45 x 45 pixels at most. The window sums are the integers of
    the host's kernels, but for samples whose rounding hangs on the last bits of a sine; products and sums over pairs
    differ from the host's by float32 rounding. Results are equal to the last bit for every tiling and every size of
    the batches.

    Parameters
    ----------
    shape
        Rows and columns of the input.

    Raises
    ------
    RuntimeError
        If there is no GPU.
    TypeError, ValueError
        As `accumulate`, and for estimators and windows the GPU has no kernel for.
    """

    def __init__(
        self, shape: Axes, *, reference: ArrayLike, secondary: ArrayLike, span: ArrayLike | None = None,
        window: int | Axes = 10, gap: int | Axes | None = None, estimator: Estimator = "coherent",
        interior: Interior | None = None, origin: Axes = (0, 0),
    ) -> None:  # fmt: skip
        device.require_gpu("gradient stacking of arrays on the device")
        from slidecloud.kernels._gradients_cuda import DeviceSums

        kind = check_estimator(estimator)
        if estimator == "rate":
            raise ValueError(
                "estimator: found 'rate' with arrays on the device, expected one with a kernel there; give arrays "
                "of the host, or choose 'coherent'"
            )
        size, block = check_window(window, gap)
        self._order, first, last, years = check_pairs(reference, secondary, span, np.size(reference))
        corner, self._extent = check_interior(interior, shape)
        self._shape, self._estimator, self._added = shape, estimator, 0
        self._sums = None
        if self._order.size and self._extent[0] and self._extent[1]:
            windows, steps = Windows(kind, size, block), date_steps(first, last)
            self._sums = DeviceSums(windows, shape, corner, self._extent, check_origin(origin), years, steps)

    @property
    def order(self) -> NDArray[np.int64]:
        """int64 (pair,): where the pairs lie in ``reference`` and ``secondary``, in the order of adding them."""
        return self._order

    def add(self, phase: Any, coherence: Any, *, stream: Any = 0) -> None:
        """Add the next pairs of ``order``.

        Parameters
        ----------
        phase, coherence
            Contiguous device arrays int16 and uint8 (pair, y, x) of the whole input. They must stay as they are until
            the stream has done the work.
        stream
            Of ``numba.cuda``; by default the default stream.
        """
        angles, shares = self._check(phase, coherence)
        self._count(angles.shape[0])
        if self._sums is not None and angles.shape[0]:
            self._sums.add(angles, shares, np.arange(angles.shape[0]), stream=stream)

    def add_all(self, phase: Any, coherence: Any, *, stream: Any = 0) -> None:
        """Add all pairs at once, device arrays as of `add` in which they lie as in ``reference``."""
        angles, shares = self._check(phase, coherence)
        self._count(angles.shape[0])
        if self._sums is not None:
            self._sums.add(angles, shares, self._order, stream=stream)

    def sums(self, *, stream: Any = 0) -> GradientSums:
        """The sums, arrays of the host; waits for the device.

        Raises
        ------
        ValueError
            If pairs are missing.
        """
        if self._added != self._order.size:
            raise ValueError(f"pairs: found {self._added} added, expected {self._order.size} as of reference; add them")
        found = no_sums(GradientSums, self._extent) if self._sums is None else self._sums.result(stream=stream)
        return rewrap(found) if self._estimator == "rewrapped" else found

    def _count(self, pairs: int) -> None:
        self._added += pairs
        if self._added > self._order.size:
            raise ValueError(f"pairs: found {self._added} added, expected {self._order.size} as of reference")

    def _check(self, phase: Any, coherence: Any) -> tuple[Any, Any]:
        angles = device.as_device(phase, name="phase", dtype=np.int16, ndim=3)
        shares = device.as_device(coherence, name="coherence", dtype=np.uint8, ndim=3)
        if tuple(angles.shape) != tuple(shares.shape) or tuple(angles.shape[1:]) != tuple(self._shape):
            raise ValueError(
                f"phase and coherence: found shapes {tuple(angles.shape)} and {tuple(shares.shape)}, expected both "
                f"(pair, {self._shape[0]}, {self._shape[1]})"
            )
        return angles, shares
