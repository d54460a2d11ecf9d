"""Gradient stacking as one writes it with NumPy and SciPy: what the kernel's speed is compared with.

The same estimator and the same outputs as `slidecloud.kernels.gradients.stack` with its default window. Whole images,
one pair after the other, moving averages by ``scipy.ndimage.uniform_filter``, in float32 or, as NumPy computes unless
told otherwise, in float64. Where that is simpler, it does
less than the kernel: nothing along the border, distances of the blocks under the mean weights alone, no
flags.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates, uniform_filter

from slidecloud.types import Float32, Float64

WINDOW, BLOCK, LEVER = 10, 4, 6
STEP = 4
"""Pixels between the points at which sigma is found."""
BORDER = 12
"""Pixels without a result along the border: no fewer than a window, a multiple of ``STEP``."""
_REACH = 7
"""Points along the side of the box over which the ratios in sigma are averaged."""
_BEFORE, _AFTER = 2, 4
"""From a pixel to the centres of the filters that cover its two blocks; SciPy puts an even one half a pixel before."""

Int = NDArray[np.int64]


class PlainGradients(NamedTuple):
    """Maps (y, x) as of ``GradientStack``, NaN along the border."""

    x: Float32
    y: Float32
    x_sigma: Float32
    y_sigma: Float32
    count: Float32  # type: ignore[assignment]  # hides tuple.count, which nobody asks of maps
    effective_pairs: Float32
    mean_coherence: Float32
    mean_span: Float32


class _Axis(NamedTuple):
    """Of the blocks along one axis: which are cut out of a filtered image, and their size (rows, columns)."""

    here: tuple[slice, slice]
    following: tuple[slice, slice]
    box: tuple[int, int]


def stack(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    *,
    reference: Int,
    secondary: Int,
    span: Float64,
    precision: type[np.float32] | type[np.float64] = np.float32,
) -> PlainGradients:
    """Mean phase gradients by the coherent estimator; parameters and units as of the kernel's ``stack``."""
    shape = phase.shape[1:]
    inner = _cut(shape, 0, 0)
    size = phase[0][inner].shape
    axes = (
        _Axis(_cut(shape, 0, -_BEFORE), _cut(shape, 0, _AFTER), (WINDOW, BLOCK)),
        _Axis(_cut(shape, -_BEFORE, 0), _cut(shape, _AFTER, 0), (BLOCK, WINDOW)),
    )
    complexes = np.result_type(precision, np.complex64)
    total = np.zeros((2, *size), complexes)
    points = np.empty((2, len(phase), -(-size[0] // STEP), -(-size[1] // STEP)), complexes)
    magnitude, squared, spans, quality, count = np.zeros((5, *size), precision)
    weights: Float32 = np.zeros(shape, precision)
    for k, angle in enumerate(phase):
        weight = coherence[k] / precision(255)
        products, valid = _products(angle * precision(np.pi / 32768), weight, axes)
        sizes = np.abs(products[0]) + np.abs(products[1])
        for axis in range(2):
            total[axis] += products[axis]
            points[axis, k] = products[axis][::STEP, ::STEP]
        magnitude += sizes
        squared += sizes * sizes
        spans += sizes * precision(span[k])
        quality += weight[inner] * valid
        count += valid
        weights += weight
    total[:, count == 0] = np.nan
    with np.errstate(invalid="ignore", divide="ignore"):
        sigma = [
            np.sqrt(_variance(points[axis], reference, secondary, squared)) / np.abs(total[axis]) for axis in range(2)
        ]
        gradients = _solve(np.angle(total), sigma, _distances(weights, axes))
        maps = (count, magnitude**2 / squared, quality / count, spans / magnitude)
    return PlainGradients(*(_framed(values, shape, inner) for values in (*gradients, *maps)))


def _cut(shape: tuple[int, ...], down: int, right: int) -> tuple[slice, slice]:
    """The pixels that get a result, moved by some rows and columns."""
    return tuple(slice(BORDER + move, size - BORDER + move) for move, size in zip((down, right), shape, strict=True))  # type: ignore[return-value]


def _products(
    radians: Float32, weight: Float32, axes: tuple[_Axis, _Axis]
) -> tuple[list[NDArray[np.complex64]], NDArray[np.bool_]]:
    """Products of the blocks along x and along y, zero where a block has under a quarter of its pixels."""
    real, imag = weight * np.cos(radians), weight * np.sin(radians)
    mask = (weight > 0).astype(weight.dtype)
    products, valid = [], np.ones((), bool)
    for axis in axes:
        block = _mean(real, axis.box) + np.complex64(1j) * _mean(imag, axis.box)
        share = _mean(mask, axis.box)
        products.append(block[axis.following] * block[axis.here].conj())
        valid = valid & (share[axis.following] > 0.249) & (share[axis.here] > 0.249)
    for product in products:
        product *= valid
    return products, valid


def _mean(values: Float32, box: tuple[int, int]) -> Float32:
    """Means over boxes of ten and four pixels; those of ten cover the offsets -4 to 5, those of four -2 to 1."""
    averaged: Float32 = uniform_filter(
        values, box, mode="constant", origin=[-1 if side == WINDOW else 0 for side in box]
    )
    return averaged


def _variance(points: NDArray[np.complex64], reference: Int, secondary: Int, squared: Float32) -> Float32:
    """Variance of the sum across its mean direction, from pairs that share dates: `_gradients_variance` in the kernels.

    ``points`` is (pair, y, x) at every fourth pixel. With s across and c along the mean, sums over pairs that share a
    date follow from the sums of each date.
    """
    turned = points * np.exp(-1j * np.angle(points.sum(0))).astype(np.complex64)
    own, role, chain = _shared(turned.imag, reference, secondary)
    own_along, role_along, chain_along = _shared(turned.real, reference, secondary)
    usable = own > 0
    number = uniform_filter(usable.astype(np.float32), _REACH)
    role, chain = (own * uniform_filter(np.where(usable, r / own, 0), _REACH) / number for r in (role, chain))
    air = np.clip(-chain / chain_along, 0, own / (2 * own_along))
    speckle = np.maximum(own + role - air * (2 * own_along + role_along), own - 2 * air * own_along)
    variance = speckle + air * (2 * own_along + role_along - chain_along)
    left = 1 - (own_along + role_along + chain_along) / turned.real.sum(0) ** 2
    relative = variance / left / squared[::STEP, ::STEP]
    place = np.meshgrid(*(np.arange(n, dtype=np.float32) / STEP for n in squared.shape), indexing="ij")
    spread: Float32 = map_coordinates(relative, place, order=1, mode="nearest") * squared
    return spread


def _shared(values: Float32, reference: Int, secondary: Int) -> tuple[Float32, Float32, Float32]:
    """Sums of squares, of products of pairs that share a date in one role, and of pairs that share it in a chain."""
    flat = values.reshape(len(values), -1)
    dates = np.arange(secondary.max() + 1)[:, None]
    first = (dates == reference).astype(np.float32) @ flat
    last = (dates == secondary).astype(np.float32) @ flat
    own = (flat**2).sum(0)
    role, chain = (first**2).sum(0) + (last**2).sum(0) - 2 * own, 2 * (first * last).sum(0)
    shape = values.shape[1:]
    return own.reshape(shape), role.reshape(shape), chain.reshape(shape)


def _distances(weights: Float32, axes: tuple[_Axis, _Axis]) -> list[Float32]:
    """Pixels between the weighted centres of the blocks: of x along x and y, of y along x and y."""
    rows, columns = np.indices(weights.shape, np.float32)
    found = []
    for axis in axes:
        mass = _mean(weights, axis.box)
        for grid in (columns, rows):
            centre = _mean(weights * grid, axis.box) / mass
            found.append(centre[axis.following] - centre[axis.here])
    return found


def _solve(angle: Float32, sigma: list[Float32], distances: list[Float32]) -> tuple[Float32, ...]:
    """Gradients along x and y and their sigmas from the angles of both axes."""
    xx, xy, yx, yy = distances
    determinant = xx * yy - xy * yx
    x, y = (yy * angle[0] - xy * angle[1]) / determinant, (xx * angle[1] - yx * angle[0]) / determinant
    x_sigma = np.hypot(yy * sigma[0], xy * sigma[1]) / determinant
    y_sigma = np.hypot(xx * sigma[1], yx * sigma[0]) / determinant
    return x, y, x_sigma, y_sigma


def _framed(values: Float32, shape: tuple[int, ...], inner: tuple[slice, slice]) -> Float32:
    whole = np.full(shape, np.nan, np.float32)
    whole[inner] = values
    return whole
