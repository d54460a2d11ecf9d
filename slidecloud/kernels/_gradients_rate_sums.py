"""What is made of the bins of the estimator ``rate``: gradients, DEM-error gradients, several bins together."""

from __future__ import annotations

import numpy as np

from slidecloud.kernels._gradients_finish import solve_gradients
from slidecloud.kernels._gradients_layout import DIFFERENCES
from slidecloud.kernels._gradients_types import DemErrorGradient, GradientStack, RateSums
from slidecloud.types import Float32, Float64

SMALLEST_SHARE = 1e-3
"""Of the pairs' information on baseline, what must be left beside the rate; below it the two cannot be told apart."""
_RATE = ("rate", "rate_information", "rate_variance", "mixing", "dem", "dem_information", "dem_variance")


def finish_rate(sums: RateSums, lever: float) -> GradientStack:
    """Gradients of a pair of the mean span without DEM error; ``lever`` is the product of the nominal distances."""
    magnitude = np.where(sums.magnitude > 0, sums.magnitude, np.nan).astype(np.float64)
    mean_span = sums.span / magnitude
    angles, variances = [], []
    for axis in "xy":
        rate, information, variance, mixing, dem, dem_information, dem_variance = _axis(sums, axis)
        known = (information > 0) & (dem_information > SMALLEST_SHARE * (dem_information + mixing**2 * information))
        angles.append(np.where(known, (rate - mixing * dem) * mean_span, np.nan))
        both = (variance > 0) & (dem_variance > 0)
        variances.append(np.where(both, (variance + mixing**2 * dem_variance) * mean_span**2, 0.0))
    flags = sums.flags.copy()
    maps = _solve(sums, angles, variances, lever)
    counted = np.where(sums.count > 0, sums.count, np.nan)
    return GradientStack(
        maps[0], maps[1], maps[2], maps[3], flags, sums.count.copy(),
        effective_pairs=(magnitude**2 / sums.magnitude_squared).astype(np.float32),
        mean_coherence=(sums.coherence / counted).astype(np.float32),
        mean_span=mean_span.astype(np.float32),
    )  # fmt: skip


def finish_dem_error(sums: RateSums, lever: float) -> DemErrorGradient:
    """DEM-error gradients; parameters as of `finish_rate`."""
    angles, variances = [], []
    for axis in "xy":
        _, information, _, mixing, dem, dem_information, variance = _axis(sums, axis)
        known = dem_information > SMALLEST_SHARE * (dem_information + mixing**2 * information)
        angles.append(np.where(known, dem, np.nan))
        variances.append(variance)
    return DemErrorGradient(*_solve(sums, angles, variances, lever))


def _axis(sums: RateSums, axis: str) -> list[Float64]:
    return [getattr(sums, f"{axis}_{name}").astype(np.float64) for name in _RATE]


def _solve(sums: RateSums, angles: list[Float64], variances: list[Float64], lever: float) -> list[Float32]:
    """Angles between the blocks and their variances solved for x, y and their sigma."""
    shape = sums.count.shape
    maps = [np.full(shape, np.nan, np.float32) for _ in range(4)]
    known = np.isfinite(angles[0]) & np.isfinite(angles[1])
    one = np.where(known, 1.0, 0.0).astype(np.float32)
    parts = [np.where(known, values, 0.0).astype(np.float32) for values in (*angles, *variances)]
    distance = [
        np.ascontiguousarray(field, np.float32)
        for field in (sums.distance_xx, sums.distance_xy, sums.distance_yx, sums.distance_yy)
    ]
    flags = np.zeros(shape, np.uint8)
    solve_gradients(
        (one, parts[0], one, parts[1], parts[2], parts[3]), tuple(distance), DIFFERENCES, lever,
        maps[0], maps[1], maps[2], maps[3], flags,
    )  # fmt: skip
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
