"""Gradient views of simple moving shapes in noise whose law is known: quick, and independent of the package's own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import ndimage

from slidecloud.kernels.views import SPACING, GradientView

BLOCK, WIDE, LEVER = 4, 10, 6
"""Pixels of a block of the gradient estimator along its axis and across, and the distance of its two blocks."""


class Moving(NamedTuple):
    view: GradientView
    boxes: np.ndarray
    masks: list[np.ndarray]
    velocity: np.ndarray


def shape(side, centre, length, width, direction, kind="ellipse"):
    """Relative speed (side, side) of a shape of so many pixels: 1 inside, falling to 0 over its margin."""
    y, x = np.mgrid[:side, :side] + 0.5
    along = ((x - centre[1]) * np.cos(direction) + (y - centre[0]) * np.sin(direction)) / (length / 2)
    across = ((y - centre[0]) * np.cos(direction) - (x - centre[1]) * np.sin(direction)) / (width / 2)
    if kind == "gauss":
        return np.exp(-2 * (along**2 + across**2))
    if kind == "tongue":  # widens towards its toe
        across = across / np.interp(along, [-1, 1], [0.4, 1.0])
        inside = np.minimum(1 - np.abs(across), (1 - np.abs(along)) * 2)
    else:
        inside = 1 - np.hypot(along, across)
    rise = np.clip(inside / 0.3, 0, 1)
    return rise * rise * (3 - 2 * rise)


def gradient(velocity, axis):
    """What the estimator with two blocks sees of a velocity, 1/yr."""
    size = [WIDE, WIDE]
    size[axis] = BLOCK
    mean = ndimage.uniform_filter(velocity, size, mode="reflect")
    places = np.arange(velocity.shape[axis])
    after, before = (np.clip(places + shift, 0, len(places) - 1) for shift in (LEVER // 2, -LEVER // 2))
    return (mean.take(after, axis) - mean.take(before, axis)) / (LEVER * SPACING)


def view(velocity, *, sigma=2e-5, seed=0, atmosphere=0.0, holes=0.0):
    """A view of a velocity (y, x) m/yr in white phase noise that gives gradients this standard error (1/yr)."""
    random = np.random.default_rng(seed)
    pixel = sigma * LEVER * SPACING / np.sqrt(2 / (BLOCK * WIDE))
    seen = velocity + random.normal(0, pixel, velocity.shape)
    if atmosphere:
        seen = seen + atmosphere * _turbulence(random, velocity.shape)
    y, x = (gradient(seen, axis).astype(np.float32) for axis in range(2))
    if holes:
        bad = ndimage.gaussian_filter(random.normal(size=velocity.shape), 8)
        bad = bad < np.quantile(bad, holes)
        x[bad] = y[bad] = np.nan
    level = np.where(np.isfinite(x), np.float32(sigma), np.float32(np.nan))
    return GradientView(x, y, level, level.copy(), np.full_like(x, 0.4), 20.0)


def scene(seed, *, side=416, count=6, strength=(4.0, 15.0), sigma=2e-5, kinds=("ellipse", "tongue", "gauss"), **noise):
    """Slides of 300 m to 3 km that do not overlap; `strength` is the greatest gradient of each in sigmas."""
    random = np.random.default_rng(1000 + seed)
    velocity, taken = np.zeros((side, side)), np.zeros((side, side), dtype=bool)
    boxes, masks = [], []
    while len(boxes) < count:
        length = np.exp(random.uniform(np.log(8), np.log(75)))
        width = length * random.uniform(0.35, 0.9)
        centre = random.uniform(0, side, 2)
        kind = kinds[random.integers(len(kinds))]
        made = shape(side, centre, length, width, random.uniform(0, np.pi), kind)
        mask = made > 0.1
        if mask.sum() < 20 or (ndimage.binary_dilation(mask, iterations=8) & taken).any():
            continue
        taken |= mask
        steepest = np.hypot(gradient(made, 0), gradient(made, 1)).max()
        velocity += made * random.choice([-1, 1]) * random.uniform(*strength) * sigma / steepest
        rows, columns = (np.flatnonzero(mask.any(1 - axis)) for axis in range(2))
        boxes.append([rows[0], columns[0], rows[-1] + 1, columns[-1] + 1])
        masks.append(mask)
    found = np.array(boxes, dtype=np.float32).reshape(-1, 4)
    return Moving(view(velocity, sigma=sigma, seed=seed, **noise), found, masks, velocity)


def _turbulence(random, shape):
    """Noise of standard deviation 1 whose spectrum falls as the turbulent atmosphere's, power -8/3."""
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None])
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(random.normal(size=shape)) * frequency ** (-4 / 3), shape)
    return field / field.std()
