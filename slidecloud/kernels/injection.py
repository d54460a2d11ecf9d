"""A known slide laid into a user's own stack, and how much of it comes back: the measure of every velocity."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from slidecloud.kernels.phase import STEPS_PER_RADIAN
from slidecloud.types import Float32

MARGIN: Final = 0.7
"""Share of a standard slide's half width over which its speed rises."""

SLOWEST: Final = 0.2
"""Pixels that move at this share of the fastest one or more are compared."""


class Recovered(NamedTuple):
    """What came back of an injected slide.

    Attributes
    ----------
    fraction
        Slope of what the velocity gained on what was injected, through the origin: 1 where all of it came back.
    spread
        Standard deviation of the gain about that line, m/yr.
    correlation
        Of the two over the slide and the ground around it.
    pixels
        Pixels of the slide that have a velocity with and without it.
    """

    fraction: float
    spread: float
    correlation: float
    pixels: int


def inject(phase: NDArray[np.int16], rate: Float32, span: ArrayLike, *, wavelength: float) -> NDArray[np.int16]:
    """A stack as it would be if the ground also moved at a steady rate.

    Parameters
    ----------
    phase
        int16 (pair, y, x) binary angles, phase of reference * conj(secondary).
    rate
        (y, x) m/yr, positive towards the satellite; NaN counts as 0.
    span
        (pair,) years from reference to secondary.
    wavelength
        m.

    Returns
    -------
    int16 (pair, y, x); integer overflow is the wrap, so nothing is lost but rounding to pi/32768 rad. Coherence stays
    as it is: that a steep gradient lowers it within a pixel or its window is not simulated.

    Raises
    ------
    TypeError
        If `phase` is not int16.
    ValueError
        If shapes disagree, a span is not finite, or the wavelength is not positive.
    """
    if phase.dtype != np.int16:
        raise TypeError(f"phase: found dtype {phase.dtype}, expected int16 binary angles; encode radians with encode()")
    years = np.asarray(span, dtype=np.float64)
    if phase.ndim != 3 or rate.shape != phase.shape[1:] or years.shape != phase.shape[:1]:
        raise ValueError(
            f"phase, rate, span: found shapes {phase.shape}, {rate.shape}, {years.shape}, expected (pair, y, x), "
            "(y, x) and (pair,)"
        )
    if not (np.isfinite(years).all() and wavelength > 0):
        raise ValueError(f"span, wavelength: found {years}, {wavelength}, expected finite years and metres above 0")
    # Displacement towards the satellite shortens the path, and phase is positive away from it.
    steps = -4 * math.pi / wavelength * STEPS_PER_RADIAN * np.nan_to_num(rate.astype(np.float64))
    moved = np.empty_like(phase)
    for pair, time in enumerate(years):
        added = np.mod(np.rint(steps * time), 65536.0).astype(np.uint16)
        moved[pair] = (phase[pair].view(np.uint16) + added).view(np.int16)
    return moved


def standard_slide(
    shape: tuple[int, int],
    centre: tuple[float, float],
    *,
    length: float,
    width: float,
    rate: float,
    turn: float = 0.0,
    margin: float = MARGIN,
) -> Float32:
    """Rate map of a slide that moves as a block with soft margins: full speed inside, zero at an ellipse.

    Parameters
    ----------
    shape
        (y, x) pixels.
    centre
        (row, column).
    length, width
        Pixels, of the ellipse along its first axis, which points down the rows, and across.
    rate
        m/yr of its fastest part, positive towards the satellite.
    turn
        rad, of the first axis from down the rows towards along the columns.
    margin
        Share of the half width over which speed rises from 0, in (0, 1].
    """
    if min(length, width) <= 0 or not 0 < margin <= 1:
        raise ValueError(
            f"length, width, margin: found {length}, {width}, {margin}, expected pixels above 0 and a share up to 1"
        )
    down = np.arange(shape[0])[:, None] - centre[0]
    right = np.arange(shape[1])[None] - centre[1]
    along = (down * math.cos(turn) + right * math.sin(turn)) / (length / 2)
    across = (right * math.cos(turn) - down * math.sin(turn)) / (width / 2)
    rise = np.clip((1.0 - np.hypot(along, across)) / margin, 0.0, 1.0)
    slide: Float32 = (rate * rise * rise * (3.0 - 2.0 * rise)).astype(np.float32)
    return slide


