"""Landslides as things: which true ones were found, and which of those found are true."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

IOU: Final = 0.3
"""Least overlap of a find. Outlines of landslides by two people overlap by 0.5 to 0.7."""

LEAST_SEEN: Final = 0.5
"""Share of a true landslide that must be known for it to be asked for."""

SIZES: Final = (100, 400, 1600)
"""Pixels between classes of size."""


class Objects(NamedTuple):
    """Landslides of some patches.

    Attributes
    ----------
    true_pixels
        int64 (n,): of each true landslide that is asked for.
    true_found
        bool (n,).
    found_pixels
        int64 (m,): of each landslide found; those that found what is not asked for are left out.
    found_right
        bool (m,).
    """

    true_pixels: NDArray[np.int64]
    true_found: NDArray[np.bool_]
    found_pixels: NDArray[np.int64]
    found_right: NDArray[np.bool_]

    @property
    def recall(self) -> float:
        """Share of true landslides that were found; NaN without any."""
        return _mean(self.true_found)

    @property
    def precision(self) -> float:
        """Share of landslides found that are true; NaN without any."""
        return _mean(self.found_right)

    def recall_by_size(self) -> list[tuple[str, int, float]]:
        """Name, number and recall of the true landslides of each class of size."""
        place = np.searchsorted(SIZES, self.true_pixels, side="right")
        names = [f"{low} to {high - 1}" for low, high in pairwise((1, *SIZES))] + [f"from {SIZES[-1]}"]
        return [(name, int((place == k).sum()), _mean(self.true_found[place == k])) for k, name in enumerate(names)]


def objects(
    found: NDArray[np.bool_], truth: NDArray[np.bool_], known: NDArray[np.bool_], *, iou: float = IOU
) -> Objects:
    """Hold the landslides of a mask against the true ones, pair by pair from the largest overlap down.

    A landslide is what is joined by edges, as outlines are drawn. Each finds one true landslide at most, and is found
    once.

    Parameters
    ----------
    found, truth
        bool (y, x).
    known
        bool (y, x): what is not known counts for neither; a true landslide that is mostly not known is not asked for.
    iou
        Least intersection over union of a find, above 0 and at most 1.

    Raises
    ------
    ValueError
        If `iou` is out of its range.
    """
    if not 0.0 < iou <= 1.0:
        raise ValueError(f"iou: found {iou}, expected a number above 0 and at most 1")
    whole, count = ndimage.label(truth)
    theirs = np.where(known, whole, 0)
    ours, number = ndimage.label(found & known)
    seen, mine = (_sizes(labels, most) for labels, most in ((theirs, count), (ours, number)))
    asked = seen >= LEAST_SEEN * _sizes(whole, count)
    both = (theirs > 0) & (ours > 0)
    pairs, common = np.unique(np.stack([theirs[both], ours[both]]), axis=1, return_counts=True)
    overlap = common / (seen[pairs[0] - 1] + mine[pairs[1] - 1] - common)
    hit, partner = np.zeros(count, bool), np.full(number, -1)
    # Of equal overlaps the first pair in the order of labels, which is that of rows.
    for place in np.argsort(-overlap, kind="stable"):
        one, other = pairs[:, place] - 1
        if overlap[place] >= iou and not hit[one] and partner[other] < 0:
            hit[one], partner[other] = True, one
    # What found, or touches, a landslide that is not asked for is neither right nor wrong.
    right = partner >= 0
    besides = np.zeros(number, bool)
    besides[pairs[1][~asked[pairs[0] - 1]] - 1] = True
    besides[right] = ~asked[partner[right]]
    return Objects(seen[asked], hit[asked], mine[~besides], right[~besides])


def joined(parts: Iterable[Objects]) -> Objects:
    """The landslides of several patches together."""
    each = list(parts)
    kinds = (np.int64, np.bool_, np.int64, np.bool_)
    columns = zip(*each, strict=True) if each else ((), (), (), ())
    return Objects(*(np.concatenate([np.empty(0, kind), *column]) for kind, column in zip(kinds, columns, strict=True)))


def _sizes(labels: NDArray[np.int32], most: int) -> NDArray[np.int64]:
    sizes: NDArray[np.int64] = np.bincount(labels.ravel(), minlength=most + 1)[1 : most + 1]
    return sizes


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if values.size else float("nan")
