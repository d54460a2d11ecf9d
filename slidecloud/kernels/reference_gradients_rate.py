"""The estimator ``rate`` in plain NumPy, written to be read: pairs without classes, explicit sums over pairs of pairs.

Model and formulas are those of the modules ``_gradients_regression`` and ``_gradients_regression_scatter``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._gradients_check import Axes, check_window
from slidecloud.kernels._gradients_types import DemErrorGradient, Flag, GradientStack
from slidecloud.kernels.reference_gradients import blocks, solve, sum_sigma
from slidecloud.types import Float64

Complex = NDArray[np.complex128]


def stack(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    *,
    reference: ArrayLike,
    secondary: ArrayLike,
    span: ArrayLike,
    baseline: ArrayLike,
    window: int | Axes = 10,
    gap: int | Axes | None = None,
    rounded: bool = True,
) -> tuple[GradientStack, DemErrorGradient]:
    """Gradients of a pair of the mean span, and of the DEM error; as `slidecloud.kernels.gradients` has them.

    Without ``rounded`` the samples are not rounded to the fixed-point numbers that the kernels sum exactly.
    """
    size, block = check_window(window, gap)
    first, last = np.asarray(reference), np.asarray(secondary)
    t, b = (np.asarray(values, np.float64) for values in (span, baseline))
    margin, weight, valid, products, distances = blocks(phase, coherence, size, block, "coherent", rounded=rounded)
    count = valid.sum(0).astype(np.int32)
    sizes = np.abs(products["x"]) + np.abs(products["y"])
    with np.errstate(invalid="ignore", divide="ignore"):
        own_coherence = (weight * valid).sum(0) / count
        mean_span = (sizes * t[:, None, None]).sum(0) / sizes.sum(0)
    flags = np.zeros(count.shape, np.uint8)
    found: dict[str, list[dict[str, Float64]]] = {"angle": [{}, {}], "sigma": [{}, {}]}
    for axis, p in products.items():
        (g, h), residual, normal = newton(p, t, b)
        fits = _deviations(residual, normal, t, b, (first, last), size, count, (sizes**2).sum(0))
        for bounded in (fits[2], fits[3]):
            flags[bounded] |= np.uint8(Flag.BOUNDED_SIGMA)
        mixing = normal[0, 1] / normal[0, 0]
        found["angle"][0][axis], found["angle"][1][axis] = g * mean_span, h
        found["sigma"][0][axis] = np.hypot(fits[0], mixing * fits[1]) * mean_span
        found["sigma"][1][axis] = fits[1]
    described = (distances, sizes, t, own_coherence, count, flags, "coherent", size, block)
    rate, error = (solve(found["angle"][k], found["sigma"][k], *described) for k in range(2))  # type: ignore[arg-type]
    inner = tuple(slice(m, n - m) for m, n in zip(margin, count.shape, strict=True))
    return (
        GradientStack._make(field[inner] for field in rate),
        DemErrorGradient(*(field[inner] for field in (error.x, error.y, error.x_sigma, error.y_sigma))),
    )


def newton(p: Complex, t: Float64, b: Float64) -> tuple[Float64, Complex, Float64]:
    """Solution (2, y, x), products turned back by it (pair, y, x), and A (2, 2, y, x); NaN where it fails."""
    d = np.stack([t, b])
    spread, shape = b.std(), p.shape[1:]
    start = np.array([k / spread if spread > 0 else 0.0 for k in (0, 1, -1, 2, -2)])
    candidates = np.stack([p * np.exp(-1j * h * b)[:, None, None] for h in start])
    best = np.argmax(np.abs(candidates.sum(1)) ** 2, axis=0)
    q = np.take_along_axis(candidates, best[None, None], axis=0)[0]
    total = q.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_span = ((q * total.conj()).real * t[:, None, None]).sum(0) / np.abs(total) ** 2
        solution = np.stack([np.angle(total) / mean_span, start[best]])
    stands, last = np.ones(shape, bool), np.full(shape, np.inf)
    for _ in range(3):
        q = p * np.exp(-1j * np.einsum("dyx,dk->kyx", solution, d))
        normal = np.einsum("kyx,ik,jk->ijyx", q.real, d, d)
        damped = normal.copy()
        damped[1, 1] += 1e-3 * normal[0, 0] * (np.abs(b).max() / t.max()) ** 2
        determinant = damped[0, 0] * damped[1, 1] - damped[0, 1] ** 2
        stands &= (damped[0, 0] > 0) & (determinant > 0)
        right = np.einsum("kyx,ik->iyx", q.imag, d)
        with np.errstate(invalid="ignore", divide="ignore"):
            change = np.stack([
                damped[1, 1] * right[0] - damped[0, 1] * right[1], damped[0, 0] * right[1] - damped[0, 1] * right[0]
            ]) / determinant  # fmt: skip
        solution = solution + change
        length = np.abs(change[0]) * t.max() + np.abs(change[1]) * np.abs(b).max()
        stands &= (length < 1e-3) | (2 * length < last)
        last = length
    stands &= np.abs(solution[0]) * t.max() <= 1.3
    q = p * np.exp(-1j * np.einsum("dyx,dk->kyx", solution, d))
    return np.where(stands, solution, np.nan), q, np.where(stands, np.einsum("kyx,ik,jk->ijyx", q.real, d, d), np.nan)


def _deviations(
    q: Complex,
    normal: Float64,
    t: Float64,
    b: Float64,
    dates: tuple[NDArray[np.int64], NDArray[np.int64]],
    window: Axes,
    count: NDArray[np.int32],
    square: Float64,
) -> tuple[Float64, Float64, NDArray[np.bool_], NDArray[np.bool_]]:
    """Standard deviations of the rate that there were without DEM error, and of the DEM error; where bounded."""
    q = np.where(np.isfinite(normal[0, 0]), q, 0.0)
    mixing = np.nan_to_num(normal[0, 1] / normal[0, 0])
    t, e = t[:, None, None] * np.ones_like(mixing), b[:, None, None] - mixing * t[:, None, None]
    weights = [normal[0, 0], normal[1, 1] - mixing * normal[0, 1]]
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = [np.where(w > 0, w, np.nan) for w in weights]
        both = np.nan_to_num(t * e * q.real / np.sqrt(scale[0] * scale[1]))
        fits = [np.nan_to_num(f * f * q.real / w) for f, w in zip((t, e), scale, strict=True)]
    found = [
        sum_sigma(f * q.imag, f * q.real, [fit, both], *dates, window, count, square)
        for f, fit in zip((t, e), fits, strict=True)
    ]
    return found[0][0] / scale[0], found[1][0] / scale[1], found[0][1], found[1][1]
