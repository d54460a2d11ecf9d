"""What moves inside a box: velocity put together from its gradients, and the area where it stands out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from slidecloud.kernels.boxes import as_boxes
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.types import Float32, Float64

MARGIN: Final = 15
"""Pixels around a box at whose outer edge the ground is taken to rest: one and a half windows of 400 m."""

SHARE: Final = 0.3
"""What moves at this share of the fastest part belongs to the slide."""

SIGNIFICANT: Final = 3.0
"""Gradients of so many sigmas count where velocity cannot be put together."""

_KNOWN: Final = 0.5
_UNKNOWN_WEIGHT: Final = 1e-3
_STEPS: Final = 60
_ENOUGH: Final = 1e-3


class Outline(NamedTuple):
    """The moving area of a box.

    Attributes
    ----------
    mask
        bool (y, x) over the pixels that the box touches within the view.
    top, left
        Row and column of its first pixel.
    peak
        Velocity of the fastest part relative to the ground around the box, m/yr, positive towards the satellite; NaN
        where it could not be put together.
    method
        ``motion``: from the velocity; ``gradient``: where gradients are significant; ``none``: the mask is empty.
    """

    mask: NDArray[np.bool_]
    top: int
    left: int
    peak: float
    method: Literal["motion", "gradient", "none"]


def outline(view: GradientView, box: ArrayLike, *, margin: int = MARGIN, share: float = SHARE) -> Outline:
    """Outline what moves inside a box.

    Parameters
    ----------
    view
        Gradient maps.
    box
        (4,) top, left, bottom, right in pixels.
    margin
        Pixels around the box in which velocity falls to that of the ground around it, at least 2.
    share
        Of the fastest part's velocity, above 0 and below 1: slower ground does not belong to the slide.

    Raises
    ------
    ValueError
        If the box is malformed or outside the view, or an option is out of range.

    Notes
    -----
    Velocity v is the least-squares solution of ``grad v = gradients``, weighted by their sigmas, with v = 0 around the
    box and its margin (a Poisson equation; Agrawal et al., ECCV 2006), found by conjugate gradients from the exact
    solution for equal weights (sine transforms). The slide is where v, of the sign of its extreme, exceeds the share;
    of several parts those with at least a quarter of the largest one's motion are kept, and holes are filled. Where
    less than half of the gradients are known, the area of significant ones stands in.
    """
    if margin < 2 or not 0.0 < share < 1.0:
        raise ValueError(f"margin, share: found {margin} and {share}, expected at least 2, and between 0 and 1")
    inner, outer = _windows(view, box, margin)
    part = _cut(view, outer)
    inside = tuple(slice(a.start - b.start, a.stop - b.start) for a, b in zip(inner, outer, strict=True))
    corner = inner[0].start, inner[1].start
    known = _known(part.x, part.x_sigma) & _known(part.y, part.y_sigma)
    if known.mean() >= _KNOWN and known[inside].any():
        velocity = relative_velocity(part)
        peak = _extreme(velocity[inside])
        mask = _main_part(velocity * np.sign(peak), share * abs(peak), inside)
        if mask.any():
            return Outline(mask, *corner, peak, "motion")
    mask = _significant(part, known)[inside]
    return Outline(mask, *corner, float("nan"), "gradient" if mask.any() else "none")


def relative_velocity(view: GradientView, *, spacing: float = SPACING) -> Float64:
    """Velocity (y, x) m/yr whose gradients come nearest to a view's, weighted by their sigmas; 0 beyond its edge."""
    slope_x, weight_x = _edges(view.x, view.x_sigma, 1)
    slope_y, weight_y = _edges(view.y, view.y_sigma, 0)
    if not (weight_x > _UNKNOWN_WEIGHT).any():
        return np.zeros(view.x.shape)

    def spread(v: Float64) -> Float64:
        """Laplacian with the weights of the edges, of v = 0 beyond the window."""
        return _gather(weight_y * _differ(v, 0), 0) + _gather(weight_x * _differ(v, 1), 1)

    wanted = spacing * (_gather(weight_y * slope_y, 0) + _gather(weight_x * slope_x, 1))
    return _conjugate_gradients(spread, wanted, _poisson_solver(view.x.shape))


