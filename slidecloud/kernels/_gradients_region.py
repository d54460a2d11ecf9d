"""One pass over a region in tiles: every map of a bin's sums, from all its pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._gradients_distance import combine_distances, mean_distances
from slidecloud.kernels._gradients_finish import UNEVEN, UNEVEN_SHIFT, flag_aliased
from slidecloud.kernels._gradients_frame import frame
from slidecloud.kernels._gradients_geometry import Axes, Pairs, Windows, cover_of
from slidecloud.kernels._gradients_layout import (
    COHERENT,
    DIFFERENCES,
    OVERLAP,
    Cover,
    Place,
    TileSums,
    Workspace,
    workspace,
)
from slidecloud.kernels._gradients_tile import accumulate_tile
from slidecloud.kernels._gradients_types import GradientSums
from slidecloud.kernels._gradients_variance import grid_reach, point_variances, spread_variances
from slidecloud.kernels._gradients_windows import SAMPLE_ONE
from slidecloud.kernels._lanes import WIDTH
from slidecloud.types import Float32, Float64

TILE_ROWS, TILE_WIDTH = 64, 1024
"""Output rows of a tile, and columns of its windows."""
KEPT = 8
"""Pairs whose products at the points of the grid are kept before their moments are summed."""


class Region:
    """Sums over an output region whose first input pixel is ``corner``; the input's is ``origin`` in the burst."""

    def __init__(self, pairs: Pairs, windows: Windows, corner: Axes, extent: Axes, origin: Axes) -> None:
        self.pairs, self.windows, self.corner, self.extent = pairs, windows, corner, extent
        limit = (pairs.phase.shape[1], pairs.phase.shape[2])
        found = frame(corner, extent, origin, limit, windows.size, windows.lead, windows.halo, windows.reach)
        self.start, self.stop, self.step, self.grid_first = found.start, found.stop, found.step, found.grid_first
        points = found.points
        self.points, self.point_square = np.zeros((22, *points)), np.zeros(points)
        self.adjacent = np.zeros((4, *points) if windows.kind == COHERENT else (4, 0, 0), np.float32)
        self.totals, self.maps = np.zeros((4, *extent), np.float32), np.zeros((8, *extent), np.float32)
        self.count = np.zeros(extent, np.int32)
        self._memory = np.empty(0, np.float32)

    def sums(self) -> GradientSums:
        """All fields; the totals are the first four of ``GradientSums``, the maps those from the magnitude on."""
        self._accumulate(TILE_WIDTH)
        flags = self._uneven()
        variance = self._variances(flags)
        return GradientSums._make((*self.totals, *variance, *self.maps, self.count, flags))

    def _accumulate(self, widest: int) -> None:
        """Work through the tiles, whose windows have up to ``widest`` columns."""
        height, across = self.stop[0] - self.start[0], self.stop[1] - self.start[1]
        halo_x, (most_rows, most_columns) = self.windows.halo[1], tile_size(self.windows, widest)
        rows, columns = _even(height, most_rows), _even(across, most_columns - halo_x)
        width = -(-(columns + halo_x) // WIDTH) * WIDTH
        for top in range(self.start[0], self.stop[0], rows):
            for left in range(self.start[1], self.stop[1], columns):
                bottom, right = min(top + rows, self.stop[0]), min(left + columns, self.stop[1])
                self._tile((top, left), (bottom - top, right - left), width)

    def _tile(self, first: Axes, size: Axes, width: int) -> None:
        windows, kind = self.windows, self.windows.kind
        place, points = self._place(first, size)
        cover = cover_of(place, size, width, windows.shape, self.pairs.phase.shape[1:])
        number = place.grid_rows * place.grid_columns
        padded = -(-number // WIDTH) * WIDTH
        pairs, shape = self.pairs, windows.shape
        total = self._totals(size[0], 4 * width)
        sums = _tile_sums(total, width, windows, place.grid_rows, padded)
        slots, kept = (int(pairs.steps[:, 0].max()) + 1, KEPT) if len(pairs.steps) else (1, pairs.order.size)
        work = workspace(width, shape, padded, slots, kept)
        whole = accumulate_tile(
            pairs.phase, pairs.coherence, pairs.order, pairs.span, pairs.member, pairs.steps, kind, shape, place, cover,
            work, sums,
        )  # fmt: skip
        grid = (place.grid_rows, place.grid_columns)
        self.points[:, *points] = self._point_values(sums, work)[:, :number].reshape(-1, *grid)
        self.point_square[points] = sums.point_square[:number].reshape(grid)
        if kind == COHERENT:
            columns = place.grid_column + place.step_x * np.arange(place.grid_columns)
            self.adjacent[:, *points] = sums.adjacent.reshape(-1, 4, width)[:, :, columns].transpose(1, 0, 2)
        if place.last_row > place.first_row and place.last_column > place.first_column:
            self._store(first, place, cover, sums, whole, width)

    def _totals(self, rows: int, columns: int) -> Float32:
        """Sums of the classes of a tile, not yet zero; tiles share their memory."""
        size = (int(self.pairs.member[-1]) + 1, rows, columns)
        if self._memory.size < np.prod(size):
            self._memory = np.empty(np.prod(size), np.float32)
        return self._memory[: np.prod(size)].reshape(size)

    def _point_values(self, sums: TileSums, work: Workspace) -> Float64:  # noqa: ARG002
        """What is kept of a tile's points, (part, padded point)."""
        values: Float64 = sums.points.reshape(22, -1)
        return values

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

        self._store_totals(to, (rows, columns), sums.total)
        magnitude, square, span, quality = (self.maps[number, *to] for number in range(4))
        np.add(channel(sums.sizes), channel(sums.sizes, 1), out=magnitude)
        magnitude *= one
        np.multiply(channel(sums.square), one**2, out=square)
        np.multiply(channel(sums.span), one, out=span)
        covered = channel(cover.valid)
        quality[:] = sums.weight[place.lead_y :, place.lead_x :][rows, columns]
        quality *= covered
        quality -= channel(sums.lost)
        quality /= 255.0
        self.count[to] = channel(sums.count) + whole * covered
        distance = self._distances(sums, width)
        for part in range(4):
            self.maps[4 + part, *to] = channel(distance, part)

    def _store_totals(self, to: tuple[slice, slice], part: tuple[slice, slice], total: Float32) -> None:
        """Put the sums of products in a part of the tile (rows, columns) where they belong in the region."""
        one = 1.0 if self.windows.kind == DIFFERENCES else SAMPLE_ONE**-2
        np.multiply(channels_of(total[0], 4)[:, *part], one, out=self.totals[:, *to])

    def _distances(self, sums: TileSums, width: int) -> Float32:
        """Distances (y, 4 channels): of the x blocks along x, along y; of the y blocks along x, along y."""
        windows, shape = self.windows, self.windows.shape
        distance = np.zeros(sums.total.shape[1:], np.float32)
        if windows.kind == DIFFERENCES:  # the published step of one pixel
            distance[:, :width] = distance[:, 3 * width :] = 1.0
            return distance
        scale, number = windows.weight_scale, self.pairs.order.size
        columns = np.arange(width, dtype=np.int32)
        mean_distances(sums.weight, sums.missing, number, shape, scale, columns, width, distance)
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

    def _uneven(self) -> NDArray[np.uint8]:
        """Flags that hold UNEVEN."""
        flags = np.zeros(self.extent, np.uint8)
        shape, counted = self.windows.shape, self.count > 0
        distance = self.maps[4:]
        distance[:, ~counted] = 0.0
        if self.windows.kind != DIFFERENCES:
            nominal = ((shape.lever_x, 0.0), (0.0, shape.lever_y))
            for axis, lever in enumerate((shape.lever_x, shape.lever_y)):
                for k in range(2):
                    away = np.abs(distance[2 * axis + k] - np.float32(nominal[axis][k]))
                    flags[counted & (away > np.float32(UNEVEN_SHIFT * lever))] |= UNEVEN
        return flags

    def _variances(self, flags: NDArray[np.uint8]) -> Float32:
        kind = self.windows.kind
        point_flags = np.zeros(self.point_square.shape, np.uint8)
        values, usable = point_variances(
            self.points, self.point_square, kind, grid_reach(self.windows.size), point_flags
        )
        if kind == COHERENT:
            self._flag_aliased(point_flags)
        return self._spread(values, usable, point_flags, flags)

    def _flag_aliased(self, point_flags: NDArray[np.uint8]) -> None:
        shape = self.windows.shape
        ratios = np.array([shape.lever_x / shape.narrow, shape.lever_y / shape.short])
        flag_aliased(self.points[:4].reshape(4, -1), self.adjacent.reshape(4, -1), ratios, point_flags.reshape(-1))

    def _spread(
        self, values: Float64, usable: NDArray[np.bool_], point_flags: NDArray[np.uint8], flags: NDArray[np.uint8]
    ) -> Float32:
        """Variances of x and y at the pixels from those at the points relative to the squared sizes."""
        first = (self.corner[0] - self.grid_first[0], self.corner[1] - self.grid_first[1])
        variance: Float32 = np.zeros((2, *self.extent), np.float32)
        spread_variances(values, usable, point_flags, first, self.step, self.maps[1], self.count, variance, flags)
        return variance


def tile_size(windows: Windows, widest: int) -> Axes:
    """Most output rows of a tile and columns of its windows."""
    return max(TILE_ROWS, 2 * windows.size[0]), max(widest, 4 * windows.halo[1])


def _even(total: int, largest: int) -> int:
    """Size of the parts when ``total`` is cut into as few equal ones of at most ``largest`` as will do."""
    return -(-total // -(-total // largest))


def channels_of(rows: Float32, number: int) -> Float32:
    """Rows of channels, one behind the other, as (channel, y, x)."""
    parts: Float32 = rows.reshape(len(rows), number, -1).transpose(1, 0, 2)
    return parts


def _tile_sums(total: Float32, width: int, windows: Windows, grid_rows: int, points: int) -> TileSums:
    rows = total.shape[1]

    def channels(number: int, *, used: bool = True) -> Float32:
        return np.zeros((rows, number * width) if used else (rows, 0), np.float32)

    coherent = windows.kind == COHERENT
    weights = (rows + windows.halo[0], width)
    return TileSums(
        total, channels(2), channels(1), channels(1), channels(4, used=windows.kind == OVERLAP), channels(1),
        channels(1), channels(4, used=coherent), channels(2, used=coherent), np.zeros(weights, np.int32),
        np.zeros(weights, np.int32), np.zeros(22 * points), np.zeros(points),
        np.zeros((grid_rows if coherent else 0, 4 * width), np.float32),
    )  # fmt: skip
