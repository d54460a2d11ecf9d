"""Velocity from its gradients: put together over a patch, at rest on the stable ground around, without unwrapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.kernels._gradients_check import Axes, check_window
from slidecloud.kernels._gradients_types import GradientStack
from slidecloud.kernels._integration_solver import Blocks, Problem
from slidecloud.types import Float32, Float64

DRAWS: Final = 6
"""Fields of noise from which sigma is found."""


class Rates(NamedTuple):
    """Gradients of velocity, float32 (y, x) m/yr per pixel step along columns and rows, and their standard errors."""

    x: Float32
    y: Float32
    x_sigma: Float32
    y_sigma: Float32


class Integrated(NamedTuple):
    """What `integrate` returns.

    Attributes
    ----------
    velocity
        float32 (y, x) m/yr, positive towards the satellite, relative to the stable ground; NaN where no window of a
        known gradient holds the pixel, and where known gradients do not lead to stable ground.
    sigma
        float32 (y, x) m/yr, its standard error; NaN where velocity is, and everywhere without draws.
    false_offset
        m/yr, the largest absolute velocity found on stable ground while it was treated as if it might move; NaN where
        there is none to spare.
    sigma_factor
        By how much such velocities exceed the sigmas that the gradients' own promise, at least 1; sigma holds it.
    """

    velocity: Float32
    sigma: Float32
    false_offset: float
    sigma_factor: float


def gradient_rates(stack: GradientStack, *, wavelength: float) -> Rates:
    """Gradients of velocity, positive where it grows towards the satellite, from stacked phase gradients.

    Parameters
    ----------
    stack
        Of one common set of pairs, best of one season: where neighbours rest on different pairs, and the ground moves
        unevenly through the year, gradients do not belong to one velocity and false offsets grow.
    wavelength
        m.
    """
    rate = np.float32(-wavelength / (4 * np.pi)) / np.where(stack.mean_span > 0, stack.mean_span, np.nan)
    steepness = np.abs(rate)
    return Rates(
        *(
            m.astype(np.float32)
            for m in (stack.x * rate, stack.y * rate, stack.x_sigma * steepness, stack.y_sigma * steepness)
        )
    )


def integrate(
    x: Float32,
    y: Float32,
    x_sigma: Float32,
    y_sigma: Float32,
    *,
    stable: NDArray[np.bool_],
    window: int | Axes = 10,
    gap: int | Axes | None = None,
    hold: float = 2.0,
    smooth: float = 0.5,
    draws: int = DRAWS,
    seed: int = 0,
) -> Integrated:
    """Line-of-sight velocity over a patch from the rates of `gradient_rates`.

    Parameters
    ----------
    x, y
        float32 (y, x) m/yr per pixel step along columns and along rows, positive where velocity towards the satellite
        grows with the index; NaN = unknown. As ``coherent`` stacking gives them, for even windows half a pixel after
        the pixel.
    x_sigma, y_sigma
        float32 (y, x), their standard errors; NaN or 0 = unknown.
    stable
        bool (y, x), ground that does not move, best on all sides of what does.
    window, gap
        Pixels, or (y, x) pixels, as the gradients were stacked.
    hold
        Windows. Waves longer than this are held at zero on stable ground; shorter ones are free there.
    smooth
        Windows. Waves shorter than this fade.
    draws
        Fields of noise for sigma; 0 leaves sigma out.
    seed
        Of the noise: equal input gives equal sigma.

    Raises
    ------
    ValueError
        If shapes disagree, an option is out of range, or no gradient is known that leads to stable ground.

    Notes
    -----
    A gradient is the difference of the means of two blocks over the distance of their centres
    (`gradients.accumulate`). Sought is the velocity of the least sum of squared misfits of such differences over
    sigma², of c v² over stable ground, and of its roughness. Comparing block means, rather than local slopes, gives
    back what the window has smoothed, down to waves of about eight pixels for windows of ten; of shorter ones blocks
    see little. Without noise a slide of 24 x 18 pixels comes back to 97 %, where the integral of local slopes, a
    smoothed field, holds 85 %; one of 14 x 10 pixels to 89 % in place of 68 %. c is the weight that gradients give to
    a wave of the length `hold`.

    *Sigma.* Windows overlap, so errors of neighbouring gradients are alike, and most of an error is itself the
    gradient of a field. The normal matrix, which takes gradients for independent, tells nothing of this. So noise is
    drawn as speckle makes it, white phase seen through the same blocks and scaled to each gradient's sigma, and solved
    for as data are. At low coherence and in atmosphere errors are larger than that. Therefore stable ground is set free
    in squares as large as what may move, and its velocity found from the rest: the largest is the false offset, and
    sigma is scaled by the ratio of these velocities to what was drawn, where that is above 1. In simulated speckle of
    coherence 0.1 errors scatter by 1.25 of what is drawn, and by 1.02 sigma. In narrow patches the squares are smaller
    than the slide and sigma is short: by a fifth in the median of tests/comparison. What smoothing takes from a slide
    is not in sigma; `injection.recovered` tells it.
    """
    data, sigma = _check(x, y, x_sigma, y_sigma, stable)
    if not (hold > 0 and smooth > 0 and draws >= 0):
        raise ValueError(
            f"hold, smooth, draws: found {hold}, {smooth}, {draws}, expected windows above 0, and 0 or more"
        )
    size, block = check_window(window, gap)
    linked = _linked(np.isfinite(sigma), stable, size)
    problem = Problem(Blocks(x.shape, size, block), data, sigma, smooth * max(size))
    level = (2 * np.pi / (hold * max(size))) ** 2
    noise = _noise(problem, draws, seed)
    found, drawn = _solve(problem, noise, stable, level)
    free, promised = _set_free(problem, noise, stable & linked, level)
    factor = max(1.0, float(np.sqrt(np.mean(free**2) / np.mean(promised**2)))) if draws and free.size else 1.0
    return Integrated(
        np.where(linked, found, np.nan).astype(np.float32),
        np.where(linked, factor * drawn, np.nan).astype(np.float32),
        float(np.abs(free).max(initial=0.0)) if free.size else float("nan"),
        factor,
    )


def _check(
    x: Float32, y: Float32, x_sigma: Float32, y_sigma: Float32, stable: NDArray[np.bool_]
) -> tuple[Float64, Float64]:
    """Gradients and their sigmas, (2, y, x) each, 0 and infinite where unknown."""
    shapes = {values.shape for values in (x, y, x_sigma, y_sigma, stable)}
    if len(shapes) != 1 or x.ndim != 2:
        raise ValueError(f"x, y, sigmas and stable: found shapes {sorted(shapes)}, expected one shape (y, x)")
    if stable.dtype != np.bool_:
        raise ValueError(f"stable: found dtype {stable.dtype}, expected bool")
    gradients, sigmas = (np.stack(each).astype(np.float64) for each in ((x, y), (x_sigma, y_sigma)))
    known = np.isfinite(gradients) & np.isfinite(sigmas) & (sigmas > 0)
    if not known.any():
        raise ValueError(
            "x, y: found no gradient with a sigma, expected some; the coherence is all zero, or there are fewer than "
            "two pairs"
        )
    return np.where(known, gradients, 0.0), np.where(known, sigmas, np.inf)


def _linked(known: NDArray[np.bool_], stable: NDArray[np.bool_], size: Axes) -> NDArray[np.bool_]:
    """Pixels in windows of known gradients that are linked to stable ground by others."""
    # The window of a gradient, mirrored, is what holds a pixel.
    origin = [-1 if side % 2 == 0 else 0 for side in size]
    held = ndimage.binary_dilation(known.any(0), np.ones(size, dtype=bool), origin=origin)
    labels, count = ndimage.label(held, np.ones((3, 3)))
    anchored = np.zeros(count + 1, dtype=bool)
    anchored[labels[stable]] = True
    anchored[0] = False
    linked: NDArray[np.bool_] = anchored[labels]
    if not linked.any():
        raise ValueError(
            "stable: found no stable pixel within a window of a known gradient, expected some around what moves; "
            "take a larger patch or name the stable ground"
        )
    return linked


def _noise(problem: Problem, draws: int, seed: int) -> Float64:
    """Gradients of noise (draw, 2, y, x) whose standard deviations are those of the data; 0 for unknown ones."""
    blocks, random = problem.blocks, np.random.default_rng(seed)
    white = blocks.see(random.standard_normal((draws, *blocks.padded)))
    known = np.isfinite(problem.sigma)
    noise: Float64 = white / blocks.gain * np.where(known, problem.sigma, 0.0)
    return noise


def _solve(problem: Problem, noise: Float64, held: NDArray[np.bool_], level: float) -> tuple[Float64, Float64]:
    """Field at rest where it is held, and standard deviation of those of noise, (y, x) each; NaN without noise."""
    hold = np.where(held, level, 0.0)
    fields = problem.solve(np.concatenate([problem.data[None], noise]), hold)
    if not len(noise):
        return fields[0], np.full(fields[0].shape, np.nan)
    # Few draws tell the variance of a pixel badly, and it is as smooth as the windows.
    variance = ndimage.uniform_filter(np.mean(fields[1:] ** 2, axis=0), problem.blocks.size, mode="nearest")
    return fields[0], np.sqrt(variance)


def _set_free(problem: Problem, noise: Float64, stable: NDArray[np.bool_], level: float) -> tuple[Float64, Float64]:
    """Velocities of stable ground found without knowing that it rests, and the sigmas promised there, (pixel,) both."""
    found: list[Float64] = []
    promised: list[Float64] = []
    for free in _squares(stable, problem.blocks.size):
        velocity, sigma = _solve(problem, noise, stable & ~free, level)
        found.append(velocity[free])
        promised.append(sigma[free])
    return np.concatenate([np.zeros(0), *found]), np.concatenate([np.zeros(0), *promised])


def _squares(stable: NDArray[np.bool_], size: Axes) -> Iterator[NDArray[np.bool_]]:
    """Stable ground in the black and in the white squares of a chessboard, whose squares are as wide as the largest
    area that may move, at least a window; a window along the patch's edge always stays held."""
    rows, columns = stable.shape
    labels, count = ndimage.label(~stable)
    largest = float(np.bincount(labels.ravel())[1:].max()) if count else 0.0
    side = round(min(max(np.sqrt(largest), *size), rows / 2, columns / 2))
    inner = np.zeros_like(stable)
    inner[size[0] : rows - size[0], size[1] : columns - size[1]] = True
    board = (np.arange(rows)[:, None] // side + np.arange(columns)[None] // side) % 2
    for colour in range(2):
        free = stable & inner & (board == colour)
        if free.any():
            yield free
