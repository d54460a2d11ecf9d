"""How well outlines lie on the true ones."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

TOLERANCE: Final = 2.0
"""Pixels that an outline may lie aside."""


class Boundaries(NamedTuple):
    """Pixels of outlines: how many were found and are true, and how many of each have one of the other close by."""

    found: int
    found_near: int
    true: int
    true_near: int

    def __add__(self, other: Boundaries) -> Boundaries:  # type: ignore[override]  # sums, not one tuple after the other
        return Boundaries(*(one + another for one, another in zip(self, other, strict=True)))

    @property
    def f(self) -> float:
        """Harmonic mean of both shares, from 0 to 1; NaN where there is no outline at all.

        References
        ----------
        Csurka, G., Larlus, D., Perronnin, F. (2013), What is a good evaluation measure for semantic segmentation?,
        BMVC.
        """
        if not self.found + self.true:
            return float("nan")
        if not (self.found_near and self.true_near):
            return 0.0
        precision, recall = self.found_near / self.found, self.true_near / self.true
        return 2 * precision * recall / (precision + recall)


NONE: Final = Boundaries(0, 0, 0, 0)


def boundaries(
    found: NDArray[np.bool_], truth: NDArray[np.bool_], known: NDArray[np.bool_], *, tolerance: float = TOLERANCE
) -> Boundaries:
    """Compare the outlines of two masks.

    Parameters
    ----------
    found, truth
        bool (y, x).
    known
        bool (y, x): what is not known is in neither mask, and where it begins is no outline.
    tolerance
        Pixels.
    """
    ours, theirs = (_edge(mask, known) for mask in (found, truth))
    return Boundaries(
        int(ours.sum()), _near(ours, theirs, tolerance), int(theirs.sum()), _near(theirs, ours, tolerance)
    )


def _edge(mask: NDArray[np.bool_], known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels of a mask with a known neighbour, of four, outside of it."""
    inside = mask & known
    edge: NDArray[np.bool_] = inside & ~ndimage.binary_erosion(inside | ~known, border_value=1)
    return edge


def _near(edge: NDArray[np.bool_], other: NDArray[np.bool_], tolerance: float) -> int:
    if not (edge.any() and other.any()):
        return 0
    away = ndimage.distance_transform_edt(~other)
    return int((away[edge] <= tolerance).sum())
