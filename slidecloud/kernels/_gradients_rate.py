"""Means over bins that weigh each bin by the time it lasts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from slidecloud.kernels._gradients_types import GradientRate, GradientStack
from slidecloud.types import Float64


def mean_rate(stacks: Iterable[GradientStack], durations: Iterable[float]) -> GradientRate:
    """Time-weighted mean over bins of their gradient rates ``g / mean_span``.

    A plain sum over all pairs follows the seasons that are coherent; here each bin weighs as long as it lasts. Bins
    that are undefined at a pixel, or have no span, are left out there. Bins count as independent: pairs near the border
    of two bins share dates, which sigma leaves out. A bin without sigma, as the newest one with a single pair, is given
    the other bins' mean variance per pair; sigma is NaN where no bin has one.

    Parameters
    ----------
    stacks
        Of the bins, in order of time; read one at a time.
    durations
        Years each bin lasts, > 0.
    """
    totals: _RateSums | None = None
    for one, years in zip(stacks, durations, strict=True):
        if not (np.isfinite(years) and years > 0):
            raise ValueError(f"durations: found {years}, expected the length of each bin in years, above 0")
        if totals is None:
            totals = _RateSums(one.x.shape)
        totals.add(one, float(years))
    if totals is None:
        raise ValueError("stacks: found no bins, expected at least one")
    return totals.mean()


class _RateSums:
    """Running sums of `mean_rate`: time-weighted rates and variances, and the numbers of pairs."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.rates: list[Float64] = [np.zeros(shape) for _ in range(2)]
        self.variances: list[Float64] = [np.zeros(shape) for _ in range(2)]
        self.per_pair: list[Float64] = [np.zeros(shape) for _ in range(2)]
        self.known, self.unknown = np.zeros(shape, np.int32), np.zeros(shape)
        self.time, self.span = np.zeros(shape), np.zeros(shape)
        self.count, self.flags = np.zeros(shape, np.int32), np.zeros(shape, np.uint8)

    def add(self, one: GradientStack, years: float) -> None:
        if one.x.shape != self.time.shape:
            raise ValueError(
                f"stacks: found bins of {one.x.shape} and {self.time.shape} pixels, expected the same (y, x)"
            )
        used = np.isfinite(one.x) & np.isfinite(one.y) & (one.mean_span > 0)
        factor = np.where(used, years / np.where(used, one.mean_span, 1.0).astype(np.float64), 0.0)
        told = used & np.isfinite(one.x_sigma) & np.isfinite(one.y_sigma)
        for axis, (value, sigma) in enumerate(((one.x, one.x_sigma), (one.y, one.y_sigma))):
            self.rates[axis] += np.where(used, value * factor, 0.0)
            variance = np.where(told, (sigma * factor) ** 2, 0.0)
            self.variances[axis] += variance
            self.per_pair[axis] += variance * one.count / years**2
        self.known += told
        self.unknown += np.where(used & ~told, years**2 / np.maximum(one.count, 1), 0.0)
        self.time += np.where(used, years, 0.0)
        self.span += np.where(used, one.count * one.mean_span.astype(np.float64), 0.0)
        self.count += np.where(used, one.count, 0).astype(np.int32)
        self.flags |= np.where(used, one.flags, 0).astype(np.uint8)

    def mean(self) -> GradientRate:
        time = np.where(self.time > 0, self.time, np.nan)
        span = self.span / np.where(self.count > 0, self.count, np.nan)
        known = np.where(self.known > 0, self.known, np.nan)
        filled = [v + self.unknown * each / known for v, each in zip(self.variances, self.per_pair, strict=True)]
        rates = [total / time for total in self.rates] + [np.sqrt(total) / time for total in filled]
        maps = [values.astype(np.float32) for values in (*rates, *(rate * span for rate in rates), span, self.time)]
        return GradientRate._make((*maps, self.count, self.flags))
