"""Zenith delays of the troposphere from GACOS: one raster a date, ``YYYYMMDD.ztd`` with ``.ztd.rsc``, or ``.ztd.tif``.

GACOS delivers little-endian float32 metres, rows north to south, and a text header whose X_FIRST and Y_FIRST are the
outer corner of the first pixel (Yu et al., 2018).

References
----------
Yu, C., Li, Z., Penna, N. T., Crippa, P. (2018), Generic atmospheric correction model for interferometric synthetic
aperture radar observations, J. Geophys. Res. Solid Earth 123(10), 9202-9222.
"""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import ArrayLike, NDArray

from slidecloud.stack.names import parse_day, printable
from slidecloud.stack.rasters import open_header
from slidecloud.types import DataError, Float32, Grid

LEAST, MOST = 0.2, 4.0
"""Metres: zenith delays on Earth lie between those above the highest mountains and those of the wet tropics at sea."""
_NAME = re.compile(r"(\d{8})\.ztd(\.tif)?")
_FIELDS = ("WIDTH", "FILE_LENGTH", "X_FIRST", "Y_FIRST", "X_STEP", "Y_STEP")


class Gacos:
    """A folder of GACOS delays. A file is opened when its date is asked for: a bad one spoils its own date alone.

    Parameters
    ----------
    folder
        Holds ``YYYYMMDD.ztd`` with ``YYYYMMDD.ztd.rsc``, or ``YYYYMMDD.ztd.tif``; of both, the first is read.

    Raises
    ------
    DataError
        If there is no such folder, or no delay in it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise DataError(f"There is no folder {printable(str(folder))}; check the path of the GACOS delays.")
        self._files: dict[np.datetime64, Path] = {}
        for path in sorted(self.folder.iterdir(), reverse=True):
            found = _NAME.fullmatch(path.name)
            with contextlib.suppress(ValueError):  # eight digits that are no date
                if found:
                    self._files[parse_day(found[1])] = path
        if not self._files:
            raise DataError(
                f"{printable(str(folder))} has no YYYYMMDD.ztd or YYYYMMDD.ztd.tif, expected a file for each date: "
                "order them from GACOS and unpack them there"
            )

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """Dates that have a file, datetime64[D], increasing."""
        return np.array(sorted(self._files), dtype="datetime64[D]")

    def zenith(self, date: np.datetime64, longitude: ArrayLike, latitude: ArrayLike) -> Float32:
        """Zenith delay of a date at places, bilinear between pixel centres.

        Parameters
        ----------
        date
            Its day counts.
        longitude, latitude
            Degrees, one shape.

        Returns
        -------
        float32 m in their shape; NaN outside the raster, next to its gaps (0 or NaN), and where a place is NaN.

        Raises
        ------
        DataError
            If the date has no file, or its file or header cannot be used; names file and remedy.
        """
        day = date.astype("datetime64[D]")
        if day not in self._files:
            name = str(day).replace("-", "")
            raise DataError(
                f"{printable(str(self.folder))} has no delay of {day}, expected {name}.ztd: order that date from "
                "GACOS, or leave the correction out"
            )
        delay, grid = _read(self._files[day])
        column = (np.asarray(longitude, np.float64) - grid.left) / grid.dx
        row = (np.asarray(latitude, np.float64) - grid.top) / grid.dy
        return _between(delay, row, column)


def _read(path: Path) -> tuple[Float32, Grid]:
    """Delays (y, x) in m, NaN where there is none, and their grid."""
    delay, grid = _read_tif(path) if path.suffix == ".tif" else _read_binary(path)
    delay = np.where(delay == 0, np.float32(np.nan), delay)
    known = delay[~np.isnan(delay)]
    if not known.size:
        raise DataError(f"{printable(str(path))} holds no delay at all (0 or NaN): order the date from GACOS again")
    lowest, highest = float(known.min()), float(known.max())
    if not (lowest >= LEAST and highest <= MOST):
        raise DataError(
            f"{printable(str(path))} holds {lowest:.3g} to {highest:.3g}, expected zenith delays of {LEAST} to {MOST} "
            "m: it is no .ztd, is in another unit or has another byte order; fetch it again"
        )
    return delay, grid


def _read_binary(path: Path) -> tuple[Float32, Grid]:
    grid = _read_header(path.with_name(path.name + ".rsc"))
    try:
        values = np.fromfile(path, dtype="<f4")
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"{printable(str(path))} cannot be read ({error.strerror}): give read permission") from error
    expected = 4 * grid.height * grid.width
    if size != expected:
        raise DataError(
            f"{printable(str(path))} has {size} bytes, expected {expected} for the {grid.height} x {grid.width} pixels "
            "of its header: it is truncated or the header belongs to another file; fetch both again"
        )
    return values.reshape(grid.height, grid.width).astype(np.float32, copy=False), grid


def _read_header(path: Path) -> Grid:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(
            f"{printable(str(path))} cannot be read ({error.strerror}), expected the header of the delays beside it: "
            "fetch it again"
        ) from error
    fields = dict(line.split(None, 1) for line in text.splitlines() if len(line.split(None, 1)) == 2)
    if fields.get("PROJECTION", "LATLON").strip().upper() not in ("LATLON", "LL"):
        raise DataError(
            f"{printable(str(path))} says PROJECTION {printable(fields['PROJECTION'])}, expected LATLON: order the "
            "delays on a geographic grid"
        )
    width, height, left, top, dx, dy = (_number(fields, name, path) for name in _FIELDS)
    if not (width >= 1 and height >= 1 and width.is_integer() and height.is_integer() and dx > 0 > dy):
        raise DataError(
            f"{printable(str(path))} says {width:g} x {height:g} pixels of {dx:g} x {dy:g} degrees, expected whole "
            "numbers, X_STEP above and Y_STEP below 0: fetch it again"
        )
    return Grid("EPSG:4326", left, top, dx, dy, int(height), int(width))


def _number(fields: dict[str, str], name: str, path: Path) -> float:
    try:
        value = float(fields[name])
    except (KeyError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        found = printable(fields[name]) if name in fields else "nothing"
        raise DataError(f"{printable(str(path))} says {found} for {name}, expected a number: fetch it again")
    return value


def _read_tif(path: Path) -> tuple[Float32, Grid]:
    try:
        header = open_header(path)
    except DataError as error:
        raise DataError(f"{printable(str(path))} {error}") from error
    if not rasterio.crs.CRS.from_user_input(header.grid.crs).is_geographic:
        raise DataError(
            f"{printable(str(path))} is in {printable(header.grid.crs)}, expected degrees: order the delays on a "
            "geographic grid"
        )
    with rasterio.open(path, driver="GTiff") as dataset:
        return dataset.read(1, masked=True).astype(np.float32).filled(np.nan), header.grid


def _between(delay: Float32, row: NDArray[np.float64], column: NDArray[np.float64]) -> Float32:
    """Bilinear values at positions counted in pixels from the outer corner; constant in the outermost half pixel."""
    height, width = delay.shape
    inside = (row >= 0) & (row <= height) & (column >= 0) & (column <= width)
    y, x = (np.clip(np.where(inside, p, 0.5) - 0.5, 0, n - 1) for p, n in ((row, height), (column, width)))
    top, left = (np.minimum(np.floor(p).astype(np.intp), max(n - 2, 0)) for p, n in ((y, height), (x, width)))
    bottom, right = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    down, along = y - top, x - left
    upper = delay[top, left] * (1 - along) + delay[top, right] * along
    lower = delay[bottom, left] * (1 - along) + delay[bottom, right] * along
    return np.where(inside, upper * (1 - down) + lower * down, np.nan).astype(np.float32)
