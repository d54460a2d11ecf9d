"""The last kernel of an inversion on the device: what is told of each pixel once its series is known."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
from numba import cuda, float32, float64, int16, uint8

from slidecloud.kernels._sbas_cuda_velocity import FOUND, trending

UNKNOWN = float32(np.nan)


@cuda.jit(device=True)
def _variance_factor(sums, t, free, given, robust, least_rms):  # type: ignore[no-untyped-def]
    """s0^2: of a robust fit as ``given``, else from the residuals, and never from less than ``least_rms`` rad."""
    if not free > 0.0:
        return max(given[t], 1.0) if robust else 1.0
    least = least_rms * least_rms * float64(sums[1, t]) / float64(sums[0, t])
    return max(given[t] if robust else float64(sums[2, t]) / free, least)


@cache
def finishing(columns: int, broken: bool) -> Any:
    """Kernel that writes all of an `Inversion` but its series, for the threads of a batch.

    ``sigma`` holds the network's variance and receives sigma. Where ``broken``, pairs may form any subsets and
    ``chosen[t]`` is the pixel of a thread, less ``first``. Where not, they link all dates of the threads that are
    ``sound``; only these are written, to ``first + t``, and what `_sbas_cuda_links` found is not looked at. ``tie``
    says whether one intercept holds for all subsets.
    """
    fit = trending(columns, broken)

    @cuda.jit
    def finish(  # type: ignore[no-untyped-def]
        sums,
        information,
        label,
        sequence,
        linked,
        dates,
        covered,
        given,
        sound,
        used,
        first,
        chosen,
        design,
        robust,
        tie,
        flat,
        least_rms,
        series,
        sigma,
        velocity,
        velocity_sigma,
        temporal_coherence,
        residual_rms,
        redundancy,
        subset,
        time_coverage,
        variance_factor,
        date_sigma,
        drift_factor,
    ):
        t = cuda.grid(1)
        if t >= (chosen.size if broken else sound.size) or not (broken or sound[t]):
            return
        pixel = first + (chosen[t] if broken else t)
        rank = linked[t] if broken else used.size - 1
        count = dates[t] if broken else used.size
        number = float64(sums[0, t])
        free = number - float64(rank)
        variance = _variance_factor(sums, t, free, given, robust, least_rms)
        freedom = float64(rank - columns)
        found = cuda.local.array(FOUND, float64)
        unit, rate = fit(
            series, used, information, sequence, count, design, tie, 1.0 / variance, freedom, flat, pixel, t, found
        )
        empty, free_trend = number == 0.0, freedom > 0.0
        scatter = found[2] / unit if free_trend else 0.0
        for k in range(used.size):
            sigma[used[k], pixel] = float32(math.sqrt(float64(sigma[used[k], pixel]) * variance + scatter))
            subset[used[k], pixel] = uint8(min(abs(label[k, t]), 255)) if broken else uint8(1)
        length = math.sqrt(float64(sums[4, t]) ** 2 + float64(sums[5, t]) ** 2)
        velocity[pixel] = UNKNOWN if empty else float32(rate + found[0])
        velocity_sigma[pixel] = float32(math.sqrt(found[1])) if free_trend else UNKNOWN
        temporal_coherence[pixel] = float32(length / number) if free > 0.0 else UNKNOWN
        residual_rms[pixel] = UNKNOWN if empty else float32(math.sqrt(float64(sums[3, t]) / number))
        redundancy[pixel] = int16(free)
        time_coverage[pixel] = covered[t] if broken else float32(1)
        variance_factor[pixel] = UNKNOWN if empty else float32(variance)
        date_sigma[pixel] = float32(math.sqrt(scatter)) if free_trend else UNKNOWN
        drift_factor[pixel] = UNKNOWN if empty else float32(found[3] if free_trend else 1.0)

    return finish
