"""Mountains with ridges and connected valleys: a fractal surface worn down by rivers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud.kernels import terrain as geometry
from slidecloud.simulate import fields
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32, Float64

NODE_SPACING = 140.0
MOST_NODES = 400
MARGIN = 0.25
LEAST_MARGIN = 16
STEPS = 50
AREA_EXPONENT = 0.45
ERODIBILITY = 0.5
SMOOTHING = 0.5
FRACTAL_EXPONENT = -3.8
ROUGHNESS = 0.003
WARP_NODES = 0.9


def fractal_mountains(
    seed: int, *, shape: tuple[int, int], spacing: tuple[float, float], mean_slope: float, lowest: float
) -> Float32:
    """Elevation of a young mountain landscape.

    A surface of fractal dimension 2.1 is uplifted evenly while rivers cut into it by the stream-power law
    (drainage area to the power 0.45) and hillslopes creep. Its heights are then scaled to the mean slope asked for.

    Parameters
    ----------
    seed
        Seed of the scene.
    shape, spacing
        Pixels and metres per pixel along (y, x).
    mean_slope
        Rad.
    lowest
        Elevation of the lowest pixel, m.

    Returns
    -------
    Elevation (y, x), m, float32.

    References
    ----------
    Braun, J., Willett, S. D. (2013), A very efficient O(n), implicit and parallel method to solve the stream power
    equation, Geomorphology 180-181, 170-179. Turcotte, D. L. (1997), Fractals and Chaos in Geology and Geophysics.
    """
    rng = stream(seed, Subject.TERRAIN)
    extent = [n * d for n, d in zip(shape, spacing, strict=True)]
    step = max(NODE_SPACING, max(extent) / MOST_NODES, *spacing)
    margins = [max(LEAST_MARGIN, round(MARGIN * length / step)) for length in extent]
    nodes = (
        int(np.ceil(extent[0] / step)) + 2 * margins[0] + 1,
        int(np.ceil(extent[1] / step)) + 2 * margins[1] + 1,
    )
    rough = fields.spectrum(nodes, (step, step), fields.power_law(FRACTAL_EXPONENT, longest=2.0 * step * max(nodes)))
    surface = _erode(10.0 * fields.draw(rng, rough).astype(np.float64))
    y, x = (margin + (np.arange(n) + 0.5) * d / step for n, d, margin in zip(shape, spacing, margins, strict=True))
    # Rivers on a grid run straight along its axes; bending the grid bends them.
    smooth = fields.power_law(-4.0, longest=25.0 * step, shortest=7.0 * step)
    bend = fields.spectrum(shape, spacing, smooth)
    places = [grid + WARP_NODES * fields.draw(rng, bend) for grid in np.meshgrid(y, x, indexing="ij")]
    height = ndimage.map_coordinates(surface, places, order=3, mode="nearest")
    fine = fields.spectrum(shape, spacing, fields.power_law(-3.0, longest=6.0 * step))
    height = height + ROUGHNESS * np.ptp(height) * fields.draw(rng, fine)
    height = height * _scale_to_slope(height, spacing, mean_slope)
    above_sea: Float32 = (height - height.min() + lowest).astype(np.float32)
    return above_sea


def _erode(surface: Float64) -> Float64:
    """Uplift `surface` by one unit a step while rivers erode it; the border keeps its height."""
    border = np.ones(surface.shape, dtype=np.bool_)
    border[1:-1, 1:-1] = False
    for _ in range(STEPS):
        receiver, distance = _steepest_descent(surface, border)
        rate = ERODIBILITY * _drainage_area(receiver) ** AREA_EXPONENT / distance
        lifted = (surface + ~border).ravel()
        rate[receiver == np.arange(receiver.size)] = 0.0
        worn = _solve_downstream(lifted / (1.0 + rate), rate / (1.0 + rate), receiver).reshape(surface.shape)
        crept = ndimage.gaussian_filter(worn, SMOOTHING)
        surface = np.where(border, surface, crept)
    return surface


def _steepest_descent(surface: Float64, border: NDArray[np.bool_]) -> tuple[NDArray[np.intp], Float64]:
    """Node that each node drains to (itself at pits and on the border) and its distance in nodes, both flat."""
    rows, columns = surface.shape
    index = np.arange(surface.size).reshape(surface.shape)
    padded = np.pad(surface, 1, constant_values=np.inf)
    best = np.zeros(surface.shape)
    receiver, distance = index.copy(), np.ones(surface.shape)
    for down, right in ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)):
        length = float(np.hypot(down, right))
        fall = (surface - padded[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]) / length
        steeper = (fall > best) & ~border
        best[steeper] = fall[steeper]
        receiver[steeper] = index[steeper] + down * columns + right
        distance[steeper] = length
    return receiver.ravel(), distance.ravel()


def _drainage_area(receiver: NDArray[np.intp]) -> Float64:
    """Nodes that drain through each node, itself included, by doubling the length of the paths followed."""
    sink = receiver.size
    # Outlets hand on to an extra node, so that nothing is counted twice.
    follow = np.append(np.where(receiver == np.arange(sink), sink, receiver), sink)
    area = np.append(np.ones(sink), 0.0)
    while np.any(follow[:sink] != sink):
        area = area + np.bincount(follow, weights=area, minlength=sink + 1)
        area[sink] = 0.0
        follow = follow[follow]
    return area[:sink]


def _solve_downstream(own: Float64, share: Float64, receiver: NDArray[np.intp]) -> Float64:
    """Solve ``z = own + share * z[receiver]`` by doubling the length of the paths followed; share is 0 at outlets."""
    while np.any(share > 0.0):
        own = own + share * own[receiver]
        share = share * share[receiver]
        receiver = receiver[receiver]
    return own


def _scale_to_slope(height: Float64, spacing: tuple[float, float], mean_slope: float) -> float:
    """Factor on `height` that gives the mean slope (rad), by bisection."""
    rise_y, rise_x = geometry.gradient(height, spacing=spacing)
    steepness = np.hypot(rise_y, rise_x)
    low, high = 0.0, 50.0 / max(float(steepness.mean()), 1e-12)
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if float(np.arctan(middle * steepness).mean()) < mean_slope else (low, middle)
    return high