def _windows(view: GradientView, box: ArrayLike, margin: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Pixels that a box touches, and those of its margin, within the view."""
    given = as_boxes(np.asarray(box, dtype=np.float64).reshape(1, -1), "box")[0]
    first, last = np.floor(given[:2]).astype(int), np.ceil(given[2:]).astype(int)
    size = np.array(view.x.shape)
    if (last <= 0).any() or (first >= size).any() or (last <= first).any():
        raise ValueError(f"box: found {given.tolist()}, expected one that covers some of {tuple(size.tolist())} pixels")

    def window(around: int) -> tuple[slice, slice]:
        rows, columns = zip(np.maximum(first - around, 0), np.minimum(last + around, size), strict=True)
        return slice(int(rows[0]), int(rows[1])), slice(int(columns[0]), int(columns[1]))

    return window(0), window(margin)


def _cut(view: GradientView, window: tuple[slice, slice]) -> GradientView:
    x, y, x_sigma, y_sigma, coherence = (values[window] for values in view[:5])
    return GradientView(x, y, x_sigma, y_sigma, coherence, view.span)


def _known(gradient: Float32, sigma: Float32) -> NDArray[np.bool_]:
    known: NDArray[np.bool_] = np.isfinite(gradient) & np.isfinite(sigma) & (sigma > 0)
    return known


def _edges(gradient: Float32, sigma: Float32, axis: int) -> tuple[Float64, Float64]:
    """Gradient between neighbours along an axis and its weight relative to the median, both with one end beyond each
    side of the window; unknown gradients are nearly free."""
    known = _known(gradient, sigma)
    weight = np.zeros(gradient.shape)
    weight[known] = sigma[known].astype(np.float64) ** -2
    middle = np.median(weight[known]) if known.any() else 1.0
    weight = np.minimum(weight / middle, 1 / _UNKNOWN_WEIGHT)
    pad = [(1, 1) if k == axis else (0, 0) for k in range(2)]
    weight = np.pad(weight, pad, mode="edge")
    value = np.pad(np.where(known, gradient.astype(np.float64), 0.0), pad, mode="edge")
    here, there = _pairs(weight, axis)
    total = here + there
    value_here, value_there = _pairs(value, axis)
    mean = here * value_here + there * value_there
    slope = np.divide(mean, total, out=np.zeros_like(total), where=total > 0)
    return slope, np.maximum(total / 2, _UNKNOWN_WEIGHT)


def _pairs(values: Float64, axis: int) -> tuple[Float64, Float64]:
    size = values.shape[axis]
    return np.take(values, range(size - 1), axis), np.take(values, range(1, size), axis)


def _differ(v: Float64, axis: int) -> Float64:
    """Differences along an axis of v framed by zeros."""
    differences: Float64 = np.diff(v, axis=axis, prepend=0.0, append=0.0)
    return differences


def _gather(flow: Float64, axis: int) -> Float64:
    """The transpose of `_differ`."""
    gathered: Float64 = -np.diff(flow, axis=axis)
    return gathered


def _poisson_solver(shape: tuple[int, ...]) -> Callable[[Float64], Float64]:
    """Exact inverse of the Laplacian with equal weights and zeros beyond the window (it is diagonal in sines)."""
    rows, columns = (4 * np.sin(np.pi * np.arange(1, n + 1) / (2 * n + 2)) ** 2 for n in shape)
    factors = rows[:, None] + columns[None]

    def solve(wanted: Float64) -> Float64:
        found: Float64 = fft.idstn(fft.dstn(wanted, type=1) / factors, type=1)
        return found

    return solve


def _conjugate_gradients(
    spread: Callable[[Float64], Float64], wanted: Float64, solve: Callable[[Float64], Float64]
) -> Float64:
    """Solve ``spread(v) = wanted`` to a thousandth, preconditioned by `solve`."""
    v = np.zeros_like(wanted)
    rest = wanted.copy()
    steered = solve(rest)
    way = steered.copy()
    left = start = float((rest * steered).sum())
    for _ in range(_STEPS):
        if left <= _ENOUGH**2 * start:
            break
        pushed = spread(way)
        step = left / float((way * pushed).sum())
        v += step * way
        rest -= step * pushed
        steered = solve(rest)
        before, left = left, float((rest * steered).sum())
        way = steered + (left / before) * way
    return v


def _extreme(velocity: Float64) -> float:
    return float(velocity.flat[int(np.argmax(np.abs(velocity)))])


def _main_part(motion: Float64, level: float, inside: tuple[slice, ...]) -> NDArray[np.bool_]:
    """Parts above a level, within the box, with at least a quarter of the motion of the largest one; holes filled."""
    fast = np.zeros(motion.shape, dtype=bool)
    fast[inside] = motion[inside] > level
    labels, count = ndimage.label(fast)
    if not count:
        return fast[inside]
    moved = ndimage.sum_labels(motion, labels, np.arange(1, count + 1))
    large = np.flatnonzero(moved >= moved.max() / 4) + 1
    mask: NDArray[np.bool_] = ndimage.binary_fill_holes(np.isin(labels, large))[inside]
    return mask


def _significant(view: GradientView, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where gradients exceed their sigmas, closed over two pixels, holes filled."""
    found = np.zeros(known.shape, dtype=bool)
    found[known] = np.hypot(view.x[known] / view.x_sigma[known], view.y[known] / view.y_sigma[known]) > SIGNIFICANT
    closed = ndimage.binary_closing(np.pad(found, 2), iterations=2)[2:-2, 2:-2]
    mask: NDArray[np.bool_] = ndimage.binary_fill_holes(closed)
    return mask
