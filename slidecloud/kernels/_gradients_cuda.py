"""Gradient stacking on an NVIDIA GPU: the sums of a region, from pairs that come in batches.

Import only where `slidecloud.kernels.device` has found a GPU, or in its simulator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import device
from slidecloud.kernels._gradients_cuda_holes import HOLE_SUMS
from slidecloud.kernels._gradients_cuda_maps import MAPS, add_weights, make_maps, weigh_rows
from slidecloud.kernels._gradients_cuda_points import POINT_SUMS, add_moments, find_ratios, find_variances
from slidecloud.kernels._gradients_cuda_tile import SAMPLED, SUMS, tile_kernel
from slidecloud.kernels._gradients_frame import Axes, frame
from slidecloud.kernels._gradients_geometry import Windows
from slidecloud.kernels._gradients_layout import DIFFERENCES, OVERLAP
from slidecloud.kernels._gradients_types import GradientSums
from slidecloud.kernels._gradients_variance import grid_reach
from slidecloud.kernels._gradients_windows import SAMPLE_ONE

SCRATCH = 256 * 2**20
"""Bytes for the products at the points of the grid of sigma, of as many pairs as are added at a time."""
_THREADS = 8 if device.is_simulated() else 128


class DeviceSums:
    """Running sums of a region in device memory.

    Parameters
    ----------
    windows
        Estimator and window.
    limit
        Rows and columns of the input.
    corner, extent, origin
        First pixel and size of the region, and the input's first pixel in the burst.
    span, steps
        Years of all pairs and their `date_steps`, in the order in which pairs will be added.
    """

    def __init__(
        self, windows: Windows, limit: Axes, corner: Axes, extent: Axes, origin: Axes, span: NDArray[np.float64],
        steps: NDArray[np.int64],
    ) -> None:  # fmt: skip
        if windows.kind == OVERLAP:
            raise ValueError(
                "estimator: found 'overlap' with arrays on the device, expected 'coherent', 'sum' or 'rewrapped'; "
                "give arrays of the host (resources.device: cpu)"
            )
        self.windows, self.limit, self.added = windows, limit, 0
        self.kernel, self.tile = tile_kernel(windows.kind, windows.shape)
        self.frame = frame(corner, extent, origin, limit, windows.size, windows.lead, windows.halo, windows.reach)
        start, first, lead = self.frame.start, self.frame.grid_first, windows.lead
        self.size = (self.frame.stop[0] - start[0], self.frame.stop[1] - start[1])
        place = (start[0] - lead[0], start[1] - lead[1], *limit, *self.size, first[0] - start[0], first[1] - start[1])
        self.place = tuple(np.int32(value) for value in (*place, *self.frame.points))
        self.span, self.steps = device.to_device(span.astype(np.float32)), device.to_device(steps.astype(np.int32))
        points = self.frame.points[0] * self.frame.points[1]
        columns, each, groups = self.tile
        self.tiles = (-(-self.size[1] // columns), -(-self.size[0] // (each * groups)))
        pixels = self.tiles[0] * self.tiles[1] * columns * each * groups
        self.sums, self.hole_sums = device.zeros(SUMS * pixels), device.zeros(HOLE_SUMS * pixels)
        self.counts = device.zeros(pixels, np.int32)
        self.weight, self.missing = (device.zeros(limit[0] * limit[1], np.int32) for _ in range(2))
        self.point_sums = device.zeros((POINT_SUMS, points), np.float64)
        self.as_reference = device.zeros((4, points), np.float64)
        slots = int(steps[:, 0].max(initial=0)) + 1
        self.as_secondary = device.zeros((slots, 4, points), np.float64)
        self.largest = max(1, min(len(span), SCRATCH // max(1, 4 * SAMPLED * points)))
        self.samples = device.empty((self.largest, SAMPLED * points))

    def add(self, phase: Any, coherence: Any, order: NDArray[np.int64], *, stream: Any = 0) -> None:
        """Add the next pairs, device arrays int16 and uint8 (pair, y, x), in this ``order``.

        Returns before the work is done.
        """
        pixels = self.limit[0] * self.limit[1]
        phase, coherence = phase.reshape(phase.shape[0], pixels), coherence.reshape(coherence.shape[0], pixels)
        places = device.to_device(order.astype(np.int32), stream=stream)
        add_weights[_blocks(pixels), _THREADS, stream](coherence, self.weight, self.missing)
        points = self.frame.points[0] * self.frame.points[1]
        for first in range(0, phase.shape[0], self.largest):
            number = min(self.largest, phase.shape[0] - first)
            now = slice(self.added, self.added + number)
            samples = self.samples[:number]
            self.kernel[self.tiles, self.tile.columns * self.tile.groups, stream](
                phase, coherence, places[first : first + number], self.span[now], self.place, self.sums,
                self.hole_sums, self.counts, samples,
            )  # fmt: skip
            add_moments[_blocks(points), _THREADS, stream](
                samples.reshape(number, points, SAMPLED), self.steps[now], self.windows.kind, self.point_sums,
                self.as_reference, self.as_secondary,
            )  # fmt: skip
            self.added += number

    def result(self, *, stream: Any = 0) -> GradientSums:
        """The sums of the pairs added so far, on the host."""
        extent = self.frame.extent
        maps, count = device.empty((MAPS, *extent)), device.empty(extent, np.int32)
        flags = device.empty(extent, np.uint8)
        self._make_maps(maps, count, flags, stream)
        fields = device.to_host(maps)
        return GradientSums._make((*fields, device.to_host(count), device.to_host(flags)))

    def _make_maps(self, maps: Any, count: Any, flags: Any, stream: Any) -> None:
        shape, kind = self.windows.shape, self.windows.kind
        values, point_flags = self._variances(stream)
        left, width = self.place[1], self.size[1] + shape.lever_x
        rows = device.empty((4, self.limit[0], width), np.int32)
        weigh_rows[*_grid(rows.shape[1:]), stream](
            self.weight, self.missing, np.int32(self.added), self.windows.weight_scale, left,
            (np.int32(shape.narrow), np.int32(shape.wide)), np.int32(self.limit[1]), rows,
        )  # fmt: skip
        unit, one = (1.0, 1.0) if kind == DIFFERENCES else (float(shape.unit) ** 2, SAMPLE_ONE**-2)
        sizes = tuple(np.int32(size) for size in shape[:6])
        inner = tuple(np.int32(c - s) for c, s in zip(self.frame.corner, self.frame.start, strict=True))
        step = tuple(np.int32(size) for size in self.frame.step)
        tile = tuple(np.int32(size) for size in (*self.tile, self.tiles[0]))
        scale = (np.float32(unit), np.float32(one), np.float32(one**2))
        make_maps[*_grid(self.frame.extent), stream](
            self.sums, self.hole_sums, self.counts, rows, self.weight, values, point_flags, kind, sizes, self.place,
            step, tile, scale, inner, maps, count, flags,
        )  # fmt: skip

    def _variances(self, stream: Any) -> tuple[Any, Any]:
        points, shape, kind = self.frame.points, self.windows.shape, self.windows.kind
        number = points[0] * points[1]
        ratios = device.empty((2, 3, number), np.int64)
        values, flags = device.empty((2, number), np.float64), device.empty(number, np.uint8)
        grid = tuple(np.int32(value) for value in (*points, *grid_reach(self.windows.size)))
        levers = (shape.lever_x / shape.narrow, shape.lever_y / shape.short)
        launch = (_blocks(number), _THREADS, stream)
        find_ratios[launch](self.point_sums, kind, ratios)
        find_variances[launch](self.point_sums, ratios, kind, grid, levers, values, flags)
        return values, flags


def _blocks(number: int) -> int:
    return max(1, -(-number // _THREADS))


def _grid(shape: Axes) -> tuple[Axes, Axes]:
    """Blocks and threads (x, y) for maps of rows and columns."""
    threads = (_THREADS // 4, 4)
    return (max(1, -(-shape[1] // threads[0])), max(1, -(-shape[0] // threads[1]))), threads