def place_like(
    coherence: Float32, *, stable: NDArray[np.bool_], wanted: float, length: float, width: float
) -> tuple[float, float]:
    """Where to inject a slide: on stable ground whose coherence is most like that of the one it stands for.

    Parameters
    ----------
    coherence
        (y, x) mean over the pairs, in [0, 1]; NaN = unknown.
    stable
        bool (y, x), ground that does not move.
    wanted
        Mean coherence of the slide to be measured.
    length, width
        Pixels of the slide to be injected.

    Returns
    -------
    (row, column) of its centre: of the places that hold the whole slide, or where there is none, of those with the
    most stable ground, the one whose mean coherence is nearest to that wanted, the earlier one of equals.

    Raises
    ------
    ValueError
        If shapes disagree or no pixel is stable and known.
    """
    if coherence.shape != stable.shape or coherence.ndim != 2:
        raise ValueError(
            f"coherence, stable: found shapes {coherence.shape}, {stable.shape}, expected one shape (y, x)"
        )
    known = stable & np.isfinite(coherence)
    if not known.any():
        raise ValueError("stable: found no stable pixel of known coherence, expected some to inject a slide into")
    side = max(3, math.ceil(max(length, width)))
    share = ndimage.uniform_filter(known.astype(np.float64), side, mode="constant")
    total = ndimage.uniform_filter(np.where(known, coherence, 0.0).astype(np.float64), side, mode="constant")
    roomiest = share >= min(float(share.max()), 1.0) - 1e-6
    unlike = np.where(roomiest, np.abs(total / np.maximum(share, 1e-9) - wanted), np.inf)
    row, column = np.unravel_index(int(np.argmin(unlike)), unlike.shape)
    return float(row), float(column)


def recovered(velocity_with: Float32, velocity_without: Float32, rate: Float32) -> Recovered:
    """How much of an injected slide an estimator gives back.

    Parameters
    ----------
    velocity_with, velocity_without
        (y, x) m/yr from the stack with and without the slide, by the same steps, relative to the same stable ground;
        NaN = unknown.
    rate
        (y, x) m/yr that was injected.

    Raises
    ------
    ValueError
        If shapes disagree or `rate` is zero everywhere.
    """
    if not velocity_with.shape == velocity_without.shape == rate.shape:
        raise ValueError(
            f"velocities and rate: found shapes {velocity_with.shape}, {velocity_without.shape}, {rate.shape}, "
            "expected one shape (y, x)"
        )
    speed = np.abs(np.nan_to_num(rate))
    if not speed.any():
        raise ValueError("rate: found zero everywhere, expected the slide that was injected")
    gain = velocity_with.astype(np.float64) - velocity_without.astype(np.float64)
    known = np.isfinite(gain)
    slide = known & (speed >= SLOWEST * speed.max())
    if not slide.any():
        return Recovered(float("nan"), float("nan"), float("nan"), 0)
    truth, back = rate[slide].astype(np.float64), gain[slide]
    fraction = float(truth @ back / (truth @ truth))
    around = known & ndimage.binary_dilation(speed > 0, iterations=max(1, round(math.sqrt(slide.sum()) / 2)))
    both = np.stack([gain[around], rate[around]])
    alike = float(np.corrcoef(both)[0, 1]) if (both.std(1) > 0).all() else float("nan")
    return Recovered(fraction, float(np.std(back - fraction * truth)), alike, int(slide.sum()))
