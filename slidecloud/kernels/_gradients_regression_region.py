"""One pass over a region in tiles for the estimator ``rate``: class sums, their regression, and its scatter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels._gradients_classes import Regressors, pair_classes, regressors
from slidecloud.kernels._gradients_geometry import Axes, Pairs, Windows
from slidecloud.kernels._gradients_layout import TileSums, Workspace
from slidecloud.kernels._gradients_rate_sums import FIELDS, to_fields
from slidecloud.kernels._gradients_region import Region, channels_of, tile_size
from slidecloud.kernels._gradients_regression import OUTPUTS, regress_row, regress_rows
from slidecloud.kernels._gradients_regression_scatter import SCATTERS, class_sums, regression_scatter
from slidecloud.kernels._gradients_types import RateSums
from slidecloud.kernels._gradients_variance import BOUNDED_SIGMA, Scatter, bounded_variance, grid_reach, grid_step
from slidecloud.types import Float32, Float64

TILE_WIDTH = 544
"""Columns of the windows of a tile, few enough for the sums of a class to stay in the second-level cache."""


def class_bytes(windows: Windows) -> int:
    """Bytes of a pair that is a class of its own: its sums over a tile, and its products at the points, three times."""
    (rows, columns), step = tile_size(windows, TILE_WIDTH), grid_step(windows.size)
    return 16 * rows * columns + 64 * (rows // step[0] + 1) * (columns // step[1] + 1)


@dataclass(frozen=True)
class Regression:
    """What the regression knows of the pairs, and their dates, numbered from zero, in the order of the classes."""

    known: Regressors
    first: NDArray[np.int64]
    last: NDArray[np.int64]


def regression_of(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    order: NDArray[np.int64],
    dates: tuple[NDArray[np.int64], NDArray[np.int64]],
    span: Float64,
    baseline: Float64,
) -> tuple[Pairs, Regression]:
    """Pairs in the order of their classes, and what the regression knows of them.

    ``dates``, spans (years) and baselines (m) are in the order of (reference, secondary), to which ``order`` leads.
    """
    classes = pair_classes(span, baseline)
    by = classes.order
    numbers = np.unique(np.concatenate(dates))
    first, last = (np.searchsorted(numbers, each[by]) for each in dates)
    pairs = Pairs(phase, coherence, order[by], span[by], classes.member, np.empty((0, 6), np.int64))
    return pairs, Regression(regressors(classes, span, baseline), first, last)


class RateRegion(Region):
    """Sums of ``rate`` over an output region; parameters as of `Region`, whose ``totals`` hold the solutions here."""

    def __init__(
        self, pairs: Pairs, windows: Windows, corner: Axes, extent: Axes, origin: Axes, regression: Regression
    ) -> None:
        super().__init__(pairs, windows, corner, extent, origin)
        self.regression = regression
        self.points = np.zeros((4 + 2 * SCATTERS, *self.point_square.shape))
        self.totals = np.zeros((2 * OUTPUTS, *extent), np.float32)

    def rate_sums(self) -> RateSums:
        """All fields."""
        self._accumulate(TILE_WIDTH)
        flags = self._uneven()
        variances = self._regression_variances(flags)
        known = self.regression.known
        fields: Float32 = np.empty((2 * FIELDS, *self.extent), np.float32)
        for axis in range(2):
            to, solution = fields[FIELDS * axis : FIELDS * (axis + 1)], self.totals[OUTPUTS * axis :]
            to_fields(solution, variances[0][axis], variances[1][axis], known.longest, known.largest, to)
        return RateSums._make((*fields, *self.maps, self.count, flags))

    def _point_values(self, sums: TileSums, work: Workspace) -> Float64:  # noqa: ARG002
        """Products x real to y imaginary over all pairs, then both axes' scatter, (part, padded point)."""
        known, member = self.regression.known, self.pairs.member
        products = work.sampled.astype(np.float32)
        size = products.shape[1] // 4
        total = class_sums(products, member, len(known.table))
        solution = np.empty(2 * OUTPUTS * size, np.float32)
        regress_row(total.reshape(-1), 0, 4 * size, size, known.table, known.spacing, solution)
        scatter = np.empty(2 * SCATTERS * size, np.float32)
        regression_scatter(products, known.pairs, self.regression.first, self.regression.last, solution, size, scatter)
        return np.concatenate([total.sum(axis=0), scatter]).reshape(-1, size).astype(np.float64)

    def _store_totals(self, to: tuple[slice, slice], part: tuple[slice, slice], total: Float32) -> None:
        known = self.regression.known
        solution = np.empty((total.shape[1], 2 * OUTPUTS * total.shape[2] // 4), np.float32)
        regress_rows(total, known.table, known.spacing, part[0].start, part[0].stop, solution)
        self.totals[:, *to] = channels_of(solution, 2 * OUTPUTS)[:, *part]

    def _regression_variances(self, flags: NDArray[np.uint8]) -> tuple[Float32, Float32]:
        """Variances of ``sum t Im q`` and of ``sum e Im q``, each of x and y (2, y, x)."""
        shape = self.point_square.shape
        point_flags = np.zeros(shape, np.uint8)
        self._flag_aliased(point_flags)
        found = []
        with np.errstate(invalid="ignore", divide="ignore"):
            for parameter in range(2):
                values, usable = np.zeros((2, *shape)), np.zeros((2, *shape), bool)
                for axis in range(2):
                    sums = self.points[4 + SCATTERS * axis : 4 + SCATTERS * (axis + 1)]
                    across, along = (Scatter._make(sums[6 * parameter + k : 6 * parameter + k + 3]) for k in (0, 3))
                    left = sums[12 + parameter]
                    value, usable[axis], bounded = bounded_variance(across, along, left, grid_reach(self.windows.size))
                    values[axis] = np.where(usable[axis], value / self.point_square, 0.0)
                    point_flags[bounded] |= BOUNDED_SIGMA
                found.append((values, usable))
        return self._spread(*found[0], point_flags, flags), self._spread(*found[1], point_flags, flags)
