"""Outlines held against patches of known landslides: one table for every method, classical or neural."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from slidecloud.kernels.calibration import Calibration, expected_error
from slidecloud.optical.boundaries import NONE, Boundaries, boundaries
from slidecloud.optical.objects import Objects, joined, objects
from slidecloud.optical.patches import Patch
from slidecloud.optical.pixels import Counts, Tally
from slidecloud.types import Float32

Scores = Callable[[Float32], Float32]
"""From an image (band, y, x) in its own units to scores (y, x) from 0 to 1, NaN where it cannot tell."""


@dataclass(frozen=True)
class Assessment:
    """A method on some patches.

    Attributes
    ----------
    patches
        How many.
    threshold
        Score from which a pixel counts as landslide.
    counts
        Pixels.
    edges
        Outlines.
    things
        Landslides.
    calibration_error
        Expected calibration error of the probability that a pixel is landslide (15 bins of equal mass).
    tally
        All pixels by score, for curves, calibration and the choice of a threshold.
    """

    patches: int
    threshold: float
    counts: Counts
    edges: Boundaries
    things: Objects = field(repr=False)
    calibration_error: float
    tally: Tally = field(repr=False, compare=False)

    def lines(self) -> list[str]:
        """A table for people."""
        counts, things = self.counts, self.things
        rows = [
            f"{'pixels':<14}IoU {_known(counts.iou)}, mean IoU {_known(counts.mean_iou)}, F1 {_known(counts.f1)}, "
            f"precision {_known(counts.precision)}, recall {_known(counts.recall)}",
            f"{'outlines':<14}boundary F {_known(self.edges.f)}",
            f"{'landslides':<14}precision {_known(things.precision)} of {len(things.found_right)}, "
            f"recall {_known(things.recall)} of {len(things.true_found)}",
        ]
        rows += [
            f"{'':<14}{name + ' pixels':<20}recall {_known(recall)} of {count}"
            for name, count, recall in things.recall_by_size()
        ]
        return [
            *rows,
            f"{self.patches} patches, pixels with scores >= {self.threshold:g}; "
            f"calibration error {_known(self.calibration_error)}",
        ]

    def as_json(self) -> dict[str, Any]:
        """All figures as plain JSON values; null where there is nothing to tell from."""
        counts, things = self.counts, self.things
        shares = ("iou", "rest_iou", "mean_iou", "f1", "precision", "recall")
        return {
            "patches": self.patches,
            "threshold": self.threshold,
            "pixels": counts._asdict() | {name: _plain(getattr(counts, name)) for name in shares},
            "boundary_f": _plain(self.edges.f),
            "landslides": {
                "true": len(things.true_found),
                "found": len(things.found_right),
                "precision": _plain(things.precision),
                "recall": _plain(things.recall),
                "recall_by_size": [
                    {"pixels": name, "true": count, "recall": _plain(recall)}
                    for name, count, recall in things.recall_by_size()
                ],
            },
            "calibration_error": _plain(self.calibration_error),
        }


def assess(
    scores: Scores, patches: Iterable[Patch], *, threshold: float, calibration: Calibration | None = None
) -> Assessment:
    """Let a method look at patches, and judge it.

    Parameters
    ----------
    scores
        The method.
    patches
        Read one at a time. Pixels without data, or which the method cannot tell, do not count.
    threshold
        Score from which a pixel counts as landslide. Choose it on other patches than these.
    calibration
        From scores to probabilities; None where scores are probabilities.

    Raises
    ------
    ValueError
        If there is no patch.
    """
    tally, edges, things, count = Tally(), NONE, [], 0
    for patch in patches:
        sample = patch.read()
        found = np.where(sample.valid, scores(sample.image), np.float32(np.nan))
        known = np.isfinite(found)
        mask = np.greater_equal(found, np.float32(threshold), where=known, out=np.zeros(found.shape, bool))
        tally.add(found, sample.mask)
        edges = edges + boundaries(mask, sample.mask, known)
        things.append(objects(mask, sample.mask, known))
        count += 1
    if not count:
        raise ValueError("patches: found none, expected at least one")
    judged = tally.outcomes()
    probability = judged.scores if calibration is None else calibration.apply(judged.scores)
    return Assessment(
        patches=count,
        threshold=threshold,
        counts=tally.counts(threshold),
        edges=edges,
        things=joined(things),
        calibration_error=expected_error(probability, judged.right),
        tally=tally,
    )


def tallied(scores: Scores, patches: Iterable[Patch]) -> Tally:
    """All pixels of some patches by score, from which a threshold can be chosen."""
    tally = Tally()
    for patch in patches:
        sample = patch.read()
        tally.add(np.where(sample.valid, scores(sample.image), np.float32(np.nan)), sample.mask)
    return tally


def _known(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value
