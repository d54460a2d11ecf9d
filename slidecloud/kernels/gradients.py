"""Gradient stacking: mean phase gradients of many interferograms, without unwrapping any of them.

Per pair ``z = coherence * exp(i * phase)``. The product of two window sums, one of them conjugated, holds the phase
difference of the two windows. Products are accumulated over the pairs and the angle is taken once, so that incoherent
pairs weigh little and noise is averaged before it can wrap. `accumulate` describes the estimators.

`stack` does everything for one set of pairs. A store keeps the sums of each season bin (`accumulate`), from which any
map is made later (`finish`, `merge`, `mean_rate`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels._gradients_check import (
    Axes,
    Estimator,
    Interior,
    check_baseline,
    check_estimator,
    check_interior,
    check_origin,
    check_pairs,
    check_samples,
    check_window,
    date_steps,
)
from slidecloud.kernels._gradients_finish import arrays, described, solve_gradients
from slidecloud.kernels._gradients_geometry import Pairs, Windows
from slidecloud.kernels._gradients_layout import COHERENT
from slidecloud.kernels._gradients_merge import merge
from slidecloud.kernels._gradients_rate import mean_rate
from slidecloud.kernels._gradients_rate_sums import finish_dem_error, finish_rate, share_dem_error
from slidecloud.kernels._gradients_region import Region
from slidecloud.kernels._gradients_regression_region import RateRegion, class_bytes, regression_of
from slidecloud.kernels._gradients_types import (
    DemErrorGradient,
    Flag,
    GradientRate,
    GradientStack,
    GradientSums,
    RateSums,
    no_sums,
)
from slidecloud.kernels._gradients_unwrap import rewrap, unwrapped_sum
from slidecloud.kernels.device import on_device


def halo(window: int | Axes, *, estimator: Estimator = "coherent") -> tuple[Axes, Axes]:
    """Pixels the estimator needs around an output pixel: ((before y, after y), (before x, after x)).

    The window covers the offsets -((w - 1) // 2) to w // 2, all estimators but ``coherent`` need one more after it, and
    sigma averages over about one window's width in every direction, from points of a grid.
    """
    size, block = check_window(window, None)
    windows = Windows(check_estimator(estimator), size, block)
    lead, extent, reach = windows.lead, windows.halo, windows.reach
    before_y, before_x = (lead[k] + reach[k] for k in range(2))
    after_y, after_x = (extent[k] - lead[k] + reach[k] for k in range(2))
    return (before_y, after_y), (before_x, after_x)


def pair_bytes(window: int | Axes, *, estimator: Estimator = "coherent") -> int:
    """Bytes of memory that `accumulate` takes at most for each pair, however large the input is."""
    size, block = check_window(window, None)
    return class_bytes(Windows(check_estimator(estimator), size, block)) if estimator == "rate" else 0


def accumulate(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    *,
    reference: ArrayLike,
    secondary: ArrayLike,
    span: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    window: int | Axes = 10,
    gap: int | Axes | None = None,
    estimator: Estimator = "coherent",
    interior: Interior | None = None,
    origin: Axes = (0, 0),
) -> GradientSums | RateSums:
    """Sums over pairs from which `finish` makes mean phase gradients.

    Per pair and axis a product ``p = Z_next * conj(Z_here)`` of two sums of z over pixels:

    * ``coherent``: two disjoint blocks inside the window, at least ``gap`` pixels apart. They share no pixel, so noise
      adds nothing of zero phase, and correlated noise nothing either if the gap exceeds its reach. Half a block
      ``(window - gap) // 2`` wide, their centres ``window - block`` apart: the lever. The gradient is centred on the
      pixel, for even windows half a pixel after it.
    * ``overlap``: full windows at the pixel and one pixel further, less the pixels both hold, whose phase is zero
      whatever the data. Half a pixel further along its axis than `coherent`. For comparison.
    * ``rate``: the products of ``coherent`` regressed on time span and perpendicular baseline, ``arg p = g span +
      h baseline``, by Newton's iteration: the gradient rate without the gradient of what the elevation model got wrong,
      see ``_gradients_regression``. NaN where the iteration fails, and beyond 1.3 rad between the blocks at the longest
      span.
    * ``sum``: angle of that product with the shared pixels left in, that is the wrapped difference of neighbours in the
      averaged pair, summed over pairs. ``rewrapped`` keeps that sum wrapped to [-pi, pi) and lets `finish` unwrap it,
      as Fu et al. (2022) do. To reproduce and to compare.

    A pair counts at a pixel where each of its blocks has at least a quarter of its pixels valid. Angles are divided by
    the distance of the blocks' weighted centres. For ``coherent`` this is the mean over pairs weighted by |p|, of a
    pair with pixels missing in its blocks its own, of the others that of the mean weights. For ``overlap`` it is
    that of the mean weights with the missing pixels as zeros.

    The variance across the mean direction is the sum of s_k s_l over pairs k, l that share a date, s the part of p
    across the mean: pairs of one date are correlated by decorrelation and anticorrelated by atmosphere. That is
    ``sum over dates of (sum of s over the date's pairs)² - sum of s²``, the dyadic cluster variance of Fafchamps and
    Gubert (2007), divided by one minus the share of those pairs in (sum p)², which the fitted mean takes away. Alone it
    is noisy and often negative, so the ratios of its parts to ``sum s²`` are averaged over one window's width around
    and kept within what speckle and atmosphere can do; where the sum was not positive BOUNDED_SIGMA is
    set. In simulations the errors scatter by 1.03 to 1.10 sigma for atmospheric gradients up to 0.02 rad per pixel and
    date; stronger atmosphere over good coherence makes sigma a quarter too small (60 dates, 0.04 rad) or too large
    (22 dates, 0.1 rad), because its part cancels between the dates and is known from few of them.

    Variances are found on a grid of every fourth pixel (fewer for windows below eight), relative to the sum of |p|²,
    and interpolated. The same grid carries the check for aliasing.

    Window sums are integers and pairs are added in the order of (reference, secondary): results are equal to the
    last bit for every tiling, with `halo` pixels around, and for every order of the pairs.

    Parameters
    ----------
    phase
        int16 (pair, y, x) binary angles, ``phi = phase * pi / 32768`` rad.
    coherence
        uint8 (pair, y, x), value/255, 0 = no data.
    reference, secondary
        int (pair,) indices of the earlier and the later date. Only equality and order matter.
    span
        float (pair,) years between the dates, for the mean span; None = zeros, but ``rate`` needs it.
    baseline
        float (pair,) perpendicular baselines in m, of the secondary from the reference, for ``rate``.
    window
        Pixels, or (y, x) pixels, 3 to 256.
    gap
        Pixels, or (y, x) pixels, between the blocks of ``coherent``; None = 2, or 1 below 6 pixels.
    estimator
        ``coherent``, ``overlap``, ``rate``, ``sum`` or ``rewrapped``.
    interior
        (y, x) slices of the input whose sums are wanted; None = all. Pixels outside the input count as no data.
    origin
        (row, column) of the input's first pixel in the burst, to which the grid of sigma is fixed: where a burst is
        worked on in parts, each part must give it.

    Returns
    -------
    GradientSums of the interior, RateSums with ``rate``, arrays of the host. Without pairs all sums are zero.

    Device arrays (of CuPy, or of numba; contiguous) are worked on where they lie, see
    `slidecloud.kernels.gradients_device.RunningSums`.

    Raises
    ------
    TypeError, ValueError
        For wrong types, shapes, dates or windows; the message says what to do.

    References
    ----------
    Fu et al. (2022), Frontiers in Environmental Science 10:963322. Fafchamps and Gubert (2007), Journal of Development
    Economics 83.
    """
    if on_device(phase) or on_device(coherence):
        from slidecloud.kernels.gradients_device import RunningSums

        running = RunningSums(
            np.shape(phase)[1:], reference=reference, secondary=secondary, span=span, window=window, gap=gap,
            estimator=estimator, interior=interior, origin=origin,
        )  # fmt: skip
        running.add_all(phase, coherence)
        return running.sums()
    kind = check_estimator(estimator)
    size, block = check_window(window, gap)
    angles, shares = check_samples(phase, coherence)
    order, first, last, years = check_pairs(reference, secondary, span, angles.shape[0])
    corner, extent = check_interior(interior, angles.shape[1:])
    where, windows = (corner, extent, check_origin(origin)), Windows(kind, size, block)
    empty = not (order.size and extent[0] and extent[1])
    if estimator == "rate":
        metres = check_baseline(baseline, span, order.size)[order]
        if empty:
            return no_sums(RateSums, extent)
        pairs, regression = regression_of(angles, shares, order, (first, last), years, metres)
        return RateRegion(pairs, windows, *where, regression).rate_sums()
    if empty:
        return no_sums(GradientSums, extent)
    pairs = Pairs(angles, shares, order, years, np.zeros_like(order), date_steps(first, last))
    sums = Region(pairs, windows, *where).sums()
    return rewrap(sums) if estimator == "rewrapped" else sums


def finish(
    sums: GradientSums | RateSums,
    *,
    estimator: Estimator = "coherent",
    window: int | Axes = 10,
    gap: int | Axes | None = None,
) -> GradientStack:
    """Mean gradients from the sums of `accumulate` or `merge`.

    The angles of the sums are the gradients times the distances of the blocks: a 2 x 2 system per pixel, because blocks
    with holes are shifted along the other axis too. ``rewrapped`` is unwrapped here, from the best coherence outwards,
    and therefore needs the whole burst at once; every connected part keeps an unknown multiple of 2 pi, taken so that
    its median sum lies in [-pi, pi]. The gradients of ``rate`` are those of a pair of the mean span without DEM error.

    Parameters
    ----------
    sums
        Of one bin, or of several merged.
    estimator, window, gap
        As they were accumulated.
    """
    kind = check_estimator(estimator)
    size, block = check_window(window, gap)
    shape = sums.count.shape
    if any(field.shape != shape for field in sums):
        raise ValueError(f"sums: found fields of shapes {sorted({f.shape for f in sums})}, expected one shape (y, x)")
    nominal = float((size[0] - block[0]) * (size[1] - block[1])) if kind == COHERENT else 1.0
    if isinstance(sums, RateSums):
        return finish_rate(sums, nominal)
    x_imag, y_imag = sums.x_imag, sums.y_imag
    if estimator == "rewrapped":
        x_imag, y_imag = (unwrapped_sum(each, sums.coherence, sums.count) for each in (x_imag, y_imag))
    x, y, x_sigma, y_sigma = (np.full(shape, np.nan, np.float32) for _ in range(4))
    flags = sums.flags.copy()
    parts = (sums.x_real, x_imag, sums.y_real, y_imag, sums.x_variance, sums.y_variance)
    distance = (sums.distance_xx, sums.distance_xy, sums.distance_yx, sums.distance_yy)
    solve_gradients(arrays(parts), arrays(distance), kind, nominal, x, y, x_sigma, y_sigma, flags)
    return GradientStack(x, y, x_sigma, y_sigma, flags, sums.count.copy(), **described(sums))


def dem_error(sums: RateSums, *, window: int | Axes = 10, gap: int | Axes | None = None) -> DemErrorGradient:
    """Gradients of the phase that an error of the elevation model adds, from the sums of `accumulate` or `merge`.

    Parameters
    ----------
    sums
        Of ``rate``, best of all bins merged.
    window, gap
        As they were accumulated.
    """
    size, block = check_window(window, gap)
    return finish_dem_error(sums, float((size[0] - block[0]) * (size[1] - block[1])))


def stack(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    *,
    reference: ArrayLike,
    secondary: ArrayLike,
    span: ArrayLike | None = None,
    baseline: ArrayLike | None = None,
    window: int | Axes = 10,
    gap: int | Axes | None = None,
    estimator: Estimator = "coherent",
    interior: Interior | None = None,
    origin: Axes = (0, 0),
) -> GradientStack:
    """Mean phase gradients of a stack of interferograms: `accumulate` and `finish` in one, with their parameters."""
    sums = accumulate(
        phase, coherence, reference=reference, secondary=secondary, span=span, baseline=baseline, window=window,
        gap=gap,        estimator=estimator, interior=interior, origin=origin,
    )  # fmt: skip
    return finish(sums, estimator=estimator, window=window, gap=gap)


__all__ = [
    "DemErrorGradient",
    "Flag",
    "GradientRate",
    "GradientStack",
    "GradientSums",
    "RateSums",
    "accumulate",
    "check_window",
    "dem_error",
    "finish",
    "halo",
    "mean_rate",
    "merge",
    "pair_bytes",
    "share_dem_error",
    "stack",
]
