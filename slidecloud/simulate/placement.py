"""Places for slides on a given ground."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.simulate.slides import Ground, Motion, Shape, Slide, bounds, direction_of, profile
from slidecloud.simulate.streams import Subject, stream

ATTEMPTS = 4000
APART = 4
SHAPES: tuple[Shape, ...] = ("ellipse", "tongue", "spoon")
MOTIONS: tuple[Motion, ...] = ("linear", "seasonal", "linear", "accelerating")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Ranges of length (m) and rate (m/yr) of placed slides, both log-uniform, and whether their forms vary: slimness,
    margin, bend and taper."""

    length: tuple[float, float] = (300.0, 1500.0)
    rate: tuple[float, float] = (0.03, 0.25)
    varied: bool = False


DEFAULT_SIZES = Sizes()


def place(
    count: int, *, seed: int, on: Ground, min_sensitivity: float, sizes: Sizes = DEFAULT_SIZES
) -> tuple[Slide, ...]:
    """Find places for `count` slides on slopes of 12 to 40 degrees, apart from each other and seen by the radar.

    Shapes and motions take turns. The motion keeps at least `min_sensitivity` of its length along the line of sight.
    The first slides of a longer list are the same.

    Raises
    ------
    ValueError
        If no place is left.
    """
    placed = tuple(places(count, seed=seed, on=on, min_sensitivity=min_sensitivity, sizes=sizes))
    if len(placed) < count:
        raise ValueError(
            f"slides: found room for {len(placed)} of {count} in {on.blocked.shape} pixels; ask for fewer slides, a "
            "larger shape or steeper terrain, lower min_sensitivity, or give a list of Slide"
        )
    return placed


def places(
    count: int, *, seed: int, on: Ground, min_sensitivity: float, sizes: Sizes = DEFAULT_SIZES
) -> Iterator[Slide]:
    """The same one by one; ends early where no room is left."""
    taken = on.blocked.copy()
    for number in range(count):
        rng = stream(seed, Subject.SLIDES, number)
        for attempt in range(ATTEMPTS):
            # Where room is short, smaller slides still fit.
            slide = _random_slide(rng, number, on, sizes, shrink=1.0 - 0.7 * attempt / ATTEMPTS)
            footprint = _footprint_if_fit(slide, on, taken, min_sensitivity)
            if footprint is not None:
                break
        else:
            return
        taken[bounds(slide, on, margin=APART)] |= ndimage.binary_dilation(footprint, iterations=APART)
        yield slide


def _random_slide(rng: np.random.Generator, number: int, on: Ground, sizes: Sizes, *, shrink: float) -> Slide:
    rows, columns = on.blocked.shape
    longest = min(sizes.length[1], 0.35 * min(rows * on.spacing[0], columns * on.spacing[1]))
    length = shrink * np.exp(rng.uniform(np.log(min(sizes.length[0], 0.6 * longest)), np.log(longest)))
    shape = SHAPES[number % len(SHAPES)]
    slimness = rng.uniform(0.3, 0.45) if shape == "tongue" else rng.uniform(0.5, 0.85)
    form = {}
    if sizes.varied:
        slimness = rng.uniform(0.3, 1.0)
        form = {"margin": rng.uniform(0.1, 1.0), "bend": rng.uniform(-0.5, 0.5), "taper": rng.uniform(-0.7, 0.7)}
    return Slide(
        row=float(rng.uniform(0, rows - 1)),
        column=float(rng.uniform(0, columns - 1)),
        length=float(length),
        width=float(length * slimness),
        rate=float(np.exp(rng.uniform(*np.log(sizes.rate)))),
        shape=shape,
        motion=MOTIONS[number % len(MOTIONS)],
        **form,
    )


def _footprint_if_fit(
    slide: Slide, on: Ground, taken: NDArray[np.bool_], min_sensitivity: float
) -> NDArray[np.bool_] | None:
    """Pixels of a slide within its bounds and `APART` about them, or None where it may not lie."""
    at = round(slide.row), round(slide.column)
    slope = np.arctan(np.hypot(on.rise_east[at], on.rise_north[at]))
    if taken[at] or not np.radians(12.0) <= slope <= np.radians(40.0):
        return None
    half = 0.5 * slide.length
    for place, size, step in zip((slide.row, slide.column), taken.shape, on.spacing, strict=True):
        if not half / step <= place <= size - 1 - half / step:
            return None
    box = bounds(slide, on, margin=APART)
    speed, towards = profile(slide, direction_of(slide, on), on, box)
    inside = speed > 0.0
    if not inside.any():
        return None
    sensitivity = abs(float(towards[at[0] - box[0].start, at[1] - box[1].start]))
    return None if taken[box][inside].any() or sensitivity < min_sensitivity else inside
