"""What the gradient kernels return: sums of a bin, gradients of a set of pairs, rates over bins."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels import _gradients_finish as finish
from slidecloud.kernels import _gradients_variance as variance
from slidecloud.types import Float32


class Flag(IntFlag):
    """Bits of ``flags``.

    ``ALIASED``: the phase between the blocks of ``coherent`` passed pi, the gradient is wrong by a multiple of 2 pi /
    lever; found on the grid of sigma, so the flag covers up to three pixels more. ``BOUNDED_SIGMA``: the second
    moment over pairs that share dates was not positive, sigma rests on the limits described in
    `slidecloud.kernels.gradients.accumulate`. ``UNEVEN``: the weighted centres of the blocks lie more than a tenth of
    the lever from where full blocks have them; the gradient is corrected for it. ``STEEP``: above 0.3 rad per pixel
    ``overlap`` is not to be trusted.
    """

    ALIASED = finish.ALIASED
    BOUNDED_SIGMA = variance.BOUNDED_SIGMA
    UNEVEN = finish.UNEVEN
    STEEP = finish.STEEP


class GradientSums(NamedTuple):
    """Sums over the pairs of one bin, every field (y, x); float32 unless said. p is a pair's product.

    Attributes
    ----------
    x_real, x_imag, y_real, y_imag
        Sum of p along x and along y, in units of (coherence x pixels)². For ``sum`` and ``rewrapped`` the real part is
        the number of pairs and the imaginary part the sum of wrapped differences in rad (``rewrapped``: wrapped again).
    x_variance, y_variance
        Variance of the part of the sum across its mean direction, about this bin's own angle; 0 where one cannot tell.
    magnitude, magnitude_squared, span
        Sums of m, m² and m x span (years), m = |p along x| + |p along y|; for ``sum`` and ``rewrapped`` m = 1.
    coherence
        Sum of the pixel's own coherence (0 to 1) over the pairs that count.
    distance_xx, distance_xy, distance_yx, distance_yy
        Pixels between the weighted centres of the two blocks of the x axis (along x, along y) and of the y axis.
    count
        int32, pairs that count: every block has a quarter of its pixels.
    flags
        uint8 bits of `Flag`.
    """

    x_real: Float32
    x_imag: Float32
    y_real: Float32
    y_imag: Float32
    x_variance: Float32
    y_variance: Float32
    magnitude: Float32
    magnitude_squared: Float32
    span: Float32
    coherence: Float32
    distance_xx: Float32
    distance_xy: Float32
    distance_yx: Float32
    distance_yy: Float32
    count: NDArray[np.int32]  # type: ignore[assignment]  # hides tuple.count, which nobody asks of maps
    flags: NDArray[np.uint8]


class RateSums(NamedTuple):
    """What ``rate`` keeps of the pairs of one bin, every field (y, x); float32 unless said. Angles are between blocks.

    Attributes
    ----------
    x_rate, y_rate
        Phase per year that explains the pairs if there is no DEM error, rad per year; with it, subtract mixing x dem.
    x_rate_information, y_rate_information
        Sum of Re q span², weights of those; 0 where the iteration failed and all fields of the axis are 0.
    x_rate_variance, y_rate_variance
        Variance of those; 0 where one cannot tell.
    x_mixing, y_mixing
        Metres of baseline that go with a year of span, the regression of one on the other.
    x_dem, y_dem
        Phase per metre of perpendicular baseline, rad per m.
    x_dem_information, y_dem_information, x_dem_variance, y_dem_variance
        Weight, sum of Re q (baseline - mixing x span)², and variance of those.
    magnitude, magnitude_squared, span, coherence, distance_xx, distance_xy, distance_yx, distance_yy, count, flags
        As of `GradientSums`.
    """

    x_rate: Float32
    x_rate_information: Float32
    x_rate_variance: Float32
    x_mixing: Float32
    x_dem: Float32
    x_dem_information: Float32
    x_dem_variance: Float32
    y_rate: Float32
    y_rate_information: Float32
    y_rate_variance: Float32
    y_mixing: Float32
    y_dem: Float32
    y_dem_information: Float32
    y_dem_variance: Float32
    magnitude: Float32
    magnitude_squared: Float32
    span: Float32
    coherence: Float32
    distance_xx: Float32
    distance_xy: Float32
    distance_yx: Float32
    distance_yy: Float32
    count: NDArray[np.int32]  # type: ignore[assignment]  # hides tuple.count, which nobody asks of maps
    flags: NDArray[np.uint8]


SumsT = TypeVar("SumsT", GradientSums, RateSums)


def no_sums(kind: type[SumsT], shape: tuple[int, int]) -> SumsT:
    """The sums over no pairs, of (y, x) pixels."""
    fields: list[Float32] = [np.zeros(shape, np.float32) for _ in kind._fields[:-2]]
    return kind._make((*fields, np.zeros(shape, np.int32), np.zeros(shape, np.uint8)))


class DemErrorGradient(NamedTuple):
    """What an error of the elevation model adds to the gradients, every field float32 (y, x), NaN where undefined.

    Attributes
    ----------
    x, y
        Phase gradient per metre of perpendicular baseline, rad per pixel and m. The phase of a pair is
        ``-4 pi / wavelength * baseline * error / (slant_range * sin(incidence))``, error the true height minus that of
        the model, so its gradient is ``-wavelength / (4 pi) * slant_range * sin(incidence)`` times this, m per pixel.
    x_sigma, y_sigma
        Standard deviation of x and y.
    """

    x: Float32
    y: Float32
    x_sigma: Float32
    y_sigma: Float32


class GradientStack(NamedTuple):
    """Mean gradients of a set of pairs, every field (y, x); float32 and NaN where undefined unless said.

    Attributes
    ----------
    x, y
        Mean phase gradient of a pair, rad per pixel, positive where the phase grows with the index.
    x_sigma, y_sigma
        Standard deviation of x and y, rad per pixel, from the scatter of the pairs.
    flags
        uint8 bits of `Flag`.
    count
        int32, pairs that count.
    effective_pairs
        (sum m)² / sum m², m the magnitude of a pair's products: how many equal pairs weigh as much.
    mean_coherence
        Mean coherence (0 to 1) of the pixel over the pairs that count.
    mean_span
        Mean time span of the pairs in years, weighted by m.
    """

    x: Float32
    y: Float32
    x_sigma: Float32
    y_sigma: Float32
    flags: NDArray[np.uint8]
    count: NDArray[np.int32]  # type: ignore[assignment]  # hides tuple.count, which nobody asks of maps
    effective_pairs: Float32
    mean_coherence: Float32
    mean_span: Float32


class GradientRate(NamedTuple):
    """Mean gradient rate over bins, every field (y, x); float32 and NaN where undefined unless said.

    Attributes
    ----------
    x, y, x_sigma, y_sigma
        Mean over time of the gradient rate and its standard deviation, rad per pixel per year.
    pair_x, pair_y, pair_x_sigma, pair_y_sigma
        The same for a pair of the mean span, rad per pixel.
    mean_span
        Mean of the bins' spans in years, weighted by their numbers of pairs.
    duration
        Years of the bins that are defined at the pixel.
    count
        int32, pairs of those bins.
    flags
        uint8, bits of `Flag` of those bins, any of them.
    """

    x: Float32
    y: Float32
    x_sigma: Float32
    y_sigma: Float32
    pair_x: Float32
    pair_y: Float32
    pair_x_sigma: Float32
    pair_y_sigma: Float32
    mean_span: Float32
    duration: Float32
    count: NDArray[np.int32]  # type: ignore[assignment]  # hides tuple.count, which nobody asks of maps
    flags: NDArray[np.uint8]
