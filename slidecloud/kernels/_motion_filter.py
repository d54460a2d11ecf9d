"""Loops of the Kalman filter of `slidecloud.kernels.motion_filter`, one point at a time.

Three tuples go through them: `driven` is (day, total, trend) of a point's drivers; `room` is (mean, covariance,
forced), overwritten; `kept` is (means, covariances), which may have room for no date.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit

_START: Final = (-1.0, -10.0, -5.0)
"""Logarithms of the variances that the search starts from, for series of steps of about 1."""
_COARSE: Final = 2.0
_FINE: Final = 0.1
_LEAST: Final = -18.0
"""Logarithm that stands for none at all."""
_MOST: Final = 6.0
_FREE: Final = (25.0, 1.0)
"""Variances, before any pass, of the way that velocity makes in a usual step and of that by a driver's usual sum, in
squares of a usual step."""
_ROUNDS: Final = 2
"""How often lags and variances are chosen in turn."""
_BETTER: Final = 1e-6


@njit(nogil=True, cache=True)
def learn(values, day, total, row, trend, choices, noise, free, lag):  # type: ignore[no-untyped-def]
    """Fill ``noise``, ``free`` and ``lag`` of every point; NaN where there are too few values."""
    size = 2 + total.shape[1]
    room = np.empty(size), np.empty((size, size)), np.empty(size - 2)
    kept = np.empty((0, size)), np.empty((0, size, size))
    for point in range(values.shape[0]):
        driven = day, total[row[point]], trend[row[point]]
        lag[point] = choices[:, choices.shape[1] // 2]
        usual, count = _usual(values[point], driven, lag[point], free[point])
        if count < 3:
            noise[point], free[point] = np.nan, np.nan
            continue
        series, power = values[point] / usual, np.array(_START)
        best = run(series, driven, lag[point], np.exp(power), free[point], room, kept)
        for _ in range(_ROUNDS):
            best = _choose_lags(best, choices, series, driven, lag[point], power, free[point], room, kept)
            best = _choose_noise(best, series, driven, lag[point], power, free[point], room, kept)
        noise[point] = np.exp(power) * usual**2
        free[point] *= usual**2


@njit(nogil=True, cache=True)
def states(values, day, total, row, trend, noise, free, lag, means, covs):  # type: ignore[no-untyped-def]
    """Fill the states of every point."""
    size = 2 + total.shape[1]
    room = np.empty(size), np.empty((size, size)), np.empty(size - 2)
    for point in range(values.shape[0]):
        driven = day, total[row[point]], trend[row[point]]
        run(values[point], driven, lag[point], noise[point], free[point], room, (means[point], covs[point]))


@njit(nogil=True, cache=True)
def run(values, driven, lag, noise, free, room, kept):  # type: ignore[no-untyped-def]
    """Log-likelihood of a series; the state after each date is kept where there is room."""
    mean, cov, forced = room
    r, q, w = noise
    size, last, likelihood = mean.size, -1, 0.0
    for n in range(values.size):
        if np.isfinite(values[n]):
            if last < 0:
                mean[:], cov[:] = 0.0, 0.0
                mean[0], cov[0, 0] = values[n], r
                for k in range(1, size):
                    cov[k, k] = free[k - 1]
            else:
                _force(driven, lag, last, n, forced)
                _carry(mean, cov, float(driven[0][n] - driven[0][last]), forced, q, w)
                spread, off = cov[0, 0] + r, values[n] - mean[0]
                likelihood -= 0.5 * (np.log(spread) + off * off / spread)
                gain = cov[:, 0] / spread
                for i in range(size):
                    mean[i] += gain[i] * off
                    for j in range(size):
                        cov[i, j] -= gain[i] * gain[j] * spread
            last = n
        if last >= 0 and len(kept[0]):
            kept[0][n], kept[1][n] = mean, cov
    return likelihood


@njit(nogil=True, cache=True)
def _force(driven, lag, before, after, forced):  # type: ignore[no-untyped-def]
    """Sums of the drivers over the days after one date up to another, shifted back by their lags."""
    day, total, trend = driven
    for k in range(forced.size):
        until = _sum(total[k], trend[k], day[after] - lag[k] + 1)
        forced[k] = until - _sum(total[k], trend[k], day[before] - lag[k] + 1)


@njit(nogil=True, cache=True)
def _sum(total, trend, day):  # type: ignore[no-untyped-def]
    inside = min(max(day, 0), total.size - 1)
    return total[inside] + (day - inside) * trend


@njit(nogil=True, cache=True)
def _carry(mean, cov, days, forced, q, w):  # type: ignore[no-untyped-def]
    """Carry a state on over days in which the drivers summed up to ``forced``."""
    size = mean.size
    mean[0] += days * mean[1]
    for k in range(2, size):
        mean[0] += forced[k - 2] * mean[k]
    for j in range(size):
        cov[0, j] += days * cov[1, j]
        for k in range(2, size):
            cov[0, j] += forced[k - 2] * cov[k, j]
    for i in range(size):
        cov[i, 0] += days * cov[i, 1]
        for k in range(2, size):
            cov[i, 0] += forced[k - 2] * cov[i, k]
    cov[0, 0] += w * days + q * days**3 / 3.0
    cov[0, 1] += q * days**2 / 2.0
    cov[1, 0] += q * days**2 / 2.0
    cov[1, 1] += q * days


@njit(nogil=True, cache=True)
def _usual(values, driven, lag, free):  # type: ignore[no-untyped-def]
    """Root mean square step of a series (1 where it is constant) and how many; ``free`` in squares of it."""
    forced, last = np.empty(lag.size), -1
    square, days, count = 0.0, 0.0, 0
    free[:] = 0.0
    for n in range(values.size):
        if np.isfinite(values[n]):
            if last >= 0:
                square += (values[n] - values[last]) ** 2
                days += (driven[0][n] - driven[0][last]) ** 2
                count += 1
                _force(driven, lag, last, n, forced)
                for k in range(lag.size):
                    free[1 + k] += forced[k] ** 2
            last = n
    if count:
        free[0] = _FREE[0] * count / days
        for k in range(lag.size):
            free[1 + k] = _FREE[1] * count / free[1 + k] if free[1 + k] > 0.0 else 0.0
    return np.sqrt(square / count) if square > 0.0 else 1.0, count


@njit(nogil=True, cache=True)
def _choose_lags(best, choices, series, driven, lag, power, free, room, kept):  # type: ignore[no-untyped-def]
    """Each driver's lag in turn; the new largest likelihood."""
    for k in range(lag.size):
        for choice in choices[k]:
            before = lag[k]
            if choice == before:
                continue
            lag[k] = choice
            found = run(series, driven, lag, np.exp(power), free, room, kept)
            if found > best + _BETTER:
                best = found
            else:
                lag[k] = before
    return best


@njit(nogil=True, cache=True)
def _choose_noise(best, series, driven, lag, power, free, room, kept):  # type: ignore[no-untyped-def]
    """Logarithms of the variances by steps along each, halved where none is better; the new largest likelihood."""
    step = _COARSE
    while step > _FINE:
        improved = False
        for k in range(power.size):
            for sign in (-1.0, 1.0):
                before = power[k]
                power[k] = min(max(before + sign * step, _LEAST), _MOST)
                found = run(series, driven, lag, np.exp(power), free, room, kept)
                if found > best + _BETTER:
                    best, improved = found, True
                else:
                    power[k] = before
        if not improved:
            step /= 2.0
    return best
