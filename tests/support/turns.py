"""Stacks of unwrapped pairs with errors of whole turns put into connected regions, and what a repair made of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter, label

from slidecloud.kernels.closure import triplets
from slidecloud.kernels.cycles import Mended

TURN = 2 * np.pi


class Broken(NamedTuple):
    phase: np.ndarray  # (pair, pixel) float32 rad
    errors: np.ndarray  # (pair, pixel) int, turns put in
    reference: np.ndarray
    secondary: np.ndarray
    shape: tuple[int, int]


class Outcome(NamedTuple):
    """Shares; ``worse`` is a number of pixel-pairs."""

    handled: float
    repaired: float
    sound_rejected: float
    worse: int
    unverifiable_touched: int


def network(dates, reach):
    pairs = [(i, j) for i in range(dates) for j in range(i + 1, min(dates, i + reach + 1))]
    return np.array(pairs).T


def region(rng, shape):
    """A connected region of 5 to 40 % of the scene, with or without holes: an ellipse, perhaps cut, or irregular."""
    row, column = np.indices(shape)
    while True:
        if rng.random() < 0.5:
            y, x, ratio = rng.uniform(0, shape[0]), rng.uniform(0, shape[1]), rng.uniform(0.5, 2)
            height = -(((row - y) * ratio) ** 2) - ((column - x) / ratio) ** 2
        else:
            height = gaussian_filter(rng.normal(size=shape), min(shape) / 8)
        labels, _ = label(height > np.quantile(height, 1 - rng.uniform(0.05, 0.6)))
        sizes = np.bincount(labels.ravel())[1:]
        if 0.05 <= sizes.max() / height.size <= 0.4:
            return labels == sizes.argmax() + 1


def broken(seed, *, shape=(60, 80), dates=20, reach=3, factor=0.05, noise=0.4, gaps=0.03, extra=()):
    """Dates with motion and atmosphere, pairs with constants and noise of their own, errors in a share of the pairs."""
    rng = np.random.default_rng(seed)
    reference, secondary = np.concatenate([network(dates, reach).T, np.array(extra, int).reshape(-1, 2)]).T
    size = shape[0] * shape[1]
    air = np.stack([gaussian_filter(rng.normal(size=shape), 8).ravel() for _ in range(dates)])
    motion = np.outer(np.arange(dates), gaussian_filter(rng.normal(size=shape), 10).ravel())
    date = 1.5 * air / air.std() + 0.3 * motion / np.abs(motion).max(axis=1).mean()
    level = 10 * rng.normal(size=(reference.size, 1))
    phase = date[secondary] - date[reference] + level + noise * rng.normal(size=(reference.size, size))
    phase[rng.random(phase.shape) < gaps] = np.nan
    errors = np.zeros(phase.shape, int)
    number = max(1, round(factor * reference.size))
    for pair in rng.choice(reference.size, number, replace=False):
        where = region(rng, shape).ravel()
        errors[pair, where] = rng.choice([-1, 1])
    errors[np.isnan(phase)] = 0
    return Broken((phase + TURN * errors).astype(np.float32), errors, reference, secondary, shape)


def outcome(before: Broken, mended: Mended) -> Outcome:
    """What became of the errors, up to a whole number of turns a pair, which no loop can show."""
    loops = triplets(before.reference, before.secondary)
    known = np.isfinite(before.phase)
    in_loop = np.zeros(known.shape, bool)
    for three in loops:
        in_loop[three] |= known[three].all(axis=0)
    outside = np.ones(len(known), bool)
    outside[loops.ravel()] = False
    after = before.errors + mended.cycles
    for pair in range(len(after)):
        kept = after[pair][known[pair] & ~mended.rejected[pair]]
        values, counts = np.unique(kept, return_counts=True)
        if counts.size:
            after[pair] -= values[counts.argmax()]
    wrong = known & (before.errors != 0)
    seen = wrong & in_loop
    sound = known & (before.errors == 0)
    fixed = (after == 0) & ~mended.rejected
    worse = known & ~mended.rejected & (np.abs(after) > np.abs(before.errors))
    touched = (mended.cycles[outside] != 0) | mended.rejected[outside]
    return Outcome(
        float((fixed | mended.rejected)[seen].mean()),
        float(fixed[seen].mean()),
        float(mended.rejected[sound].mean()),
        int(worse.sum()),
        int(touched.sum()),
    )
