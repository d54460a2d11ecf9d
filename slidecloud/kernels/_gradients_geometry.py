"""The pairs that are stacked, the windows of an estimator, and how they lie on a tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._gradients_layout import COHERENT, Cover, Place, Shape
from slidecloud.kernels._gradients_variance import grid_reach, grid_step
from slidecloud.kernels._gradients_windows import sample_step

Axes = tuple[int, int]


@dataclass(frozen=True)
class Pairs:
    """Samples of the pairs (pair, y, x), the order to add them in, and in that order spans, classes and ``date_steps``.

    Pairs of a class follow each other.
    """

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    order: NDArray[np.int64]
    span: NDArray[np.float64]
    member: NDArray[np.int64]
    steps: NDArray[np.int64]


@dataclass(frozen=True)
class Windows:
    """Estimator, window and block (y, x) in pixels."""

    kind: int
    size: Axes
    block: Axes

    @property
    def lead(self) -> Axes:
        """Pixels of the window before its pixel."""
        return (self.size[0] - 1) // 2, (self.size[1] - 1) // 2

    @property
    def halo(self) -> Axes:
        """Pixels that all windows of a pixel reach beyond it, before and after."""
        more = 0 if self.kind == COHERENT else 1
        return self.size[0] - 1 + more, self.size[1] - 1 + more

    @property
    def shape(self) -> Shape:
        (tall, wide), (short, narrow) = self.size, self.block
        step = sample_step(wide)
        fixed = (np.float32(step), np.float32(1.0 / (256.0 * step)), 1 if wide > 128 else 0)
        if self.kind == COHERENT:
            return Shape(tall, narrow, short, wide, tall - short, wide - narrow, 0, *fixed)
        return Shape(tall, wide, tall, wide, 1, 1, 1, *fixed)

    @property
    def reach(self) -> Axes:
        """Pixels around an output pixel at which sigma needs products."""
        step, points = grid_step(self.size), grid_reach(self.size)
        return step[0] * (points[0] + 1) - 1, step[1] * (points[1] + 1) - 1

    @property
    def weight_scale(self) -> float:
        """Power of two, at most 256, with which moments of mean weights stay within 32 bits."""
        area = max(self.shape.tall * self.shape.narrow, self.shape.short * self.shape.wide)
        return float(2.0 ** min(8, int(np.floor(np.log2(2.0**31 / (255.0 * area * max(self.size)))))))


def cover_of(place: Place, size: Axes, width: int, shape: Shape, limit: tuple[int, ...]) -> Cover:
    """How much of a tile's windows lies inside the input, whose size is ``limit``."""

    def inside(first: int, count: int, length: int, end: int) -> NDArray[np.int64]:
        begin = first + np.arange(count)
        number: NDArray[np.int64] = np.maximum(np.minimum(begin + length, end) - np.maximum(begin, 0), 0)
        return number

    tall = inside(place.top, size[0], shape.tall, limit[0])[:, None]
    short = inside(place.top, size[0] + shape.lever_y, shape.short, limit[0])[:, None]
    narrow = inside(place.left, width + shape.lever_x, shape.narrow, limit[1])[None]
    wide = inside(place.left, width, shape.wide, limit[1])[None]
    columns = np.minimum(narrow[:, :width], narrow[:, shape.lever_x :])
    valid = 4 * tall * columns >= shape.tall * shape.narrow
    valid &= 4 * np.minimum(short[: size[0]], short[shape.lever_y :]) * wide >= shape.short * shape.wide
    return Cover(
        bool(valid[:, : size[1]].all()), valid.astype(np.float32),
        tall[:, 0].astype(np.float32), (narrow[0] * shape.unit).astype(np.float32),
        short[:, 0].astype(np.float32), (wide[0] * shape.unit).astype(np.float32),
    )  # fmt: skip
