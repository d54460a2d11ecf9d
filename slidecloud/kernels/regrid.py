"""Between the grid of a stack and the detectors' grid: 40 m, rows along the flight, columns away from the radar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from slidecloud.kernels.sampling import mean_around
from slidecloud.kernels.terrain import LookDirection, look_azimuth
from slidecloud.kernels.views import SPACING, GradientView
from slidecloud.types import Float32, Float64, StackHeader

_SAME = 0.05
"""Share by which the spacing of a radar grid may differ from `SPACING` and still be taken as it is."""

Row = tuple[float, float]


@dataclass(frozen=True, slots=True)
class DetectorGrid:
    """Where the detectors' pixels lie in a source grid.

    Coordinates are (row, column) in pixels, counted from the outer corner of the first pixel, so that a pixel's centre
    lies at half. The lattice is fixed to that corner of the source: it does not depend on what part of it is looked at.

    Attributes
    ----------
    shape, source_shape
        Rows and columns.
    matrix, origin
        ``source = matrix @ detector + origin``.
    along_range, along_azimuth
        (x, y) parts of the unit vectors along columns and along rows, in the axes of the source's gradients: east and
        north on maps, range and azimuth in radar geometry.
    reach
        Source pixels (y, x) to either side over which a sample is averaged; 0 where the grids are the same.
    """

    shape: tuple[int, int]
    source_shape: tuple[int, int]
    matrix: tuple[Row, Row]
    origin: Row
    along_range: tuple[float, float]
    along_azimuth: tuple[float, float]
    reach: tuple[int, int]

    @property
    def same(self) -> bool:
        """True where source and detector grid are one: nothing is resampled."""
        return self.reach == (0, 0)


def detector_grid(
    shape: tuple[int, int],
    *,
    spacing: tuple[float, float],
    heading: float,
    geometry: Literal["map", "radar"],
    look_direction: LookDirection = "right",
) -> DetectorGrid:
    """The detectors' grid that covers a source grid.

    Parameters
    ----------
    shape
        Rows and columns of the source.
    spacing
        Metres per pixel along (y, x), positive.
    heading
        Flight direction, degrees clockwise from north. Radar grids do not need it: they are turned already.
    geometry
        ``map`` (rows north to south, columns east) or ``radar`` (rows along the flight, columns away from the radar).
        Radar grids within 5 % of `SPACING` along both axes are used as they are.
    look_direction
        Side the antenna looks to.

    Raises
    ------
    ValueError
        If the shape is empty, a spacing not positive, or heading, geometry or look direction make no sense.
    """
    _check(shape, spacing, heading, geometry)
    dy, dx = spacing
    if geometry == "radar":
        if all(abs(step / SPACING - 1.0) <= _SAME for step in spacing):
            return DetectorGrid(shape, shape, ((1.0, 0.0), (0.0, 1.0)), (0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0, 0))
        along_range, along_azimuth = (1.0, 0.0), (0.0, 1.0)
        rows_up = 1.0
    else:
        look, flight = look_azimuth(heading, look_direction), math.radians(heading)
        along_range = (math.sin(look), math.cos(look))
        along_azimuth = (math.sin(flight), math.cos(flight))
        rows_up = -1.0  # rows of a map run south, its gradients north
    matrix = (
        (rows_up * along_azimuth[1] * SPACING / dy, rows_up * along_range[1] * SPACING / dy),
        (along_azimuth[0] * SPACING / dx, along_range[0] * SPACING / dx),
    )
    corners = np.array([(row, column) for row in (0, shape[0]) for column in (0, shape[1])], dtype=np.float64)
    seen = corners @ np.linalg.inv(np.array(matrix)).T
    # A corner that lies on a border but for rounding must not open another row or column.
    first = np.floor(seen.min(axis=0) + 1e-9).astype(int)
    last = np.ceil(seen.max(axis=0) - 1e-9).astype(int)
    origin = np.array(matrix) @ first
    return DetectorGrid(
        shape=(int(last[0] - first[0]), int(last[1] - first[1])),
        source_shape=shape,
        matrix=matrix,
        origin=(float(origin[0]), float(origin[1])),
        along_range=along_range,
        along_azimuth=along_azimuth,
        reach=(max(1, round(SPACING / dy)), max(1, round(SPACING / dx))),
    )


def grid_of(header: StackHeader) -> DetectorGrid:
    """The detectors' grid of a burst."""
    return detector_grid(
        header.shape,
        spacing=header.spacing,
        heading=header.heading,
        geometry=header.geometry,
        look_direction=header.look_direction,
    )


