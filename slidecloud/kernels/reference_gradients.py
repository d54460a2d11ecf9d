"""Gradient stacking in plain NumPy: every estimator of `slidecloud.kernels.gradients`, written to be read.

Whole arrays, all pairs in memory, explicit matrices of which pairs share a date. The fast kernels are tested
against it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._gradients_check import Axes, Estimator, check_window
from slidecloud.kernels._gradients_types import Flag, GradientStack
from slidecloud.kernels._gradients_unwrap import flood_unwrap
from slidecloud.kernels._gradients_variance import grid_reach, grid_step
from slidecloud.kernels._gradients_windows import sample_step
from slidecloud.types import Float32, Float64


def stack(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    *,
    reference: ArrayLike,
    secondary: ArrayLike,
    span: ArrayLike | None = None,
    window: int | Axes = 10,
    gap: int | Axes | None = None,
    estimator: Estimator = "coherent",
    rounded: bool = True,
) -> GradientStack:
    """Mean phase gradients; parameters, result and units as of `slidecloud.kernels.gradients.stack`.

    Without ``rounded`` the samples are not rounded to the fixed-point numbers that the kernels sum exactly.
    """
    size, block = check_window(window, gap)
    first, last = np.asarray(reference), np.asarray(secondary)
    years = np.zeros(first.size) if span is None else np.asarray(span, dtype=np.float64)
    margin, weight, valid, products, distances = blocks(phase, coherence, size, block, estimator, rounded=rounded)
    angles, flags = {}, np.zeros(weight.shape[1:], np.uint8)
    count = valid.sum(0).astype(np.int32)
    own_coherence = (weight * valid).sum(0) / np.where(count > 0, count, np.nan)
    single = estimator in ("sum", "rewrapped")
    sizes = valid.astype(float) if single else np.abs(products["x"]) + np.abs(products["y"])
    sigmas = {}
    for axis, p in products.items():
        total = p.sum(0)
        if single:
            summed = total.imag if estimator == "sum" else _rewrapped(total.imag, own_coherence, count)
            mean_vector = np.ones_like(total)
            with np.errstate(invalid="ignore", divide="ignore"):
                angles[axis] = summed / total.real
                across = p.imag - p.real * (total.imag / total.real)
        else:
            angles[axis] = np.angle(total)
            mean_vector = np.exp(1j * np.angle(total))
            across = (p * mean_vector.conj()).imag
        along = (p * mean_vector.conj()).real
        with np.errstate(invalid="ignore", divide="ignore"):
            fits, square = [along / along.sum(0)], (sizes**2).sum(0)
            found, bounded = sum_sigma(np.nan_to_num(across), along, fits, first, last, size, count, square)
            sigmas[axis] = found / np.abs(along.sum(0))
        flags[bounded] |= np.uint8(Flag.BOUNDED_SIGMA)
    result = solve(angles, sigmas, distances, sizes, years, own_coherence, count, flags, estimator, size, block)
    inner = tuple(slice(m, n - m) for m, n in zip(margin, count.shape, strict=True))
    return GradientStack._make(field[inner] for field in result)


class Blocks(NamedTuple):
    """What the blocks hold of every pair, padded by ``margin``: see `blocks`."""

    margin: list[int]
    weight: Float64
    valid: NDArray[np.bool_]
    products: dict[str, NDArray[np.complex128]]
    distances: dict[str, Float64]


def blocks(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    size: Axes,
    block: Axes,
    estimator: Estimator,
    *,
    rounded: bool,
) -> Blocks:
    """Weights, whether pairs count, and for each axis products (pair, y, x) and distances along x and y (2, y, x)."""
    # The grid of sigma goes on outside, as far as windows reach the input.
    margin = [-(-w // s) * s for w, s in zip(size, grid_step(size), strict=True)]
    padding = ((0, 0), (margin[0], margin[0]), (margin[1], margin[1]))
    inside = np.pad(np.ones(phase.shape[1:]), padding[1:])
    phase, coherence = np.pad(phase, padding), np.pad(coherence, padding)
    weight = coherence.astype(np.float64) / 255.0
    z = weight * np.exp(1j * phase * (np.pi / 32768.0))
    if rounded:
        one = 255.0 * sample_step(size[1])
        z = (np.rint(z.real * one) + 1j * np.rint(z.imag * one)) / one
    if estimator == "coherent":
        boxes = {
            "x": ((size[0], block[1]), (0, size[1] - block[1])),
            "y": ((block[0], size[1]), (size[0] - block[0], 0)),
        }
    else:
        boxes = {"x": (size, (0, 1)), "y": (size, (1, 0))}
    valid, whole = np.ones(phase.shape, bool), np.ones(phase.shape, bool)
    for box, shift in boxes.values():
        for offset in ((0, 0), shift):
            number = boxes_of(coherence > 0, box, offset, size)
            valid &= 4 * number >= box[0] * box[1]
            whole &= number == boxes_of(inside, box, offset, size)
    products, distances = {}, {}
    for axis, (box, shift) in boxes.items():
        p = boxes_of(z, box, shift, size) * boxes_of(z, box, (0, 0), size).conj()
        if estimator == "coherent":
            distance = _distances_by_pair(weight, np.abs(p) * valid, whole, box, shift, size)
        elif estimator == "overlap":
            distance = _centres(weight.sum(0), box, shift, size) - _centres(weight.sum(0), box, (0, 0), size)
            shared_box = (box[0] - shift[0], box[1] - shift[1])
            shared = boxes_of(weight**2, shared_box, shift, size) * valid
            all_weights = boxes_of(weight, box, shift, size) * boxes_of(weight, box, (0, 0), size) * valid
            with np.errstate(invalid="ignore"):
                distance = distance / (1.0 - shared.sum(0) / all_weights.sum(0))
            p = p - shared
        else:
            p = 1.0 + 1j * np.angle(p)
            distance = np.stack([np.full(phase.shape[1:], float(shift[1])), np.full(phase.shape[1:], float(shift[0]))])
        products[axis], distances[axis] = p * valid, distance
    return Blocks(margin, weight, valid, products, distances)


def _distances_by_pair(
    weight: Float64, sizes: Float64, whole: NDArray[np.bool_], box: Axes, shift: Axes, window: Axes
) -> Float64:
    """Mean of the pairs' distances weighted by their products' sizes; pairs without holes have that of mean weights."""
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weight.sum(0) / np.maximum((weight > 0).sum(0), 1)
        common = _centres(mean, box, shift, window) - _centres(mean, box, (0, 0), window)
        own = np.stack([_centres(w, box, shift, window) - _centres(w, box, (0, 0), window) for w in weight], axis=1)
        each = np.nan_to_num(np.where(whole, common[:, None], own), posinf=0.0, neginf=0.0)
        total: Float64 = (each * sizes).sum(1) / sizes.sum(0)
    return total


def boxes_of(values: NDArray[Any], box: Axes, shift: Axes, window: Axes) -> NDArray[Any]:
    """Sums over boxes (y, x) whose first pixel is ``shift`` from the first pixel of the window around each pixel."""
    before = [(w - 1) // 2 for w in window]
    after = [b + s for b, s in zip(box, shift, strict=True)]
    margins = [(0, 0)] * (values.ndim - 2) + [(b, a) for b, a in zip(before, after, strict=True)]
    padded = np.pad(values, margins)
    sums: NDArray[Any] = sliding_window_view(padded, box, axis=(-2, -1)).sum(axis=(-2, -1))
    rows, columns = values.shape[-2:]
    return sums[..., shift[0] : shift[0] + rows, shift[1] : shift[1] + columns]


def _centres(weight: Float64, box: Axes, shift: Axes, window: Axes) -> Float64:
    """Weighted centre (x, y) of the box of each pixel, in pixels of the array."""
    rows, columns = np.indices(weight.shape)
    # Coordinates run on outside, where the weight is zero, so they need no padding of their own.
    mass = boxes_of(weight, box, shift, window)
    with np.errstate(invalid="ignore"):
        parts = [boxes_of(weight * grid, box, shift, window) / mass for grid in (columns, rows)]
    return np.stack(parts).astype(np.float64)


def _rewrapped(total: Float64, quality: Float64, count: NDArray[np.int32]) -> Float64:
    wrapped = np.where(count > 0, np.mod(total + np.pi, 2 * np.pi) - np.pi, np.nan)
    seeds = np.argsort(-np.nan_to_num(quality), axis=None, kind="stable")
    result: Float64 = flood_unwrap(wrapped, np.nan_to_num(quality), seeds)
    return result


def relations(reference: NDArray[np.int64], secondary: NDArray[np.int64]) -> tuple[Float64, Float64]:
    """(pair, pair) matrices: different pairs that share a date in the same role, and those that share it in a chain."""
    same = (reference[:, None] == reference[None]).astype(float) + (secondary[:, None] == secondary[None])
    np.fill_diagonal(same, 0.0)
    chain = (reference[:, None] == secondary[None]).astype(float) + (secondary[:, None] == reference[None])
    return same, chain


def sum_sigma(
    across: Float64,
    along: Float64,
    fits: list[Float64],
    reference: NDArray[np.int64],
    secondary: NDArray[np.int64],
    window: Axes,
    count: NDArray[np.int32],
    square: Float64,
) -> tuple[Float64, NDArray[np.bool_]]:
    """Standard deviation of the sum over pairs of ``across`` (pair, y, x), and where its plain second moment is <= 0.

    The formulas are those of the module ``_gradients_variance``, with explicit sums over pairs of pairs. What was
    fitted takes a share from it: the products of ``fits``, each (pair, y, x), summed over pairs that share a date.
    ``square`` is the sum over pairs of the squared sizes of the products.
    """
    step, reach = grid_step(window), grid_reach(window)
    grid = (slice(None), slice(None, None, step[0]), slice(None, None, step[1]))
    s, c, squared = across[grid], along[grid], square[grid[1:]]
    same, chain = relations(reference, secondary)
    own, own_along = np.sum(s**2, 0), np.sum(c**2, 0)
    role_along, chain_along = (np.einsum("kyx,kl,lyx->yx", c, m, c) for m in (same, chain))
    usable = (own > 0) & (count[grid[1:]] > 0)
    safe = np.where(usable, own, 1.0)
    box = (2 * reach[0] + 1, 2 * reach[1] + 1)  # a window as wide as the box starts ``reach`` before the point
    number = boxes_of(usable.astype(float), box, (0, 0), box)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios = [
            boxes_of(np.where(usable, np.einsum("kyx,kl,lyx->yx", s, m, s) / safe, 0.0), box, (0, 0), box) / number
            for m in (same, chain)
        ]
        role, linked = own * ratios[0], own * ratios[1]
        air = np.where(chain_along != 0, -linked / np.where(chain_along != 0, chain_along, 1.0), 0.0)
        air = np.clip(air, 0.0, own / (2 * own_along))
        speckle = np.maximum(own + role - air * (2 * own_along + role_along), own - 2 * air * own_along)
        variance = speckle + air * (2 * own_along + role_along - chain_along)
        related = np.eye(len(same)) + same + chain
        left = 1.0 - sum(np.einsum("kyx,kl,lyx->yx", f[grid], related, f[grid]) for f in fits)
        known = usable & (left > 1e-4) & (variance > 0)
        relative = _between_points(np.where(known, variance / left / squared, np.nan), step, count.shape)
        sigma = np.sqrt(np.where(count > 0, relative * square, np.nan))
    bounded = _between_points((usable & (own + role + linked <= 0)).astype(float), step, count.shape) > 0
    return sigma, bounded & (count > 0)


def _between_points(values: Float64, step: Axes, shape: tuple[int, ...]) -> Float64:
    """Linear interpolation between the points of a grid that are not NaN; NaN without any of the four around."""
    rows, columns = np.indices(shape)
    total, weights = np.zeros(shape), np.zeros(shape)
    for down in range(2):
        for right in range(2):
            i, j = rows // step[0] + down, columns // step[1] + right
            share = np.where(down, rows % step[0], step[0] - rows % step[0]) * np.where(
                right, columns % step[1], step[1] - columns % step[1]
            )
            there = (i < values.shape[0]) & (j < values.shape[1])
            value = np.where(
                there, values[np.minimum(i, values.shape[0] - 1), np.minimum(j, values.shape[1] - 1)], np.nan
            )
            used = np.isfinite(value)
            total += np.where(used, share * np.nan_to_num(value), 0.0)
            weights += np.where(used, share, 0)
    return np.where(weights > 0, total / np.where(weights > 0, weights, 1.0), np.nan)


def solve(
    angles: dict[str, Float64],
    sigmas: dict[str, Float64],
    distances: dict[str, Float64],
    sizes: Float64,
    years: Float64,
    own_coherence: Float64,
    count: NDArray[np.int32],
    flags: NDArray[np.uint8],
    estimator: Estimator,
    size: Axes,
    block: Axes,
) -> GradientStack:
    """Gradients from angles and distances, pixel by pixel, and what describes the set of pairs."""
    result = {name: np.full(count.shape, np.nan, np.float32) for name in ("x", "y", "x_sigma", "y_sigma")}
    for i, j in np.argwhere(count > 0):
        matrix = np.array([distances["x"][:, i, j], distances["y"][:, i, j]])
        nominal = (size[0] - block[0]) * (size[1] - block[1]) if estimator == "coherent" else 1.0
        if not np.linalg.det(matrix) > 0.1 * nominal:
            continue
        inverse = np.linalg.inv(matrix)
        result["x"][i, j], result["y"][i, j] = inverse @ [angles["x"][i, j], angles["y"][i, j]]
        variance = inverse**2 @ [sigmas["x"][i, j] ** 2, sigmas["y"][i, j] ** 2]
        result["x_sigma"][i, j], result["y_sigma"][i, j] = np.sqrt(variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = sizes.sum(0) ** 2 / (sizes**2).sum(0)
        mean_span = (sizes * years[:, None, None]).sum(0) / sizes.sum(0)
    maps: list[Float32] = [values.astype(np.float32) for values in (effective, own_coherence, mean_span)]
    return GradientStack(**result, flags=flags, count=count, effective_pairs=maps[0], mean_coherence=maps[1],
                         mean_span=maps[2])  # fmt: skip
