"""Curvatures of the ground, and its relief in a window.

Grids here are north up, as in `slidecloud.kernels.terrain`, whose slopes these curvatures belong to: both are those of
the quadratic surface that fits 3 x 3 elevations best by least squares with the binomial weights 1-2-1 along each axis.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import ArrayLike
from scipy.ndimage import maximum_filter, minimum_filter

from slidecloud.types import Float32, Float64


class Curvature(NamedTuple):
    """Curvatures in m-1, float32 (y, x), positive where the ground is convex; 0 on level ground, see `curvature`.

    ``profile``: of the line of steepest descent, in its vertical plane. ``plan``: of the contour line, in the
    horizontal plane; it grows without bound as the slope falls to nothing. ``tangential``: of the section straight
    across the slope and square to the surface, plan curvature times the sine of the slope, which stays finite.
    """

    profile: Float32
    plan: Float32
    tangential: Float32


def curvature(elevation: ArrayLike, *, spacing: tuple[float, float]) -> Curvature:
    """Profile, plan and tangential curvature of every pixel.

    With z the elevation, p, q its first and r, s, t its second derivatives (xx, xy, yy) ::

        profile    = -(p^2 r + 2 p q s + q^2 t) / ((p^2 + q^2) (1 + p^2 + q^2)^(3/2))
        plan       = -(q^2 r - 2 p q s + p^2 t) / (p^2 + q^2)^(3/2)
        tangential = -(q^2 r - 2 p q s + p^2 t) / ((p^2 + q^2) (1 + p^2 + q^2)^(1/2))

    (Evans 1980, signs of Florinsky 2017). Under binomial weights p and q are the operator of Horn (1981), r and t are
    second differences weighted 1-2-1 across, and s is the difference of the diagonals: quadratic surfaces are exact.
    Where p = q = 0 there is no direction of descent, and all three are 0.

    Parameters
    ----------
    elevation
        (y, x), m. A pixel needs all of its 3 x 3 neighbourhood: the outermost rows and columns are NaN, so a tile needs
        a halo of one pixel.
    spacing
        Metres per pixel along (y, x), positive.

    Raises
    ------
    ValueError
        If the elevation is not 2-D or a spacing is not positive.

    References
    ----------
    Evans, I. S. (1980), An integrated system of terrain analysis and slope mapping, Z. Geomorph. Suppl. 36, 274-295.
    Florinsky, I. V. (2017), An illustrated introduction to general geomorphometry, Prog. Phys. Geogr. 41(6), 723-752.
    Horn, B. K. P. (1981), Hill shading and the reflectance map, Proc. IEEE 69(1), 14-47.
    """
    height = _checked(elevation)
    dy, dx = spacing
    if not (math.isfinite(dy) and math.isfinite(dx) and dy > 0 and dx > 0):
        raise ValueError(f"spacing: found {tuple(spacing)}, expected positive metres along (y, x)")
    profile, plan, tangential = (np.full(height.shape, np.nan, np.float32) for _ in range(3))
    _curvatures(height, dy, dx, profile, plan, tangential)
    return Curvature(profile, plan, tangential)


def relief(elevation: ArrayLike, *, reach: tuple[int, int]) -> Float32:
    """Highest less lowest elevation in a rectangle around every pixel, float32 (y, x), m.

    Parameters
    ----------
    elevation
        (y, x), m. NaN counts as no ground, and is NaN in the result; so does what lies beyond the border, so a tile
        needs a halo of ``reach``.
    reach
        Pixels (y, x) to either side of the pixel, at least 0: the rectangle has ``2 reach + 1``.

    Raises
    ------
    ValueError
        If the elevation is not 2-D or a reach is negative.
    """
    height = _checked(elevation)
    if min(reach) < 0:
        raise ValueError(f"reach: found {tuple(reach)}, expected pixels along (y, x), at least 0")
    size = tuple(2 * pixels + 1 for pixels in reach)
    hole = np.isnan(height)
    highest = maximum_filter(np.where(hole, -np.inf, height), size=size, mode="constant", cval=-np.inf)
    lowest = minimum_filter(np.where(hole, np.inf, height), size=size, mode="constant", cval=np.inf)
    found: Float32 = np.where(hole, np.nan, np.where(hole, 0.0, highest) - np.where(hole, 0.0, lowest)).astype(
        np.float32
    )
    return found


def _checked(elevation: ArrayLike) -> Float64:
    height = np.ascontiguousarray(elevation, dtype=np.float64)
    if height.ndim != 2:
        raise ValueError(f"elevation: found shape {height.shape}, expected (y, x)")
    return height


@njit(nogil=True, cache=True)
def _curvatures(z, dy, dx, profile, plan, tangential):  # type: ignore[no-untyped-def]
    for i in range(1, z.shape[0] - 1):
        for j in range(1, z.shape[1] - 1):
            a, b, c = z[i - 1, j - 1], z[i - 1, j], z[i - 1, j + 1]
            d, e, f = z[i, j - 1], z[i, j], z[i, j + 1]
            g, h, k = z[i + 1, j - 1], z[i + 1, j], z[i + 1, j + 1]
            p = ((c + 2.0 * f + k) - (a + 2.0 * d + g)) / (8.0 * dx)
            q = ((a + 2.0 * b + c) - (g + 2.0 * h + k)) / (8.0 * dy)
            r = ((a - 2.0 * b + c) + 2.0 * (d - 2.0 * e + f) + (g - 2.0 * h + k)) / (4.0 * dx * dx)
            t = ((a - 2.0 * d + g) + 2.0 * (b - 2.0 * e + h) + (c - 2.0 * f + k)) / (4.0 * dy * dy)
            s = ((c - a) - (k - g)) / (4.0 * dx * dy)
            if math.isnan(p + q + r + s + t):
                continue
            steep = p * p + q * q
            if steep == 0.0:
                profile[i, j] = plan[i, j] = tangential[i, j] = 0.0
                continue
            rise = 1.0 + steep
            along = -(p * p * r + 2.0 * p * q * s + q * q * t) / steep
            across = -(q * q * r - 2.0 * p * q * s + p * p * t) / steep
            profile[i, j] = along / (rise * math.sqrt(rise))
            plan[i, j] = across / math.sqrt(steep)
            tangential[i, j] = across / math.sqrt(rise)
