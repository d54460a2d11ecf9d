"""What an inversion yields, and room for it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float32


class Inversion(NamedTuple):
    """What `invert` returns. Shapes are (date, pixel) or (pixel,).

    Attributes
    ----------
    series
        float32 rad, phase relative to the first date with a valid pair at the pixel (that date is 0). NaN at dates
        without one. Subsets that share no pair are joined by the smallest velocities.
    sigma
        float32 rad, relative to the first date of the date's subset: ``sqrt(network variance * s0^2 + s_a^2)``.
    velocity, velocity_sigma
        float32 rad/yr. ``velocity_sigma`` is NaN where a trend and an acceleration leave no degree of freedom.
    temporal_coherence
        float32, |mean over valid pairs of exp(i (observed - fitted))|, unweighted; NaN at redundancy 0.
    residual_rms
        float32 rad over valid pairs, unweighted. It is zero, and says nothing, at redundancy 0.
    redundancy
        int16, valid pairs less the rank of the network they form.
    subset
        uint8 (date, pixel), 1, 2, ... by first date, 0 = no valid pair. Labels above 255 are stored as 255.
    recovered_fraction
        float32, share of the time between the pixel's first and last date that at least one valid pair covers.
    variance_factor
        float32, s0^2: variance of a pair of weight 1, from the residuals; 1 at redundancy 0.
    date_sigma
        float32 rad, s_a: what scatters each date (atmosphere above all) and closes around every loop of pairs. NaN
        where ``velocity_sigma`` is; ``sigma`` then holds the network part alone.
    drift_factor
        float32, g: by how much the scatter about the trend raises the network's variance in ``velocity`` and
        ``velocity_sigma`` alone, at least 1. ``sigma`` is not raised: motion that is not steady would raise it.
    """

    series: Float32
    sigma: Float32
    velocity: Float32
    velocity_sigma: Float32
    temporal_coherence: Float32
    residual_rms: Float32
    redundancy: NDArray[np.int16]
    subset: NDArray[np.uint8]
    recovered_fraction: Float32
    variance_factor: Float32
    date_sigma: Float32
    drift_factor: Float32


def empty_inversion(used: NDArray[np.int64], dates: int, pixels: int) -> Inversion:
    """Room for results; dates that no pair has are filled."""
    unused = np.setdiff1d(np.arange(dates), used)

    def table() -> Float32:
        room = np.empty((dates, pixels), np.float32)
        room[unused] = np.nan
        return room

    def row() -> Float32:
        return np.empty(pixels, np.float32)

    subset, redundancy = np.empty((dates, pixels), np.uint8), np.empty(pixels, np.int16)
    subset[unused] = 0
    return Inversion(table(), table(), row(), row(), row(), row(), redundancy, subset, row(), row(), row(), row())
