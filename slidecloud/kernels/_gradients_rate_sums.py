"""What is made of the bins of the estimator ``rate``: gradients, DEM-error gradients, several bins together."""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_finish import arrays, described, solve_gradients
from slidecloud.kernels._gradients_layout import DIFFERENCES
from slidecloud.kernels._gradients_types import DemErrorGradient, GradientStack, RateSums
from slidecloud.kernels._gradients_windows import SAMPLE_ONE
from slidecloud.types import Float32

SMALLEST_SHARE = 1e-3
"""Of the pairs' information on baseline, what must be left beside the rate; below it the two cannot be told apart."""


FIELDS = 7
"""Of an axis in `RateSums`: rate, its information and variance, mixing, DEM error, its information and variance."""


@njit(nogil=True, cache=True, error_model="numpy")
def to_fields(solution, rate_variance, dem_variance, longest, largest, fields):  # type: ignore[no-untyped-def]
    """Fill an axis' FIELDS (field, y, x) from what ``regress_row`` found (output, y, x), in years and metres.

    The variances are those of the two sums of imaginary parts.
    """
    one, per_year, per_metre = SAMPLE_ONE**-2, 1.0 / longest, 1.0 / largest
    years, metres = one * longest * longest, one * largest * largest
    for i in range(fields.shape[1]):
        for j in range(fields.shape[2]):
            stands = solution[5, i, j] > 0.0
            tt, tb = np.float64(solution[2, i, j]) if stands else 1.0, np.float64(solution[3, i, j])
            mixing, weight = tb / tt, tt * years if stands else 0.0
            dem_weight = max(solution[4, i, j] - mixing * tb, 0.0) * metres
            scale = longest / weight if weight > 0.0 else 0.0
            dem_scale = largest / dem_weight if dem_weight > 0.0 else 0.0
            fields[0, i, j] = (solution[0, i, j] + mixing * solution[1, i, j]) * per_year
            fields[1, i, j] = weight
            fields[2, i, j] = rate_variance[i, j] * scale * scale
            fields[3, i, j] = mixing * largest * per_year
            fields[4, i, j] = solution[1, i, j] * per_metre
            fields[5, i, j] = dem_weight
            fields[6, i, j] = dem_variance[i, j] * dem_scale * dem_scale


@njit(nogil=True, cache=True, error_model="numpy")
def _rate_angles(fields, mean_span, known, angle, variance):  # type: ignore[no-untyped-def]
    """Angle between the blocks, without DEM error, of a pair of the mean span, and its variance; ``known`` where."""
    rates, weights, variances, mixings, errors, error_weights, error_variances = fields
    for i in range(angle.shape[0]):
        for j in range(angle.shape[1]):
            mixing, weight = np.float64(mixings[i, j]), error_weights[i, j]
            known[i, j] &= weights[i, j] > 0.0 and weight > SMALLEST_SHARE * (weight + mixing**2 * weights[i, j])
            angle[i, j] = (rates[i, j] - mixing * errors[i, j]) * mean_span[i, j]
            both = variances[i, j] > 0.0 and error_variances[i, j] > 0.0
            total = variances[i, j] + mixing * mixing * error_variances[i, j] if both else 0.0
            variance[i, j] = total * mean_span[i, j] * mean_span[i, j]


@njit(nogil=True, cache=True, error_model="numpy")
def _dem_angles(fields, known, angle, variance):  # type: ignore[no-untyped-def]
    """Angle between the blocks per metre of baseline and its variance; ``known`` where."""
    _, weights, _, mixings, errors, error_weights, error_variances = fields
    for i in range(angle.shape[0]):
        for j in range(angle.shape[1]):
            mixing, weight = np.float64(mixings[i, j]), error_weights[i, j]
            known[i, j] &= weight > SMALLEST_SHARE * (weight + mixing**2 * weights[i, j])
            angle[i, j], variance[i, j] = errors[i, j], error_variances[i, j]


def finish_rate(sums: RateSums, lever: float) -> GradientStack:
    """Gradients of a pair of the mean span without DEM error; ``lever`` is the product of the nominal distances."""
    description = described(sums)
    work = _Angles(sums.count.shape)
    for axis in range(2):
        _rate_angles(_axis(sums, axis), description["mean_span"], work.known, work.angle[axis], work.variance[axis])
    maps = work.solved(sums, lever)
    return GradientStack(maps[0], maps[1], maps[2], maps[3], sums.flags.copy(), sums.count.copy(), **description)


def finish_dem_error(sums: RateSums, lever: float) -> DemErrorGradient:
    """DEM-error gradients; parameters as of `finish_rate`."""
    work = _Angles(sums.count.shape)
    for axis in range(2):
        _dem_angles(_axis(sums, axis), work.known, work.angle[axis], work.variance[axis])
    return DemErrorGradient(*work.solved(sums, lever))


def _axis(sums: RateSums, axis: int) -> tuple[Float32, ...]:
    return tuple(np.ascontiguousarray(sums[FIELDS * axis + k], np.float32) for k in range(FIELDS))


class _Angles:
    """Angles between the blocks of both axes, their variances, and where both are known."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.known = np.ones(shape, bool)
        self.angle, self.variance = np.zeros((2, *shape), np.float32), np.zeros((2, *shape), np.float32)

    def solved(self, sums: RateSums, lever: float) -> list[Float32]:
        """x, y and their sigma, per pixel."""
        maps = [np.full(self.known.shape, np.nan, np.float32) for _ in range(4)]
        one, flags = self.known.astype(np.float32), np.zeros(self.known.shape, np.uint8)
        parts = (one, self.angle[0], one, self.angle[1], self.variance[0], self.variance[1])
        fields = (sums.distance_xx, sums.distance_xy, sums.distance_yx, sums.distance_yy)
        solve_gradients(parts, arrays(fields), DIFFERENCES, lever, maps[0], maps[1], maps[2], maps[3], flags)
        return maps


def merge_rates(first: RateSums, second: RateSums) -> dict[str, Float32]:
    """The fields of rates and DEM errors of two bins together.

    DEM errors are means weighted by their information, rates (of no DEM error) and mixing by that of the rates, so that
    a rate that differs between the bins is not taken for a DEM error.
    """
    merged = {}
    for axis in "xy":
        for part, names in (("rate", ("rate", "mixing")), ("dem", ("dem",))):
            weights = [getattr(sums, f"{axis}_{part}_information").astype(np.float64) for sums in (first, second)]
            total = weights[0] + weights[1]
            shares = [np.divide(weight, total, out=np.zeros_like(total), where=total > 0) for weight in weights]
            merged[f"{axis}_{part}_information"] = total.astype(np.float32)
            for name, power in (*((name, 1) for name in names), (f"{part}_variance", 2)):
                values = [getattr(sums, f"{axis}_{name}") for sums in (first, second)]
                mean = shares[0] ** power * values[0] + shares[1] ** power * values[1]
                merged[f"{axis}_{name}"] = mean.astype(np.float32)
    return merged


def share_dem_error(sums: RateSums, common: RateSums) -> RateSums:
    """A bin's sums with the DEM error of others, best of all bins merged.

    An elevation model is wrong by the same at all seasons. The bin's rate, kept for no DEM error, follows when it is
    finished. The error that bins then share is small beside the others and `mean_rate` takes it as independent.
    """
    names = [f"{axis}_{name}" for axis in "xy" for name in ("dem", "dem_information", "dem_variance")]
    return sums._replace(**{name: getattr(common, name) for name in names})
