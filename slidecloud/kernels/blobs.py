"""The classical detector: blobs of line-of-sight motion in a scale space of gradient maps, without learning.

A slide is a place that moves where its surroundings rest. Its gradients point inwards or outwards all around, so the
divergence of the gradients, smoothed to the slide's size, stands out there against noise, which points anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.kernels._blobs_boxes import box_around, distinct
from slidecloud.kernels._blobs_waves import BLOCK, FINER, WIDER, Waves, curvature, gather, motion, ratio, spectra
from slidecloud.kernels.boxes import Detections
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.types import Float32

SCALES: Final = (80.0, 120.0, 180.0, 270.0, 400.0, 600.0)
"""Widths (metres, standard deviation) of the Gaussians of the scale space: slides of about 200 m to 3 km."""

THRESHOLD: Final = 4.0
"""Least significance of a detection, standard deviations of the noise around it."""

LONGEST: Final = 3000.0
"""Metres of the area a box is made of: what reaches further is no slide but subsidence or air."""

ROUND: Final = 0.15
"""Curvature across over curvature along, from which on a blob counts in full: along a fault or a ridge it is 0."""

AROUND: Final = 14.0
"""Half side, in scales, of the square whose noise a place is held against."""

OUTLIER: Final = 3.0
"""Standard deviations above which significance counts as so many in the noise around a place."""

HALF: Final = 6.0
STEEP: Final = 8.0
"""Significance whose score is a half, and how steeply scores rise there: about the share that are slides."""

_COVER: Final = 0.25


def detect(view: GradientView, *, threshold: float = THRESHOLD, scales: Sequence[float] = SCALES) -> Detections:
    """Find slides by what stands out in a scale space.

    Parameters
    ----------
    view
        Gradient maps. Pixels whose gradient or sigma is not finite along either axis, or whose sigma is not positive,
        are unknown; a view of unknown pixels has no detections.
    threshold
        Least significance, standard deviations of the noise around a place; positive.
    scales
        Widths in metres, rising: a slide answers most to a Gaussian of about a quarter of its size.

    Returns
    -------
    Detections
        Scores rise with significance, 0.5 at 6 standard deviations, and are about the share of detections that overlap
        a slide by 0.3 on the tiles the detector was tuned on.

    Raises
    ------
    ValueError
        If maps have different shapes, or an option is out of range.

    Notes
    -----
    Response of a scale: the sum of gradients, each over its variance, times the gradient of a Gaussian: the matched
    filter of a Gaussian patch of motion (Lindeberg, 1998, for the scale space). It is normalised by the square root of
    its weights (so that gaps and uneven sigmas do no harm), by its median absolute value over the view, and by its root
    mean square in the square around: atmosphere and subsidence bowls raise their own bar. It counts less where
    curvature across is below 0.15 of that along (faults, ridges). Peaks over place and scale above the threshold are
    taken from the best down. The box of a peak is where motion, put together from the gradients and freed of what is
    wider than the scale, exceeds 0.4 of its own peak.
    """
    if not threshold > 0:
        raise ValueError(f"threshold: found {threshold}, expected a positive number of sigmas")
    if not scales or min(scales) < SPACING or not (np.diff(scales) > 0).all():
        raise ValueError(f"scales: found {list(scales)}, expected rising widths of at least {SPACING:g} m")
    evidence = gather(view)
    if not (evidence.x_weight > 0).any():
        return Detections.of([], [])
    widths = [scale / (SPACING * BLOCK) for scale in scales]
    waves = spectra(evidence, math.ceil(3 * widths[-1]))
    significance = np.stack([_significance(waves, width, evidence.x_weight > 0) for width in widths])
    boxes, heights = [], []
    for width, layer, peaks in zip(widths, significance, _peaks(np.abs(significance), threshold), strict=True):
        moves = _moves(waves, width) if len(peaks) else layer
        for row, column in peaks:
            box = box_around(moves * np.sign(layer[row, column]), int(row), int(column), width)
            if box is not None and max(box[2] - box[0], box[3] - box[1]) <= LONGEST / (BLOCK * SPACING):
                boxes.append(box)
                heights.append(abs(float(layer[row, column])))
    found, height = np.array(boxes).reshape(-1, 4) * BLOCK, np.array(heights)
    found = np.clip(found, 0, np.tile(view.x.shape, 2))
    kept = distinct(found, height)
    return Detections.of(found[kept], 1 / (1 + (HALF / height[kept]) ** STEEP))


def _moves(waves: Waves, width: float) -> Float32:
    """Motion (y, x) of about a width."""
    return motion(waves.divergence, waves.space, finest=FINER * width, widest=WIDER * width)


def _significance(waves: Waves, width: float, known: NDArray[np.bool_]) -> Float32:
    """Signed significance (y, x) of blobs of a width, positive towards the satellite; 0 where little is known."""
    xx, yy, xy = curvature(waves, np.exp(-waves.space.square * np.float32(width**2 / 2)))
    weight = waves.space.smooth(waves.weight, np.exp(-waves.space.square * np.float32(width**2 / 4)))
    enough = known & (weight > _COVER / 2 * np.median(weight[known]))
    response = np.divide(xx + yy, np.sqrt(np.maximum(weight, 0)), out=np.zeros_like(xx), where=enough)
    # At least the noise of gradients that are independent from pixel to pixel.
    spread = 1.4826 * np.median(np.abs(response[enough]))
    response /= max(spread, 1 / (2 * math.sqrt(math.pi) * width**2))
    size = 2 * int(AROUND * width) + 1
    square = np.minimum(response**2, OUTLIER**2)
    share = ndimage.uniform_filter(enough.astype(np.float32), size, mode="constant")
    around = ndimage.uniform_filter(square, size, mode="constant")
    noise = np.divide(around, share, out=np.ones_like(share), where=enough)
    response /= np.sqrt(np.maximum(noise, 1))
    counted: Float32 = response * np.clip(_roundness(xx, yy, xy) / ROUND, 0, 1)
    return counted


def _roundness(xx: Float32, yy: Float32, xy: Float32) -> Float32:
    """Smaller over larger principal curvature (y, x); 0 along a line, below 0 on a saddle."""
    difference, total = np.hypot(xx - yy, 2 * xy), np.abs(xx + yy)
    return ratio(total - difference, total + difference)


def _peaks(height: Float32, threshold: float) -> list[NDArray[np.intp]]:
    """Rows and columns (k, 2) of local maxima over place and scale, for each scale."""
    largest = ndimage.maximum_filter(height, 3, mode="constant")
    return [np.argwhere(layer) for layer in (height == largest) & (height > threshold)]
