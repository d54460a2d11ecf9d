"""One pass over a region in tiles: every map of a bin's sums, from all its pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._gradients_distance import combine_distances, mean_distances
from slidecloud.kernels._gradients_finish import UNEVEN, UNEVEN_SHIFT, flag_aliased
from slidecloud.kernels._gradients_frame import frame
from slidecloud.kernels._gradients_layout import (
    COHERENT,
    DIFFERENCES,
    OVERLAP,
    Cover,
    Place,
    Shape,
    TileSums,
    workspace,
)
from slidecloud.kernels._gradients_tile import accumulate_tile
from slidecloud.kernels._gradients_types import GradientSums
from slidecloud.kernels._gradients_variance import grid_reach, grid_step, point_variances, spread_variances
from slidecloud.kernels._gradients_windows import SAMPLE_ONE, sample_step
from slidecloud.types import Float32

Axes = tuple[int, int]
TILE_ROWS, TILE_WIDTH, LANES = 64, 384, 32
"""Output rows of a tile; columns of its windows, and what they are a multiple of, so that vector loops have no rest."""


@dataclass(frozen=True)
class Pairs:
    """Samples of the pairs (pair, y, x), the order to add them in, and in that order spans and ``date_steps``."""

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    order: NDArray[np.int64]
    span: NDArray[np.float64]
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


class Region:
    """Sums over an output region whose first input pixel is ``corner``; the input's is ``origin`` in the burst."""

    def __init__(self, pairs: Pairs, windows: Windows, corner: Axes, extent: Axes, origin: Axes) -> None:
        self.pairs, self.windows, self.corner, self.extent = pairs, windows, corner, extent
        limit = (pairs.phase.shape[1], pairs.phase.shape[2])
        found = frame(corner, extent, origin, limit, windows.size, windows.lead, windows.halo, windows.reach)
        self.start, self.stop, self.step, self.grid_first = found.start, found.stop, found.step, found.grid_first
        points = found.points
        self.points, self.point_square = np.zeros((22, *points)), np.zeros(points)
        self.adjacent = np.zeros((4, *points) if windows.kind == COHERENT else (4, 0, 0))
        self.maps = np.zeros((12, *extent), np.float32)
        self.count = np.zeros(extent, np.int32)

    def sums(self) -> GradientSums:
        """All fields; the maps are those of ``GradientSums`` without variances, count and flags, in their order."""
        halo_x = self.windows.halo[1]
        height, across = self.stop[0] - self.start[0], self.stop[1] - self.start[1]
        rows = _even(height, max(TILE_ROWS, 2 * self.windows.size[0]))
        columns = _even(across, max(TILE_WIDTH, 4 * halo_x) - halo_x)
        width = -(-(columns + halo_x) // LANES) * LANES
        for top in range(self.start[0], self.stop[0], rows):
            for left in range(self.start[1], self.stop[1], columns):
                bottom, right = min(top + rows, self.stop[0]), min(left + columns, self.stop[1])
                self._tile((top, left), (bottom - top, right - left), width)
        return self._fields()

    def _tile(self, first: Axes, size: Axes, width: int) -> None:
        windows, kind = self.windows, self.windows.kind
        place, points = self._place(first, size)
        cover = _cover(place, size, width, windows.shape, self.pairs.phase.shape[1:])
        sums = _tile_sums(size[0], width, windows, place.grid_rows * place.grid_columns)
        pairs, shape = self.pairs, windows.shape
        work = workspace(width, shape, sums.points.shape[1], int(pairs.steps[:, 0].max()) + 1)
        whole = accumulate_tile(
            pairs.phase, pairs.coherence, pairs.order, pairs.span, pairs.steps, kind, shape, place, cover, work, sums
        )
        self.points[:, *points] = sums.points.reshape(22, place.grid_rows, place.grid_columns)
        self.point_square[points] = sums.point_square.reshape(place.grid_rows, place.grid_columns)
        if kind == COHERENT:
            self.adjacent[:, *points] = sums.adjacent.reshape(4, place.grid_rows, place.grid_columns)
        if place.last_row > place.first_row and place.last_column > place.first_column:
            self._store(first, place, cover, sums, whole, width)

    def _place(self, first: Axes, size: Axes) -> tuple[Place, tuple[slice, slice]]:
        """Place of a tile, and which points of the grid are its own."""
        lead, wanted, grid, points = self.windows.lead, [], [], []
        for k in range(2):
            inside = (self.corner[k] - first[k], self.corner[k] + self.extent[k] - first[k])
            wanted += [min(max(edge, 0), size[k]) for edge in inside]
            begin = max(0, -(-(first[k] - self.grid_first[k]) // self.step[k]))
            end = max(begin, -(-(first[k] + size[k] - self.grid_first[k]) // self.step[k]))
            grid += [self.grid_first[k] + begin * self.step[k] - first[k], self.step[k], end - begin]
            points.append(slice(begin, end))
        return Place(first[0] - lead[0], first[1] - lead[1], *lead, *wanted, *grid), (points[0], points[1])

    def _store(self, first: Axes, place: Place, cover: Cover, sums: TileSums, whole: int, width: int) -> None:
        """Put the tile's part of the region into the maps."""
        rows, columns = slice(place.first_row, place.last_row), slice(place.first_column, place.last_column)
        down, right = first[0] - self.corner[0], first[1] - self.corner[1]
        to = (slice(down + rows.start, down + rows.stop), slice(right + columns.start, right + columns.stop))
        one = 1.0 if self.windows.kind == DIFFERENCES else SAMPLE_ONE**-2

        def channel(field: Float32, number: int = 0) -> Float32:
            return field[rows, number * width + columns.start : number * width + columns.stop]

        for part in range(4):
            self.maps[part, *to] = channel(sums.total, part) * one
        self.maps[4, *to] = (channel(sums.sizes) + channel(sums.sizes, 1)) * one
        self.maps[5, *to] = channel(sums.square) * one**2
        self.maps[6, *to] = channel(sums.span) * one
        own = sums.weight[place.lead_y :, place.lead_x :][rows, columns]
        covered = channel(cover.valid)
        self.maps[7, *to] = (own * covered - channel(sums.lost)) / 255.0
        self.count[to] = channel(sums.count) + whole * covered
        distance = self._distances(sums, width)
        for part in range(4):
            self.maps[8 + part, *to] = channel(distance, part)

    def _distances(self, sums: TileSums, width: int) -> Float32:
        """Distances (y, 4 channels): of the x blocks along x, along y; of the y blocks along x, along y."""
        windows, shape = self.windows, self.windows.shape
        distance = np.zeros(sums.total.shape, np.float32)
        if windows.kind == DIFFERENCES:  # the published step of one pixel
            distance[:, :width] = distance[:, 3 * width :] = 1.0
            return distance
        scale, number = windows.weight_scale, self.pairs.order.size
        mean_distances(sums.weight, sums.missing, number, shape, scale, width, distance)
        if windows.kind == OVERLAP:
            with np.errstate(invalid="ignore", divide="ignore"):
                for axis in range(2):
                    shared, all_weights = (sums.extra[:, k * width : (k + 1) * width] for k in (2 * axis, 2 * axis + 1))
                    kept = 1.0 - shared / all_weights
                    distance[:, 2 * axis * width : (2 * axis + 1) * width] /= kept
                    distance[:, (2 * axis + 1) * width : (2 * axis + 2) * width] /= kept
            return distance
        result = np.zeros_like(distance)
        combine_distances(
            distance, sums.deviation, sums.sizes, sums.partial, shape.lever_y, shape.lever_x, width, result
        )
        return result

    def _fields(self) -> GradientSums:
        flags = np.zeros(self.extent, np.uint8)
        shape, counted = self.windows.shape, self.count > 0
        distance = self.maps[8:]
        distance[:, ~counted] = 0.0
        if self.windows.kind != DIFFERENCES:
            nominal = ((shape.lever_x, 0.0), (0.0, shape.lever_y))
            for axis, lever in enumerate((shape.lever_x, shape.lever_y)):
                for k in range(2):
                    away = np.abs(distance[2 * axis + k] - np.float32(nominal[axis][k]))
                    flags[counted & (away > np.float32(UNEVEN_SHIFT * lever))] |= UNEVEN
        variance = self._variances(flags)
        return GradientSums._make((*self.maps[:4], *variance, *self.maps[4:], self.count, flags))

    def _variances(self, flags: NDArray[np.uint8]) -> Float32:
        kind, shape = self.windows.kind, self.windows.shape
        point_flags = np.zeros(self.point_square.shape, np.uint8)
        values, usable = point_variances(
            self.points, self.point_square, kind, grid_reach(self.windows.size), point_flags
        )
        if kind == COHERENT:
            ratios = np.array([shape.lever_x / shape.narrow, shape.lever_y / shape.short])
            flag_aliased(self.points[:4].reshape(4, -1), self.adjacent.reshape(4, -1), ratios, point_flags.reshape(-1))
        first = (self.corner[0] - self.grid_first[0], self.corner[1] - self.grid_first[1])
        variance: Float32 = np.zeros((2, *self.extent), np.float32)
        spread_variances(values, usable, point_flags, first, self.step, self.maps[5], self.count, variance, flags)
        return variance


def _even(total: int, largest: int) -> int:
    """Size of the parts when ``total`` is cut into as few equal ones of at most ``largest`` as will do."""
    return -(-total // -(-total // largest))


def _cover(place: Place, size: Axes, width: int, shape: Shape, limit: tuple[int, ...]) -> Cover:
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


def _tile_sums(rows: int, width: int, windows: Windows, points: int) -> TileSums:
    def channels(number: int, *, used: bool = True) -> Float32:
        return np.zeros((rows, number * width) if used else (rows, 0), np.float32)

    coherent = windows.kind == COHERENT
    weights = (rows + windows.halo[0], width)
    return TileSums(
        channels(4), channels(2), channels(1), channels(1), channels(4, used=windows.kind == OVERLAP), channels(1),
        channels(1), channels(4, used=coherent), channels(2, used=coherent), np.zeros(weights, np.int32),
        np.zeros(weights, np.int32), np.zeros((22, points)), np.zeros(points),
        np.zeros((4, points if coherent else 0)),
    )  # fmt: skip
