"""Pictures of outlines: how good they are, how far probabilities hold, and images with what was found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.kernels.calibration import Calibration
from slidecloud.optical.assessment import Assessment, Scores
from slidecloud.optical.patches import Patch
from slidecloud.plots import detection
from slidecloud.plots.figures import new_figure
from slidecloud.types import Float32

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS: Final = 3
_STRETCH: Final = (2.0, 98.0)
_MARKS: Final = {"known": "white", "found where there is none": detection.WRONG, "found": detection.RIGHT}


def precision_recall(judged: Mapping[str, Assessment]) -> Figure:
    """Precision against recall of pixels, for each named assessment."""
    outcomes = {name: one.tally.outcomes() for name, one in judged.items()}
    return detection.precision_recall(outcomes, found="pixels found", true="pixels of landslides")


def reliability(judged: Assessment, calibration: Calibration) -> Figure:
    """Share of pixels that are landslide against the probability promised, before and after calibration."""
    outcomes = judged.tally.outcomes()
    kinds = {"scores": outcomes.scores, "probabilities": calibration.apply(outcomes.scores)}
    promised = {name: detection.Probabilities(values, outcomes.right) for name, values in kinds.items()}
    return detection.reliability_diagram(promised)


def gallery(patches: Sequence[Patch], scores: Scores, *, threshold: float, most: int = 6) -> Figure:
    """Images with the outlines of true landslides in white, and of what was found green or, where it is wrong, orange.

    Parameters
    ----------
    patches
        The first of them are shown.
    scores
        The method.
    threshold
        Score from which a pixel counts as landslide.
    most
        Patches to show.
    """
    from matplotlib.lines import Line2D

    shown = patches[:most]
    rows = max(1, -(-len(shown) // _COLUMNS))
    figure = new_figure(3.6 * _COLUMNS, 3.6 * rows)
    for number, patch in enumerate(shown, start=1):
        sample = patch.read()
        found = np.nan_to_num(scores(sample.image), nan=0.0) >= threshold
        axes = figure.add_subplot(rows, _COLUMNS, number)
        axes.imshow(visible(sample.image), interpolation="nearest")
        masks = sample.mask, found & ~sample.mask, found & sample.mask
        for mask, colour in zip(masks, _MARKS.values(), strict=True):
            if mask.any() and not mask.all():
                axes.contour(mask, [0.5], colors=[colour], linewidths=1.0)
        axes.set_xticks([])
        axes.set_yticks([])
    lines = [Line2D([], [], color=colour, label=name) for name, colour in _MARKS.items()]
    figure.legend(handles=lines, loc="outside lower center", ncols=3, facecolor="0.3", labelcolor="white")
    return figure


def visible(image: Float32) -> Float32:
    """Three bands as a picture (y, x, 3): the last ones the other way round, which are of the last date and end with
    near infrared where there is any; a single band is grey."""
    chosen = image[::-1][:3] if len(image) >= 3 else np.repeat(image[:1], 3, 0)
    low, high = (np.nanpercentile(chosen, share, axis=(1, 2), keepdims=True) for share in _STRETCH)
    stretched = np.clip((chosen - low) / np.maximum(high - low, 1e-9), 0.0, 1.0)
    picture: Float32 = np.nan_to_num(np.moveaxis(stretched, 0, -1)).astype(np.float32)
    return picture
