"""Which detections of a tile are right: each is held against the true boxes at a least overlap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.boxes import as_boxes, pair_iou, rank


class Match(NamedTuple):
    """Detections held against truth.

    Attributes
    ----------
    truth
        int64 (n,) index of the true box a detection found, -1 for none.
    ignored
        bool (n,) true where that box is one that is not asked for: the detection is neither right nor wrong.
    scores
        float64 (n,) as given.
    wanted
        Number of true boxes that are asked for.
    """

    truth: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    scores: NDArray[np.float64]
    wanted: int

    @property
    def right(self) -> NDArray[np.bool_]:
        """(n,) true where a detection found a box that is asked for."""
        return (self.truth >= 0) & ~self.ignored

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """(n,) true where a detection found nothing, or only what a better one had found already."""
        return self.truth < 0


def match(
    boxes: ArrayLike, scores: ArrayLike, truth: ArrayLike, *, ignored: ArrayLike | None = None, iou: float
) -> Match:
    """Hold the detections of one tile against its true boxes.

    The best detection chooses first. Each takes, of the true boxes still free that it overlaps enough, the one it
    overlaps most; those that are asked for come before those that are not. A true box is found once: a second detection
    of it is wrong. (The rules of COCO, for boxes that are no crowds.)

    Parameters
    ----------
    boxes, scores
        (n, 4) and (n,), any order; equal scores are ranked by geometry.
    truth
        (m, 4).
    ignored
        bool (m,) true for boxes that are not asked for, such as slides too weak to be seen; None: all are asked for.
    iou
        Least intersection over union of a find, above 0 and at most 1.

    Raises
    ------
    ValueError
        If boxes or scores are malformed, or `iou` or the shape of `ignored` is wrong.
    """
    if not 0.0 < iou <= 1.0:
        raise ValueError(f"iou: found {iou}, expected a number above 0 and at most 1")
    found, true = as_boxes(boxes, "boxes"), as_boxes(truth, "truth")
    skip = np.zeros(len(true), dtype=bool) if ignored is None else np.asarray(ignored, dtype=bool)
    if skip.shape != true.shape[:1]:
        raise ValueError(f"ignored: found shape {skip.shape}, expected one for each of {len(true)} true boxes")
    order = rank(found, scores)
    overlap = pair_iou(found[:, None], true[None])
    # Asked for before not asked for, then by overlap: one number orders both, as overlaps are at most 1.
    preference = np.where(overlap >= iou, overlap + np.where(skip, 0.0, 2.0), -1.0)
    taken = np.full(len(found), -1, dtype=np.int64)
    for detection in order[(preference[order] > 0).any(1)] if len(true) else ():
        choice = int(np.argmax(preference[detection]))
        if preference[detection, choice] > 0:
            taken[detection] = choice
            preference[:, choice] = -1.0
    passed = taken >= 0
    passed[passed] = skip[taken[passed]]
    return Match(taken, passed, np.asarray(scores, dtype=np.float64).reshape(len(found)), int((~skip).sum()))
