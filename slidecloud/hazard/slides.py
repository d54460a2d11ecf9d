"""Slides on the one grid: cells that are learnt from, and cells that are neither slide nor absence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.factors import cell_of
from slidecloud.types import DataError, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

Cells = NDArray[np.int64]
Dates = NDArray[np.datetime64]
_AREAS: Final = ("Polygon", "MultiPolygon")
_TRUE, _FALSE = ("true", "1", "1.0", "yes"), ("false", "0", "0.0", "no")


class SlideCells(NamedTuple):
    """Cells by their flat index on the grid, int64, rising, each in one of them.

    `slide`: where slides are learnt from; `date`: day of each, datetime64[s], the earliest of several, NaT where one is
    not known. `other`: given as places without a slide. `barred`: parts of slides that are not learnt from, and no
    absences either. `slides`, `beyond`: slides on the grid and off it.
    """

    slide: Cells
    date: Dates
    other: Cells
    barred: Cells
    slides: int
    beyond: int


def slide_cells(
    frame: GeoDataFrame,
    grid: Grid,
    *,
    polygons: Literal["centroid", "cells"] = "centroid",
    date: str | None = None,
    column: str | None = None,
) -> SlideCells:
    """Cells of slides.

    Parameters
    ----------
    frame
        Points or polygons in the grid's CRS.
    grid
        The one grid.
    polygons
        ``centroid``: a polygon is the cell of its centre (of a place inside where the centre lies outside); its other
        cells are barred. ``cells``: all cells whose centres it holds; where there is none, that of its centre.
    date
        Column with the day of each; None: no day is known.
    column
        Column that tells slides from places without one; None: all are slides.

    Raises
    ------
    ConfigError
        If a column is missing, or a value in it cannot be read; names row and value.
    DataError
        If no slide lies on the grid.
    """
    import shapely

    slid = np.ones(len(frame), bool) if column is None else _flags(frame, column)
    day = _days(frame, date)
    shapes = frame.geometry.to_numpy()
    centre = _inside(shapes)
    row, at = (np.floor(part).astype(np.int64) for part in cell_of(grid, shapely.get_x(centre), shapely.get_y(centre)))
    on = (row >= 0) & (row < grid.height) & (at >= 0) & (at < grid.width)
    middle = np.where(on, row * grid.width + at, -1)
    areal = np.isin(frame.geom_type.to_numpy(), _AREAS) & slid
    covered = {int(k): _covered(shapes[k], grid) for k in np.flatnonzero(areal)}
    cells, owner = [middle[on]], [np.flatnonzero(on)]
    if polygons == "cells":
        whole = {k: found for k, found in covered.items() if found.size}
        alone = on & ~np.isin(np.arange(len(frame)), list(whole))
        cells = [middle[alone], *whole.values()]
        owner = [np.flatnonzero(alone), *(np.full(found.size, k) for k, found in whole.items())]
    cell, of = np.concatenate(cells), np.concatenate(owner).astype(np.intp)
    known, number = np.unique(of[slid[of]]), int(slid.sum())
    if not known.size:
        raise DataError(
            f"slides: found {number}, none of them on the grid; expected some. Look at their CRS and at grid.bounds"
        )
    slide, first = earliest(cell[slid[of]], day[of[slid[of]]])
    other = np.setdiff1d(cell[~slid[of]], slide)
    every = np.concatenate(list(covered.values())) if covered else np.zeros(0, np.int64)
    return SlideCells(
        slide, first, other, np.setdiff1d(every, np.union1d(slide, other)), known.size, number - known.size
    )


def _inside(shapes: NDArray[Any]) -> NDArray[Any]:
    """The centre of each, or a place inside where it lies outside."""
    import shapely

    centre = shapely.centroid(shapes)
    outside = ~shapely.intersects(shapes, centre)
    centre[outside] = shapely.point_on_surface(shapes[outside])
    found: NDArray[Any] = centre
    return found


def _covered(shape: Any, grid: Grid) -> Cells:
    """Flat indices of the cells whose centres a polygon holds."""
    from rasterio.features import rasterize
    from rasterio.transform import Affine

    west, south, east, north = shape.bounds
    (top, bottom), (left, right) = cell_of(grid, np.array([west, east]), np.array([north, south]))
    first, last = max(int(np.floor(top)), 0), min(int(np.ceil(bottom)), grid.height)
    start, stop = max(int(np.floor(left)), 0), min(int(np.ceil(right)), grid.width)
    if first >= last or start >= stop:
        return np.zeros(0, np.int64)
    place = Affine(grid.dx, 0, grid.left + start * grid.dx, 0, grid.dy, grid.top + first * grid.dy)
    held = rasterize([(shape, 1)], out_shape=(last - first, stop - start), transform=place, fill=0, dtype="uint8")
    row, column = np.nonzero(held)
    found: Cells = (row + first).astype(np.int64) * grid.width + column + start
    return found


def earliest(cell: NDArray[Any], day: Dates) -> tuple[NDArray[Any], Dates]:
    """Each cell once, rising, with the earliest of its days; NaT where one of them is."""
    if not cell.size:
        return cell, day
    order = np.argsort(cell, kind="stable")
    once, first = np.unique(cell[order], return_index=True)
    return once, np.minimum.reduceat(day[order], first)


def _days(frame: GeoDataFrame, column: str | None) -> Dates:
    if column is None:
        return np.full(len(frame), "NaT", "datetime64[s]")
    import pandas

    given = _column(frame, column, "susceptibility.date")
    if not pandas.api.types.is_datetime64_any_dtype(given):
        given = given.astype("string")  # a number, such as a year, would be taken for nanoseconds
    found = pandas.to_datetime(given, errors="coerce", utc=True, format="ISO8601")
    wrong = np.flatnonzero(found.isna() & given.notna() & (given.astype(str).str.strip() != ""))
    if wrong.size:
        raise ConfigError(
            f"susceptibility.date names {column!r}, which holds {given.iloc[wrong[0]]!r} in row {wrong[0]}; expected "
            "days with the year first, such as 2021-06-30, empty where not known."
        )
    days: Dates = found.dt.tz_localize(None).to_numpy().astype("datetime64[s]")
    return days


def _flags(frame: GeoDataFrame, column: str) -> NDArray[np.bool_]:
    given = _column(frame, column, "susceptibility.absences.column").astype(str).str.strip().str.lower()
    wrong = np.flatnonzero(~given.isin([*_TRUE, *_FALSE]))
    if wrong.size:
        raise ConfigError(
            f"susceptibility.absences.column names {column!r}, which holds {given.iloc[wrong[0]]!r} in row {wrong[0]}; "
            "expected true or 1 for a slide, and false or 0 for none."
        )
    flags: NDArray[np.bool_] = given.isin(_TRUE).to_numpy(bool)
    return flags


def _column(frame: GeoDataFrame, column: str, key: str) -> Any:
    columns = [str(one) for one in frame.columns if one != frame.geometry.name]
    if column not in columns:
        raise ConfigError(
            f"{key} names {column!r}; the slides have {', '.join(columns) or 'no columns'}. Name another."
        )
    return frame[column]
