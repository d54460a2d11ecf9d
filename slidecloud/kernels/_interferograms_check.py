"""Checks at the public edge of the interferogram kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Axes = tuple[int, int]


def grid(shape: tuple[int, ...], looks: Axes) -> Axes:
    """Cells (y, x) of images of a shape (y, x).

    Raises
    ------
    TypeError, ValueError
        If the looks are no whole numbers from 1 to the size of the images.
    """
    down, across = both_axes("looks", looks)
    if min(down, across) < 1 or down > shape[0] or across > shape[1]:
        raise ValueError(
            f"looks: found {down} x {across} (y x x), expected at least 1 and at most the size of the images, "
            f"{shape[0]} x {shape[1]}"
        )
    return shape[0] // down, shape[1] // across


def window_reach(coherence_window: int | Axes) -> Axes:
    """Cells of the coherence window to either side."""
    size = both_axes("coherence_window", coherence_window)
    if min(size) < 1 or any(side % 2 == 0 for side in size):
        raise ValueError(f"coherence_window: found {size[0]} x {size[1]} cells, expected odd numbers such as 5")
    return size[0] // 2, size[1] // 2


def both_axes(name: str, value: int | Axes) -> Axes:
    pair = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, int | np.integer) for v in pair):
        raise TypeError(f"{name}: found {value!r}, expected a whole number or two, (y, x)")
    return int(pair[0]), int(pair[1])


def check_images(slc: NDArray[Any]) -> NDArray[Any]:
    """Images as (date, y, 2 x) float32 or int16, real and imaginary part in turn."""
    images = np.asarray(slc)
    if images.dtype == np.complex64 and images.ndim == 3:
        return np.ascontiguousarray(images).view(np.float32)
    if images.dtype == np.int16 and images.ndim == 4 and images.shape[3] == 2:
        return np.ascontiguousarray(images).reshape(*images.shape[:2], -1)
    raise TypeError(
        f"slc: found {images.dtype} of shape {images.shape}, expected complex64 (date, y, x) or int16 "
        "(date, y, x, 2), real and imaginary part; convert with astype, and give a single image a leading axis of 1"
    )


def check_angles(flattening: NDArray[np.int16] | None, shape: tuple[int, ...]) -> NDArray[np.int16]:
    if flattening is None:
        return np.empty((shape[0], 0, 0), np.int16)
    angles = np.asarray(flattening)
    if angles.dtype != np.int16:
        raise TypeError(
            f"flattening: found {angles.dtype}, expected int16 binary angles; "
            "slidecloud.kernels.phase.encode makes them from radians"
        )
    check_shape("flattening", angles.shape, shape)
    return np.ascontiguousarray(angles)


def check_shape(name: str, found: tuple[int, ...], expected: tuple[int, ...]) -> None:
    if tuple(found) != tuple(expected):
        raise ValueError(f"{name}: found shape {tuple(found)}, expected {tuple(expected)}, one value for each sample")


def check_dates(reference: ArrayLike, secondary: ArrayLike, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = _dates("reference", reference, count), _dates("secondary", secondary, count)
    if first.shape != second.shape:
        raise ValueError(f"secondary: found {second.size} dates, expected {first.size}, one for each reference")
    return first, second


def _dates(name: str, values: ArrayLike, count: int) -> NDArray[np.int64]:
    dates = np.asarray(values)
    if dates.ndim != 1 or (dates.size and not np.issubdtype(dates.dtype, np.integer)):
        raise TypeError(f"{name}: found {dates.dtype} of shape {dates.shape}, expected integer date indices (pair,)")
    if dates.size and (dates.min() < 0 or dates.max() >= count):
        raise ValueError(
            f"{name}: found dates {dates.min()} to {dates.max()}, expected 0 to {count - 1}, places in slc"
        )
    return dates.astype(np.int64)