def to_detector(
    grid: DetectorGrid,
    x: ArrayLike,
    y: ArrayLike,
    x_sigma: ArrayLike,
    y_sigma: ArrayLike,
    coherence: ArrayLike,
    span: float,
) -> GradientView:
    """Gradient maps of a stack, turned to range and azimuth and brought to the detectors' grid.

    Samples are weighted means whose weights fall linearly to zero over ``reach`` source pixels: bilinear where the
    source is as coarse as the detectors' grid or coarser, an average over their pixel where it is finer. Fields that
    change linearly stay exactly as they are. A sample needs half of its weight on valid pixels.

    Gradients of neighbouring pixels share most of their window, so the noise of a mean of them is taken to be the mean
    of their sigmas; sigmas of the two axes add in quadrature where they are turned.

    Parameters
    ----------
    grid
        As `detector_grid` gives it.
    x, y, x_sigma, y_sigma
        ``velocity_gradient_x``, ``velocity_gradient_y`` of the store and their sigmas, (y, x), m/yr per m: east and
        north on maps, range and azimuth in radar geometry. NaN = undefined.
    coherence
        Mean coherence, (y, x).
    span
        Sum of the time spans of the pairs, years.

    Raises
    ------
    ValueError
        If a map does not have the shape of the source.
    """
    given = {"x": x, "y": y, "x_sigma": x_sigma, "y_sigma": y_sigma, "coherence": coherence}
    maps = {name: np.asarray(values, dtype=np.float32) for name, values in given.items()}
    for name, values in maps.items():
        _check_shape(name, values, grid.source_shape)
    if grid.same:
        return GradientView(**maps, span=span)
    parts, sigmas = (maps["x"], maps["y"]), (maps["x_sigma"], maps["y_sigma"])
    return GradientView(
        x=_sample(grid, _turn(*parts, grid.along_range)),
        y=_sample(grid, _turn(*parts, grid.along_azimuth)),
        x_sigma=_sample(grid, _turn_sigma(*sigmas, grid.along_range)),
        y_sigma=_sample(grid, _turn_sigma(*sigmas, grid.along_azimuth)),
        coherence=_sample(grid, maps["coherence"]),
        span=span,
    )


def nearest(grid: DetectorGrid, values: NDArray[Any], *, outside: Any) -> NDArray[Any]:
    """Labels or masks of the source at the centres of the detectors' pixels; ``outside`` beyond the source."""
    _check_shape("values", values, grid.source_shape)
    if grid.same:
        return values.copy()
    row, column = np.indices(grid.shape).reshape(2, -1) + 0.5
    found = _pick(values, *_apply(grid, row, column), outside)
    return found.reshape(grid.shape)


def to_source(grid: DetectorGrid, boxes: ArrayLike) -> Float64:
    """Corners of boxes as coordinates of the source.

    Parameters
    ----------
    grid
        As `detector_grid` gives it.
    boxes
        (n, 4): top, left, bottom, right in detector pixels.

    Returns
    -------
    (n, 4, 2): for each box its corners top left, top right, bottom right, bottom left as (row, column) in source pixels
    counted from the outer corner of the first pixel; they may lie outside the source.
    """
    top, left, bottom, right = np.asarray(boxes, dtype=np.float64).reshape(-1, 4).T
    rows = np.stack([top, top, bottom, bottom], axis=1)
    columns = np.stack([left, right, right, left], axis=1)
    return np.stack(_apply(grid, rows, columns), axis=-1)


