"""Corrections of a date one after another, each kept only where it helps; and taking them off pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.troposphere import LEAST_PIXELS, delay_phase, height_correlated, judge, ramp
from slidecloud.types import Float32

MODEL: Final = 1
HEIGHT: Final = 2
RAMP: Final = 4
"""Bits of ``kept``."""
LEAST_GAIN: Final = 0.05
"""Share by which a correction must lessen the scatter: what helps less may be chance."""


class Corrected(NamedTuple):
    """``part`` float32 (y, x), the unit of the map, to be taken off; ``before``, ``after``: robust standard deviation
    on ground that nothing was fitted to, NaN where it cannot be told; ``kept``: which corrections ``part`` is of, a sum
    of `MODEL`, `HEIGHT` and `RAMP`."""

    part: Float32
    before: float
    after: float
    kept: int


def correct(
    seen: Float32,
    *,
    fitted: NDArray[np.bool_],
    judged: NDArray[np.bool_],
    model: Float32 | None = None,
    elevation: Float32 | None = None,
    plane: bool = False,
) -> Corrected:
    """What to take off the map of a date: first a model, then a line against elevation, then a plane.

    Each is tried on what those before it left, and kept only if it lessens the scatter of ground at rest that it was
    not fitted to by at least 5 %.

    Parameters
    ----------
    seen
        (y, x) displacement or phase of a date, NaN = missing.
    fitted, judged
        (y, x) bool: ground at rest, without a pixel in common. Lines and planes are fitted to the first.
    model
        (y, x), what a model of the atmosphere expects, in the unit of ``seen``; None leaves it out.
    elevation
        (y, x) m, NaN = missing; None leaves out the line.
    plane
        Whether to fit one.

    Raises
    ------
    ValueError
        If the two areas have a pixel in common.
    """
    if (fitted & judged).any():
        raise ValueError("fitted, judged: found pixels in both, expected two areas: a fit flatters its own pixels")
    part, kept = np.zeros(seen.shape, np.float32), 0
    if np.count_nonzero(judged & np.isfinite(seen)) < LEAST_PIXELS:
        return Corrected(part, float("nan"), float("nan"), 0)
    steps: list[tuple[int, Callable[[Float32], Float32]]] = []
    if model is not None:
        steps.append((MODEL, lambda _: model))
    if elevation is not None:
        steps.append((HEIGHT, lambda left: height_correlated(left, elevation, mask=fitted)))
    if plane:
        steps.append((RAMP, lambda left: ramp(left, mask=fitted)))
    for bit, step in steps:
        left = seen - part
        try:
            more = step(left)
            helps = judge(left, left - more, mask=judged, least_gain=LEAST_GAIN).helps
        except ValueError:  # too few pixels, no relief: this date goes without
            continue
        if helps:
            part, kept = part + np.nan_to_num(more), kept | bit
    found = judge(seen, seen - part, mask=judged)
    return Corrected(part, found.before_std, found.after_std, kept)


def take_off(
    phase: Float32, correction: Float32, reference: ArrayLike, secondary: ArrayLike, *, wavelength: float
) -> None:
    """Take corrections of dates off pairs, in place.

    Parameters
    ----------
    phase
        (pair, pixel) float32 rad, positive away from the satellite.
    correction
        (date, pixel) float32 m, displacement towards the satellite that the atmosphere only feigns.
    reference, secondary
        (pair,) indices of dates.
    wavelength
        m.
    """
    for values, first, second in zip(phase, np.asarray(reference), np.asarray(secondary), strict=True):
        values -= delay_phase(-correction[first], -correction[second], wavelength)
