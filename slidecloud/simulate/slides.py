"""Slides: what shape they have, which way and when they move."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from slidecloud.kernels import terrain as geometry
from slidecloud.types import Float32, Float64

Shape = Literal["ellipse", "tongue", "spoon"]
Motion = Literal["linear", "seasonal", "accelerating", "oscillating"]

WET_PEAK = 0.54
GROUND_SMOOTHING = 100.0
DEFAULT_MARGIN = 0.35


@dataclass(frozen=True, slots=True)
class Slide:
    """One landslide.

    Attributes
    ----------
    row, column
        Centre, pixels.
    length, width
        Along and across the motion, m.
    rate
        Downslope speed of its fastest part, m/yr: the long-term mean of ``linear`` and ``seasonal``, the speed on the
        first date of ``accelerating``, the greatest speed of ``oscillating``.
    shape
        ``ellipse`` moves as a block with soft margins; ``tongue`` is an earth flow that widens towards its toe;
        ``spoon`` rotates: steeper than the slope at its head, flatter at its toe.
    motion
        ``linear``; ``seasonal``: rests in the dry half of the year, fastest in mid-July; ``accelerating``: speed grows
        by a factor e in `growth` years; ``oscillating``: forth in one half of the year and back in the other.
    direction
        Of motion, rad clockwise from north; None: down the slope at its centre.
    growth
        Years, for ``accelerating``.
    margin
        Share of the half width over which speed rises from 0 at the edge, in (0, 1]: 0.35 is a block with soft edges, 1
        a mound.
    bend
        How far head and toe lie aside of a straight slide, in half widths, -0.5 to 0.5.
    taper
        How much faster the toe is than the middle, as a share, -0.9 to 0.9; below 0 the head is.
    """

    row: float
    column: float
    length: float
    width: float
    rate: float
    shape: Shape = "ellipse"
    motion: Motion = "linear"
    direction: float | None = None
    growth: float = 3.0
    margin: float = DEFAULT_MARGIN
    bend: float = 0.0
    taper: float = 0.0

    def __post_init__(self) -> None:
        if min(self.length, self.width, self.growth) <= 0.0:
            raise ValueError(f"slide: found {self}, expected length, width and growth above 0")
        if not 0.0 < self.margin <= 1.0:
            raise ValueError(f"slide margin: found {self.margin}, expected a share above 0 and at most 1")
        for name, most in (("bend", 0.5), ("taper", 0.9)):
            if not abs(getattr(self, name)) <= most:
                raise ValueError(f"slide {name}: found {getattr(self, name)}, expected -{most} to {most}")
        for name, known in (("shape", get_args(Shape)), ("motion", get_args(Motion))):
            if getattr(self, name) not in known:
                raise ValueError(f"slide {name}: found {getattr(self, name)!r}, expected one of {', '.join(known)}")

    def progress(self, time: ArrayLike, start: np.datetime64) -> Float64:
        """Displacement per unit of `rate` from `start` to each `time`, years, float64 in the shape of `time`."""
        moments = np.asarray(time, dtype="datetime64[s]")
        days: Float64 = np.asarray((moments - start.astype("datetime64[s]")) / np.timedelta64(86_400, "s"))
        elapsed = days / 365.25
        if self.motion == "linear":
            return elapsed
        if self.motion == "accelerating":
            grown: Float64 = self.growth * np.expm1(elapsed / self.growth)
            return grown
        turn = 2.0 * np.pi * (_years(start) - WET_PEAK)
        swing = _seasonal if self.motion == "seasonal" else _oscillating
        return swing(turn + 2.0 * np.pi * elapsed) - swing(np.asarray(turn))


def _seasonal(turn: Float64) -> Float64:
    """Integral, in years, of the speed 2/3 (1 + cos turn)^2: mean 1, never negative, nearly 0 in the dry season."""
    years: Float64 = (turn + 4.0 / 3.0 * np.sin(turn) + np.sin(2.0 * turn) / 6.0) / (2.0 * np.pi)
    return years


def _oscillating(turn: Float64) -> Float64:
    """Integral, in years, of the speed cos turn."""
    years: Float64 = np.sin(turn) / (2.0 * np.pi)
    return years


def _years(date: np.datetime64) -> float:
    return float((date - np.datetime64("2000-01-01")) / np.timedelta64(1, "s")) / (86_400.0 * 365.25)


class Ground(NamedTuple):
    """What slides lie on. `rise_east`, `rise_north`: slope of the smoothed ground, m/m; `los`: unit vector to the
    satellite (component, y, x); `blocked`: where radar sees nothing; `axes`: (east, north) of one metre along rows and
    along columns."""

    rise_east: Float64
    rise_north: Float64
    los: Float64
    blocked: NDArray[np.bool_]
    spacing: tuple[float, float]
    axes: tuple[tuple[float, float], tuple[float, float]]


class SlideMaps(NamedTuple):
    """`slides` with their directions; `labels` int16 (y, x), 0 = none, k = slides[k - 1]; `los_rate` float32 (y, x):
    line-of-sight speed at unit progress, m/yr, positive towards the satellite."""

    slides: tuple[Slide, ...]
    labels: NDArray[np.int16]
    los_rate: Float32


def ground(
    elevation: Float32,
    *,
    los: Float64,
    blocked: NDArray[np.bool_],
    spacing: tuple[float, float],
    axes: tuple[tuple[float, float], tuple[float, float]],
) -> Ground:
    """Prepare a scene for slides."""
    sigma = tuple(GROUND_SMOOTHING / d for d in spacing)
    smooth = ndimage.gaussian_filter(elevation.astype(np.float64), sigma)
    rise_y, rise_x = geometry.gradient(smooth, spacing=spacing)
    (east_y, north_y), (east_x, north_x) = axes
    return Ground(rise_y * east_y + rise_x * east_x, rise_y * north_y + rise_x * north_x, los, blocked, spacing, axes)


def lay(slides: tuple[Slide, ...], on: Ground) -> SlideMaps:
    """Lay given slides on the ground; where two overlap, the later one is seen.

    Raises
    ------
    ValueError
        If a centre lies outside the scene, a slide would move uphill, or a slide covers no pixel.
    """
    labels, los_rate = np.zeros(on.blocked.shape, dtype=np.int16), np.zeros(on.blocked.shape, dtype=np.float32)
    laid = []
    for number, slide in enumerate(slides, start=1):
        direction = direction_of(slide, on)
        box = bounds(slide, on)
        speed, towards = profile(slide, direction, on, box)
        inside = speed > 0.0
        if not inside.any():
            raise ValueError(f"slide {number}: found {slide}, expected to cover a pixel; make it longer and wider")
        labels[box][inside] = number
        los_rate[box][inside] = (slide.rate * speed * towards)[inside]
        laid.append(replace(slide, direction=direction))
    return SlideMaps(tuple(laid), labels, los_rate)


def direction_of(slide: Slide, on: Ground) -> float:
    """Direction a slide moves, rad clockwise from north: its own or down the slope; refused where it leads uphill."""
    rows, columns = on.blocked.shape
    if not (0 <= slide.row <= rows - 1 and 0 <= slide.column <= columns - 1):
        raise ValueError(f"slide: found its centre at {slide.row, slide.column}, expected it within {rows, columns}")
    at = round(slide.row), round(slide.column)
    if slide.direction is None:
        return float(np.mod(np.arctan2(-on.rise_east[at], -on.rise_north[at]), 2.0 * np.pi))
    if _dip(slide.direction, on, at) < -0.02:
        raise ValueError(
            f"slide: found direction {slide.direction:.3f} rad, which leads uphill at {at}; leave direction out to "
            "follow the slope, or turn it"
        )
    return slide.direction


def _dip(direction: float, on: Ground, at: tuple[int, int]) -> float:
    """Angle below the horizontal of the smoothed ground along a direction, rad."""
    return float(np.arctan(-(on.rise_east[at] * np.sin(direction) + on.rise_north[at] * np.cos(direction))))


def bounds(slide: Slide, on: Ground, *, margin: int = 0) -> tuple[slice, slice]:
    """Rows and columns that hold a slide, whatever its direction, and `margin` pixels about it."""
    reach = 0.5 * float(np.hypot(slide.length, slide.width))
    rows, columns = (
        slice(max(0, int(centre - reach / step) - margin), min(size, int(centre + reach / step) + 2 + margin))
        for centre, step, size in zip((slide.row, slide.column), on.spacing, on.blocked.shape, strict=True)
    )
    return rows, columns


def profile(slide: Slide, direction: float, on: Ground, box: tuple[slice, slice]) -> tuple[Float64, Float64]:
    """Speed relative to the fastest part, and its share towards the satellite along the line of sight, inside `box`."""
    rows, columns = (np.arange(part.start, part.stop) for part in box)
    metres_y = (rows[:, None] - slide.row) * on.spacing[0]
    metres_x = (columns[None, :] - slide.column) * on.spacing[1]
    (east_y, north_y), (east_x, north_x) = on.axes
    sine, cosine = np.sin(direction), np.cos(direction)
    down = metres_y * (east_y * sine + north_y * cosine) + metres_x * (east_x * sine + north_x * cosine)
    aside = metres_y * (east_y * cosine - north_y * sine) + metres_x * (east_x * cosine - north_x * sine)
    u, w = down / (0.5 * slide.length), aside / (0.5 * slide.width)
    w = w - slide.bend * np.clip(u, -1.0, 1.0) ** 2
    if slide.shape == "tongue":
        margin = (0.7 + 0.3 * np.clip(u, -1.0, 1.0)) * np.sqrt(np.clip(1.0 - u**4, 0.0, None))
        rise = slide.margin / DEFAULT_MARGIN
        speed = _smooth_step((margin - np.abs(w)) / slide.margin) * _smooth_step((1.0 - np.abs(u)) / (0.25 * rise))
    else:
        speed = _smooth_step((1.0 - np.hypot(u, w)) / slide.margin)
    speed *= (1.0 + slide.taper * np.clip(u, -1.0, 1.0)) / (1.0 + abs(slide.taper))
    dip = _dip(direction, on, (round(slide.row), round(slide.column)))
    dips = dip * (1.0 - 0.7 * np.clip(u, -1.0, 1.0)) if slide.shape == "spoon" else np.full(u.shape, dip)
    east, north, up = on.los[:, *box]
    towards = np.cos(dips) * (sine * east + cosine * north) - np.sin(dips) * up
    return speed, towards


def _smooth_step(t: Float64) -> Float64:
    t = np.clip(t, 0.0, 1.0)
    smooth: Float64 = t * t * (3.0 - 2.0 * t)
    return smooth
