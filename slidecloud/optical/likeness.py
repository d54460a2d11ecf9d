"""Whether two patches show the same: found from their pixels, whatever their names and coordinates say."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, product
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.types import DataError, Float32, Float64

SIDE: Final = 24
"""Cells along each side of a sketch."""

ALIKE: Final = 0.5
"""Correlation of sketches from which two patches are copies. Of simulated scenes of different ground it is 0 with a
spread of 0.045: among a hundred million pairs one may reach 0.27. Of copies that were turned, brightened, stretched,
blurred and made noisy it is at least 0.94, of two dates of one place 0.3 to 0.75."""

_AT_ONCE: Final = 256
_FLAT: Final = 1e-5
_MOST: Final = 2.0
_EVEN: Final = 1.0
"""Of what cells usually differ from those around: how much those of a frame, which may be noisy, do."""


def sketch(image: Float32) -> Float32:
    """What is where in a patch, without its colours and its brightness.

    Means of cells over all bands, each less the mean of its neighbourhood: nearly white, so that sketches of different
    ground hardly correlate. A frame of one colour is left out, as patches of different ground may share it.

    Parameters
    ----------
    image
        (band, y, x); NaN without data.

    Returns
    -------
    float32 (SIDE * SIDE,), mean 0 and length 1, or all 0 where nothing stands out.
    """
    known = np.isfinite(image)
    grey = np.where(known, image, 0.0).sum(0, dtype=np.float64) / np.maximum(known.sum(0), 1)
    seen = known.any(0)
    grey[~seen] = np.median(grey[seen]) if seen.any() else 0.0
    rows, columns = (_cells(side) for side in grey.shape)
    means = rows @ grey @ columns.T
    inside = ~_frame(means)
    weight = ndimage.uniform_filter(inside.astype(np.float64), 3, mode="nearest")
    around = ndimage.uniform_filter(means * inside, 3, mode="nearest") / np.maximum(weight, _FLAT)
    detail = np.where(inside, means - around, 0.0)
    usual = float(np.median(np.abs(detail[inside]))) if inside.any() else 0.0
    if usual <= _FLAT * float(np.abs(grey).max()):
        return np.zeros(SIDE * SIDE, np.float32)
    # One bright thing, such as a cloud, is not all there is.
    detail = np.clip(detail, -_MOST * usual, _MOST * usual)
    detail[inside] -= detail[inside].mean()
    found: Float32 = (detail / np.linalg.norm(detail)).ravel().astype(np.float32)
    return found


def likeness(sketches: Float32, others: Float32) -> tuple[Float32, NDArray[np.intp]]:
    """For each sketch (n, SIDE * SIDE) the highest correlation with one of the others (m, ...), turned or mirrored.

    Returns
    -------
    Correlation float32 (n,), and which of the others has it, (n,).
    """
    best, which = np.full(len(sketches), -1.0, np.float32), np.zeros(len(sketches), np.intp)
    for first in range(0, len(sketches), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        for turned in _turns(sketches[part]):
            found = turned @ others.T
            here = found.argmax(1)
            value = found[np.arange(len(found)), here]
            better = value > best[part]
            best[part][better], which[part][better] = value[better], here[better]
    return best, which


def check_unlike(sketches: Mapping[str, Float32], names: Mapping[str, list[str]]) -> None:
    """Refuse parts that hold copies of the same image, be they turned, mirrored, brighter, noisier or blurred.

    Other parts of the same image, shifted by more than a cell, are not found: sources and places tell of those.

    Parameters
    ----------
    sketches
        Those of each part, (n, SIDE * SIDE), by its name.
    names
        Of the patches in the same order, for messages.

    Raises
    ------
    DataError
        If two parts do; names the most alike pair and counts the patches that have a copy.
    """
    for one, other in combinations(sketches, 2):
        if not (len(sketches[one]) and len(sketches[other])):
            continue
        best, which = likeness(sketches[other], sketches[one])
        copies = int((best > ALIKE).sum())
        if copies:
            worst = int(best.argmax())
            raise DataError(
                f"{names[other][worst]} ({other}) shows the same as {names[one][int(which[worst])]} ({one}): their "
                f"pixels correlate by {best[worst]:.2f}. {copies} of {len(best)} patches of {other} have such a copy. "
                "What is learnt by heart from one would count as skill on the other: divide images into parts before "
                "they are augmented, or name the source of each (a pattern)"
            )


def _frame(means: Float64) -> NDArray[np.bool_]:
    """Cells that hang together with a corner and are as bright, and those beside, which may lie across the edge."""
    rough = float(np.median(np.abs(means - ndimage.uniform_filter(means, 3, mode="nearest"))))
    even = max(_EVEN * rough, _FLAT * float(np.abs(means).max()))
    frame = np.zeros(means.shape, np.bool_)
    for corner in product((0, -1), repeat=2):
        labels, _ = ndimage.label(np.abs(means - means[corner]) <= even)
        frame |= labels == labels[corner]
    wider: NDArray[np.bool_] = ndimage.binary_dilation(frame, np.ones((3, 3)))
    return wider


def _cells(side: int) -> Float64:
    """Weights (SIDE, side) of the means of SIDE cells along an axis; a pixel on a border counts for both."""
    edges = np.linspace(0.0, side, SIDE + 1)
    pixels = np.arange(side)
    low, high = (edge[:, None] for edge in (edges[:-1], edges[1:]))
    share = np.clip(np.minimum(pixels + 1, high) - np.maximum(pixels, low), 0.0, None)
    weights: Float64 = share / share.sum(1, keepdims=True)
    return weights


def _turns(sketches: Float32) -> list[Float32]:
    """The eight ways to lay down a square."""
    squares = sketches.reshape(-1, SIDE, SIDE)
    quarters = [np.rot90(squares, turn, (1, 2)) for turn in range(4)]
    return [
        np.ascontiguousarray(each).reshape(len(sketches), -1) for one in quarters for each in (one, one[:, :, ::-1])
    ]
