"""Regression of the products on time span and baseline: Newton steps over class sums, a vector of pixels at a time.

The model of a class is ``arg p = g t + h b`` with span t and baseline b in units of the largest. The sum over the
classes of ``Re q``, ``q = p e^(-i (g t + h b))``, is largest at the solution. With ``d = (t, b)`` its gradient there is
``sum Im q d`` and its second derivative ``-A``, ``A = sum Re q d d^T``: a step of Newton adds ``A^-1 sum Im q d``.

Against h the sum falls off like ``exp(-x²/2)``, x the standard deviation over the pairs of the phase ``h b``, and
Newton diverges from further than x = 0.7. Errors of elevation models on ridges pass that at baselines of 150 m. So h
does not start at zero but at that multiple of x = 1, from -2 to 2, at which ``|sum p e^(-i h b)|`` is largest; the
angle of that sum over the mean span is the first g.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from slidecloud.kernels._gradients_windows import ROUNDER
from slidecloud.kernels._lanes import WIDTH, choose, fused, magnitude, root, splat
from slidecloud.kernels._lanes_memory import put, take

STEPS = 3
LARGEST_ANGLE = 1.3
"""Radians between the blocks at the longest span, beyond which Newton is not to be trusted."""
SETTLED = 1e-3
"""Radians; a longer step must be at most half of the one before."""
DAMPING = 1e-3
"""Of the information on g, added to that on h: where nothing tells them apart, h stays where it began."""
OUTPUTS = 6
"""Per axis: g and h in radians, the three elements of A, and 1 where the solution stands."""
_TURN = np.float32(2.0 * np.pi)
BY_TURN = np.float32(0.5 / np.pi)


@njit(nogil=True, cache=True, inline="always")
def turned_back(real, imag, turns):  # type: ignore[no-untyped-def]
    """Vectors (real, imaginary) turned back by angles in turns.

    Sine and cosine are minimax polynomials in the square of the angle, at most 1.2e-6 off, made by Lawson's iteration.
    """
    rounder = splat(ROUNDER)
    u = turns - ((turns + rounder) - rounder)
    s = u * u
    cosine = fused(s, splat(np.float32(-21.07677459716797)), splat(np.float32(58.79403305053711)))
    cosine = fused(s, cosine, splat(np.float32(-85.27239227294922)))
    cosine = fused(s, cosine, splat(np.float32(64.92872619628906)))
    cosine = fused(s, cosine, splat(np.float32(-19.738983154296875)))
    cosine = fused(s, cosine, splat(np.float32(0.9999992251396179)))
    sine = fused(s, splat(np.float32(-12.271261215209961)), splat(np.float32(41.20539474487305)))
    sine = fused(s, sine, splat(np.float32(-76.5801010131836)))
    sine = fused(s, sine, splat(np.float32(81.59618377685547)))
    sine = fused(s, sine, splat(np.float32(-41.34142303466797)))
    sine = u * fused(s, sine, splat(np.float32(6.283182621002197)))
    return fused(real, cosine, imag * sine), fused(imag, cosine, splat(np.float32(0.0)) - real * sine)


@njit(nogil=True, cache=True, inline="always")
def _first_angle(real, imag):  # type: ignore[no-untyped-def]
    """Angle of vectors in radians, to 0.01 within a right angle: a first guess."""
    x = imag / (root(real * real + imag * imag) + real)
    return (x + x) / fused(splat(np.float32(0.28)) * x, x, splat(np.float32(1.0)))


@njit(nogil=True, cache=True)
def _start(sums, first, step, width, table, spacing):  # type: ignore[no-untyped-def]
    """g and h to begin with, in turns; ``spacing`` is what the candidates of h lie apart, in turns.

    h is the candidate with the largest |sum q|, q turned back by it; g the angle of that sum over the mean span. The
    mean is weighted by ``Re(q e^(-i angle))``, which unlike |q| is zero on average for a pair that is only noise.
    """
    zero = splat(np.float32(0.0))
    real, imag, real_t, imag_t = zero, zero, zero, zero
    for c in range(table.shape[0]):
        a, b = take(sums, first + c * step), take(sums, first + c * step + width)
        t = splat(table[c, 0])
        real, imag, real_t, imag_t = real + a, imag + b, fused(a, t, real_t), fused(b, t, imag_t)
    largest, h = fused(real, real, imag * imag), zero
    g = _first_angle(real, imag) * largest / fused(real_t, real, imag_t * imag)
    for k in range((table.shape[1] - 5) // 2):
        # Sums of the real and imaginary parts times cosine and sine, of the products and of the products times span.
        rc, rs, ic, is_, rct, rst, ict, ist = zero, zero, zero, zero, zero, zero, zero, zero
        for c in range(table.shape[0]):
            a, b = take(sums, first + c * step), take(sums, first + c * step + width)
            t, cosine, sine = splat(table[c, 0]), splat(table[c, 5 + 2 * k]), splat(table[c, 6 + 2 * k])
            rc, rs, ic, is_ = fused(a, cosine, rc), fused(a, sine, rs), fused(b, cosine, ic), fused(b, sine, is_)
            a, b = a * t, b * t
            rct, rst, ict, ist = fused(a, cosine, rct), fused(a, sine, rst), fused(b, cosine, ict), fused(b, sine, ist)
        for sign in (np.float32(1.0), np.float32(-1.0)):
            side = splat(sign)
            real, imag = fused(side, is_, rc), ic - side * rs
            real_t, imag_t = fused(side, ist, rct), ict - side * rst
            size = fused(real, real, imag * imag)
            angle = _first_angle(real, imag) * size / fused(real_t, real, imag_t * imag)
            better = size > largest
            g, h = choose(better, angle, g), choose(better, splat(sign * np.float32(k + 1) * spacing), h)
            largest = choose(better, size, largest)
    return splat(BY_TURN) * g, h


@njit(nogil=True, cache=True)
def _normal_equations(sums, first, step, width, table, g, h):  # type: ignore[no-untyped-def]
    """The three elements of A, and the two of ``sum Im q d``, at g and h in turns."""
    zero = splat(np.float32(0.0))
    tt, tb, bb, right_t, right_b = zero, zero, zero, zero, zero
    for c in range(table.shape[0]):
        a, b = take(sums, first + c * step), take(sums, first + c * step + width)
        t, baseline = splat(table[c, 0]), splat(table[c, 1])
        x, y = turned_back(a, b, fused(g, t, h * baseline))
        tt, tb = fused(x, splat(table[c, 2]), tt), fused(x, splat(table[c, 3]), tb)
        bb = fused(x, splat(table[c, 4]), bb)
        right_t, right_b = fused(y, t, right_t), fused(y, baseline, right_b)
    return tt, tb, bb, right_t, right_b


@njit(nogil=True, cache=True)
def _regress(sums, first, step, width, table, spacing, out, place):  # type: ignore[no-untyped-def]
    """One axis of a vector of pixels; see `regress_row`."""
    zero, one, by_turn = splat(np.float32(0.0)), splat(np.float32(1.0)), splat(BY_TURN)
    settled = splat(np.float32(SETTLED))
    g, h = _start(sums, first, step, width, table, spacing * BY_TURN)
    stands, last = one > zero, splat(np.float32(1e9))
    tt, tb, bb = zero, zero, zero
    for _ in range(STEPS):
        tt, tb, bb, right_t, right_b = _normal_equations(sums, first, step, width, table, g, h)
        damped = fused(splat(np.float32(DAMPING)), tt, bb)
        determinant = tt * damped - tb * tb
        more_g, more_h = (damped * right_t - tb * right_b) / determinant, (tt * right_b - tb * right_t) / determinant
        g, h = g + by_turn * more_g, h + by_turn * more_h
        length = magnitude(more_g) + magnitude(more_h)
        shorter = (last >= length + length) | (settled >= length)
        stands = stands & (tt > zero) & (determinant > zero) & shorter
        last = length
    full = splat(_TURN)
    g, h = full * g, full * h
    stands = stands & (splat(np.float32(LARGEST_ANGLE)) >= magnitude(g))
    put(out, place, choose(stands, g, zero))
    put(out, place + width, choose(stands, h, zero))
    put(out, place + 2 * width, choose(stands, tt, zero))
    put(out, place + 3 * width, choose(stands, tb, zero))
    put(out, place + 4 * width, choose(stands, bb, zero))
    put(out, place + 5 * width, choose(stands, one, zero))


@njit(nogil=True, cache=True)
def regress_row(sums, first, step, width, table, spacing, out):  # type: ignore[no-untyped-def]
    """Solve a row of pixels, a multiple of `WIDTH`, for both axes.

    ``sums`` is float32 and flat; the row of class c begins at ``first + c * step`` with its channels (x real, x
    imaginary, y real, y imaginary), each ``width`` long. ``table`` is that of ``regression_table`` and ``spacing`` the
    h (radians) that its candidates lie apart. ``out``, float32, gets OUTPUTS rows for x and as many for y: 0 where the
    iteration fails, because A is not positive definite, a step is not shorter than half of the one before, or g exceeds
    LARGEST_ANGLE.
    """
    for axis in range(2):
        for j in range(0, width, WIDTH):
            place = OUTPUTS * axis * width + j
            _regress(sums, first + 2 * axis * width + j, step, width, table, spacing, out, place)


@njit(nogil=True, cache=True)
def regress_rows(total, table, spacing, start, stop, out):  # type: ignore[no-untyped-def]
    """`regress_row` for the rows from ``start`` to ``stop`` of a tile's class sums (class, y, 4 channels)."""
    columns = total.shape[2]
    flat = total.reshape(-1)
    for i in range(start, stop):
        regress_row(flat, i * columns, total.shape[1] * columns, columns // 4, table, spacing, out[i])