def half_pixel(window: tuple[int, int]) -> tuple[float, float]:
    """Source pixels (y, x) by which gradients lie behind the centre of their pixel: half a pixel in even windows."""
    rows, columns = (0.0 if size % 2 else 0.5 for size in window)
    return rows, columns


def where_shown(grid: DetectorGrid, boxes: ArrayLike, *, window: tuple[int, int]) -> Float64:
    """Boxes (n, 4) of what lies on the ground, moved to where gradients of a window show it, detector pixels.

    Whoever puts detections on the ground takes it back, see `half_pixel`.
    """
    behind = np.linalg.solve(np.array(grid.matrix), np.array(half_pixel(window)))
    moved: Float64 = np.asarray(boxes, dtype=np.float64) - np.tile(behind, 2)
    return moved


def _apply(grid: DetectorGrid, row: Float64, column: Float64) -> tuple[Float64, Float64]:
    (a, b), (c, d) = grid.matrix
    return a * row + b * column + grid.origin[0], c * row + d * column + grid.origin[1]


def _pick(values: NDArray[Any], row: Float64, column: Float64, outside: Any) -> NDArray[Any]:
    """Values of the pixels that hold points given by (row, column)."""
    i, j = np.floor(row).astype(np.int64), np.floor(column).astype(np.int64)
    inside = (i >= 0) & (i < values.shape[0]) & (j >= 0) & (j < values.shape[1])
    found = np.full(i.shape, outside, dtype=values.dtype)
    found[inside] = values[i[inside], j[inside]]
    return found


def _turn(x: Float32, y: Float32, along: tuple[float, float]) -> Float32:
    """The part of a vector along a direction; the other axis is not asked where it has no share in it."""
    parts = [np.float32(share) * values for share, values in zip(along, (x, y), strict=True) if share != 0.0]
    return sum(parts[1:], parts[0])


def _turn_sigma(x: Float32, y: Float32, along: tuple[float, float]) -> Float32:
    parts = [(np.float32(share) * values) ** 2 for share, values in zip(along, (x, y), strict=True) if share != 0.0]
    size: Float32 = np.sqrt(sum(parts[1:], parts[0]))
    return size


def _sample(grid: DetectorGrid, values: Float32) -> Float32:
    found = np.empty(grid.shape, dtype=np.float32)
    _sample_into(np.ascontiguousarray(values), np.array(grid.matrix), np.array(grid.origin), *grid.reach, found)
    return found


@njit(nogil=True, cache=True)
def _sample_into(values, matrix, origin, reach_y, reach_x, found):  # type: ignore[no-untyped-def]
    """Means with linearly falling weights around each detector pixel, over valid pixels."""
    for i in range(found.shape[0]):
        for j in range(found.shape[1]):
            row = matrix[0, 0] * (i + 0.5) + matrix[0, 1] * (j + 0.5) + origin[0]
            column = matrix[1, 0] * (i + 0.5) + matrix[1, 1] * (j + 0.5) + origin[1]
            found[i, j] = mean_around(values, row, column, reach_y, reach_x)


def _check(shape: tuple[int, int], spacing: tuple[float, float], heading: float, geometry: str) -> None:
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"shape: found {tuple(shape)}, expected rows and columns of at least 1")
    if len(spacing) != 2 or not all(math.isfinite(step) and step > 0.0 for step in spacing):
        raise ValueError(f"spacing: found {tuple(spacing)}, expected positive metres along (y, x)")
    if geometry not in ("map", "radar"):
        raise ValueError(f"geometry: found {geometry!r}, expected 'map' or 'radar'")
    if geometry == "map" and not math.isfinite(heading):
        raise ValueError(f"heading: found {heading}, expected degrees clockwise from north; maps are turned by it")


def _check_shape(name: str, values: NDArray[Any], shape: tuple[int, int]) -> None:
    if values.shape != shape:
        raise ValueError(f"{name}: found shape {values.shape}, expected {shape}, that of its grid")
