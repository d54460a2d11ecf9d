"""Bilinear enlargement of coarse maps."""

from __future__ import annotations

import numpy as np

from slidecloud.types import Float32, Float64


def enlarged(coarse: Float32, shape: tuple[int, int]) -> Float32:
    """A coarse map (y, x) on a grid of `shape` that covers the same ground, bilinear between centres of pixels."""
    rows, columns = (
        np.clip((np.arange(size) + 0.5) * n / size - 0.5, 0.0, n - 1.0)
        for size, n in zip(shape, coarse.shape, strict=True)
    )
    return _interpolated(_interpolated(coarse, rows, axis=0), columns, axis=1)


def _interpolated(values: Float32, places: Float64, *, axis: int) -> Float32:
    last = values.shape[axis] - 1
    low = np.minimum(places.astype(np.intp), last)
    share = (places - low).astype(np.float32)
    share = share[:, None] if axis == 0 else share[None, :]
    mixed: Float32 = np.take(values, low, axis) * (np.float32(1.0) - share)
    mixed += np.take(values, np.minimum(low + 1, last), axis) * share
    return mixed
