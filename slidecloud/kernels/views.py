"""What detectors look at: the gradient maps of one stack on their own grid."""

from __future__ import annotations

from typing import Final, NamedTuple

from slidecloud.types import Float32

SPACING: Final = 40.0
"""Metres per pixel of the detectors' grid, along both axes."""


class GradientView(NamedTuple):
    """Gradients of line-of-sight velocity on the detectors' grid.

    Rows run along the flight (azimuth), columns away from the radar (range), `SPACING` metres per pixel. All maps are
    float32 (y, x); NaN where undefined. A view is made of one stack: all seasons of a burst, or one of them.

    Attributes
    ----------
    x, y
        Gradient of velocity along range and along azimuth, m/yr per m, positive where velocity towards the satellite
        grows with the index.
    x_sigma, y_sigma
        Their standard errors.
    coherence
        Mean coherence of the pairs, in [0, 1].
    span
        Sum of the time spans of all pairs, years: turns velocity gradients into the phase summed over pairs.
    """

    x: Float32
    y: Float32
    x_sigma: Float32
    y_sigma: Float32
    coherence: Float32
    span: float
