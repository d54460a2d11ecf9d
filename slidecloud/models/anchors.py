"""Typical sizes of boxes, found by k-means under the distance 1 - IoU (Redmon & Farhadi 2017)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import DataError, Float64

_ROUNDS: Final = 100
_STARTS: Final = 8
_LARGEST_SAMPLE: Final = 20_000


def anchors(boxes: ArrayLike, *, count: int, seed: int = 0) -> Float64:
    """Sizes that boxes are measured against.

    Parameters
    ----------
    boxes
        (n, 4) top, left, bottom, right in pixels.
    count
        Number of sizes.
    seed
        Of the first guesses; the best of several is taken.

    Returns
    -------
    Float64
        (count, 2) height and width in pixels, by rising area.

    Raises
    ------
    DataError
        If there are fewer different sizes than asked for.
    """
    found = np.asarray(boxes, np.float64).reshape(-1, 4)
    sizes = found[:, 2:] - found[:, :2]
    sizes = sizes[(sizes > 0).all(1)]
    different = np.unique(sizes, axis=0)
    if len(different) < count:
        raise DataError(f"The boxes have {len(different)} different sizes; {count} anchors need as many. Add tiles.")
    random = np.random.default_rng(seed)
    if len(sizes) > _LARGEST_SAMPLE:
        sizes = random.choice(sizes, _LARGEST_SAMPLE, replace=False)
        different = np.unique(sizes, axis=0)
    tried = [_cluster(sizes, random.choice(different, count, replace=False)) for _ in range(_STARTS)]
    best = max(tried, key=lambda centres: float(overlap(sizes, centres).max(1).mean()))
    return best[np.argsort(best.prod(1), kind="stable")]


def overlap(sizes: Float64, others: Float64) -> Float64:
    """IoU (n, m) of boxes that share their centre, from sizes (n, 2) and (m, 2)."""
    common = np.minimum(sizes[:, None], others[None]).prod(2)
    union: Float64 = sizes.prod(1)[:, None] + others.prod(1)[None] - common
    shared: Float64 = common / union
    return shared


def _cluster(sizes: Float64, centres: Float64) -> Float64:
    """Lloyd's rounds with medians, until nothing changes; a cluster that loses its last member stays where it is."""
    for _ in range(_ROUNDS):
        nearest = overlap(sizes, centres).argmax(1)
        moved = np.stack(
            [
                np.median(sizes[nearest == k], axis=0) if (nearest == k).any() else centre
                for k, centre in enumerate(centres)
            ]
        )
        if np.array_equal(moved, centres):
            break
        centres = moved
    return centres
