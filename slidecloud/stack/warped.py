"""Any raster on the pixels of a burst: masks by the nearest pixel, continuous maps bilinearly."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from slidecloud.kernels.sampling import find_places
from slidecloud.stack.names import printable
from slidecloud.types import DataError, Float32, Float64, Grid

How = Literal["nearest", "bilinear"]


def fingerprint(path: str) -> str:
    """Changes when the file does (name, size, modification time); of a URL its name alone.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if "://" in path:
        return path
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no raster {printable(path)}; check the path in the configuration.")
    found = file.stat()
    return hashlib.sha256(f"{file.name} {found.st_size} {found.st_mtime_ns}".encode()).hexdigest()[:32]


def on_grid(path: str, grid: Grid, *, how: How) -> Float32:
    """A raster in any CRS on a map grid, float32 (y, x); NaN where it has no data or does not reach.

    Raises
    ------
    DataError
        If it cannot be read, has no CRS, or does not touch the grid; names file and remedy.
    """
    with _Opened(path) as dataset:
        corner = Affine(grid.dx, 0, grid.left, 0, grid.dy, grid.top)
        options = {"crs": grid.crs, "transform": corner, "height": grid.height, "width": grid.width}
        with WarpedVRT(dataset, resampling=Resampling[how], add_alpha=dataset.nodata is None, **options) as warped:
            values = warped.read(1).astype(np.float32)
            known = warped.read(warped.count) > 0 if dataset.nodata is None else warped.read_masks(1) > 0
    return _checked(np.where(known, values, np.float32(np.nan)), path)


def at_points(path: str, longitude: Float64, latitude: Float64, *, how: How, may_miss: bool = False) -> Float32:
    """A raster in any CRS at places in degrees, float32 in their shape; see `on_grid` for gaps and errors.

    With ``may_miss`` the raster need not hold any of the places.
    """
    from pyproj import CRS, Transformer

    with _Opened(path) as dataset:
        turn = Transformer.from_crs("EPSG:4326", CRS.from_user_input(dataset.crs.to_wkt()), always_xy=True)
        x, y = turn.transform(longitude, latitude)
        back = ~dataset.transform
        column, row = back.a * x + back.b * y + back.c, back.d * x + back.e * y + back.f
        inside = np.isfinite(row) & np.isfinite(column)
        inside &= (row >= 0) & (row < dataset.height) & (column >= 0) & (column < dataset.width)
        if not inside.any():
            nothing = np.full(np.shape(longitude), np.nan, np.float32)
            return nothing if may_miss else _checked(nothing, path)
        # A pixel more on each side, for what lies between pixel centres.
        window = _around(row[inside], column[inside], dataset.height, dataset.width)
        values = dataset.read(1, window=window, masked=True).astype(np.float32).filled(np.nan)
    found = np.full(np.shape(longitude), np.nan, np.float32)
    found[inside] = _pick(values, row[inside] - window.row_off, column[inside] - window.col_off, how)
    return found if may_miss else _checked(found, path)


def pixels_under(grid: Grid, source: Grid | tuple[Float32, Float32]) -> tuple[Float64, Float64]:
    """Row and column of a source under the pixel centres of a grid, as `slidecloud.kernels.sampling` takes them.

    Parameters
    ----------
    grid
        In metres.
    source
        A map grid in any CRS, or latitude and longitude (y, x) of the pixels of a radar grid.

    Returns
    -------
    row, column
        float64 (y, x) of ``grid``; beyond a map's border they go on, under a radar grid they are NaN there.
    """
    from pyproj import CRS, Transformer

    here = CRS.from_user_input(grid.crs)
    x, y = np.meshgrid(grid.x, grid.y)
    if isinstance(source, Grid):
        there = CRS.from_user_input(source.crs)
        if there != here:
            x, y = Transformer.from_crs(here, there, always_xy=True).transform(x, y)
        return (np.asarray(y) - source.top) / source.dy, (np.asarray(x) - source.left) / source.dx
    latitude, longitude = source
    east, north = Transformer.from_crs("EPSG:4326", here, always_xy=True).transform(longitude, latitude)
    east, north = (np.where(np.isfinite(axis), axis, np.nan) for axis in (east, north))
    return find_places(east, north, x, y)


class _Opened:
    """A raster, opened and checked; errors of reading it name it."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)
                self._dataset = rasterio.open(self._path)
        except (RasterioError, OSError) as error:
            raise DataError(_unreadable(self._path, error)) from None
        if self._dataset.crs is None:
            self._dataset.close()
            raise DataError(
                f"{printable(self._path)} has no coordinate reference system, so it cannot be laid on a burst: give it "
                "one (gdal_edit -a_srs), or geocode it."
            )
        return self._dataset

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._dataset.close()
        if isinstance(error, RasterioError):
            raise DataError(_unreadable(self._path, error)) from None


def _unreadable(path: str, error: Exception) -> str:
    if "://" not in path and not Path(path).exists():
        return f"There is no raster {printable(path)}; check the path in the configuration."
    return f"{printable(path)} cannot be read as a raster ({printable(str(error))}): fetch or make it again"


def _checked(values: Float32, path: str) -> Float32:
    if np.isnan(values).all():
        raise DataError(
            f"{printable(path)} has no data on the burst, expected it to cover it: check its extent and CRS, or leave "
            "it out of the configuration"
        )
    return values


def _around(row: Float64, column: Float64, height: int, width: int) -> Window:
    top, left = max(int(row.min()) - 1, 0), max(int(column.min()) - 1, 0)
    bottom, right = min(int(row.max()) + 2, height), min(int(column.max()) + 2, width)
    return Window(left, top, right - left, bottom - top)


def _pick(values: NDArray[Any], row: Float64, column: Float64, how: How) -> Float32:
    if how == "nearest":
        nearest: Float32 = values[row.astype(np.intp), column.astype(np.intp)]
        return nearest
    from scipy.ndimage import map_coordinates

    between: Float32 = map_coordinates(values, [row - 0.5, column - 0.5], order=1, mode="nearest")
    return between
