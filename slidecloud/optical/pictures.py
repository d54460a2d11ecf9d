"""Image files of patches: PNG and TIFF with any number of bands, with or without coordinates."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.warp import transform_bounds

from slidecloud.optical.masks import as_mask
from slidecloud.optical.patches import Footprint, Sample
from slidecloud.types import DataError

_DRIVERS: Final = {".png": "PNG", ".tif": "GTiff", ".tiff": "GTiff"}
ENDINGS: Final = tuple(_DRIVERS)

_NEARLY: Final = 1e-3

_opening: Final = Lock()
"""Filters of warnings are those of all threads: one at a time may change them."""


class Header(NamedTuple):
    """What a file says of itself: bands (but for the transparency of a PNG), rows, columns; CRS, geotransform and
    footprint, or None; names of the bands, empty where it has none."""

    shape: tuple[int, int, int]
    crs: str | None
    transform: tuple[float, ...] | None
    footprint: Footprint | None
    bands: tuple[str, ...]


def header(path: Path) -> Header:
    """The header of an image or a mask.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    with _opened(path) as dataset:
        colours = _colours(dataset)
        shape = (len(colours), dataset.height, dataset.width)
        bands = tuple(dataset.descriptions[band - 1] or "" for band in colours)
        if dataset.crs is None or dataset.transform.is_identity:
            return Header(shape, None, None, None, bands)
        west, south, east, north = transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds)
        if not all(map(math.isfinite, (west, south, east, north))):
            raise DataError(f"{path} lies nowhere on the globe in its {dataset.crs}: geocode it again")
        crs, transform = dataset.crs.to_string(), tuple(dataset.transform)[:6]
        return Header(shape, crs, transform, Footprint(south, west, north, east), bands)


def check_pair(image: Header, mask: Header, image_name: Path, mask_name: Path) -> None:
    """Refuse a mask that does not lie on its image.

    Raises
    ------
    DataError
        If shapes differ, or both have coordinates and these differ.
    """
    if image.shape[1:] != mask.shape[1:]:
        raise DataError(
            f"{mask_name} has {mask.shape[1]} x {mask.shape[2]} pixels, expected the {image.shape[1]} x "
            f"{image.shape[2]} of {image_name}"
        )
    if image.crs is None or mask.crs is None or image.transform is None or mask.transform is None:
        return
    if image.crs != mask.crs:
        raise DataError(
            f"{mask_name} is in {mask.crs}, expected the {image.crs} of {image_name}: warp it there (gdalwarp)"
        )
    pixel = max(abs(image.transform[0]), abs(image.transform[4]))
    if max(abs(a - b) for a, b in zip(image.transform, mask.transform, strict=True)) > _NEARLY * pixel:
        raise DataError(
            f"{mask_name} has the geotransform {mask.transform}, expected the {image.transform} of {image_name}: "
            "warp it to the same grid (gdalwarp)"
        )


def read(image: Path, mask: Path | None) -> Sample:
    """An image with its mask; without a mask nothing in it is a landslide.

    Raises
    ------
    DataError
        If a file cannot be read, the mask is not binary, or the image holds infinite values.
    """
    with _opened(image) as dataset:
        values = dataset.read(_colours(dataset)).astype(np.float32)
        missing = _missing(dataset, values)
    if np.isinf(values).any():
        raise DataError(f"{image} holds infinite values, expected finite ones or NaN: make it again")
    values[missing] = np.nan
    if mask is None:
        return Sample(values, np.zeros(values.shape[1:], np.bool_))
    with _opened(mask) as dataset:
        marks = dataset.read(_colours(dataset))
    return Sample(values, as_mask(marks[0] if len(marks) == 1 else marks, str(mask)))


def _missing(dataset: Any, values: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where bands (band, y, x) have no data: by the file's own value for it, or where it is transparent."""
    missing = np.zeros(values.shape, np.bool_)
    for number, band in enumerate(_colours(dataset)):
        nodata = dataset.nodatavals[band - 1]
        if nodata is not None:
            missing[number] = values[number] == np.float32(nodata)
    for band in set(dataset.indexes) - set(_colours(dataset)):
        missing |= dataset.read(band) == 0
    return missing


def _colours(dataset: Any) -> list[int]:
    """Numbers of the bands that are not transparency, which PNG alone tells: GDAL calls the fourth of four bands of
    bytes in a TIFF so as well, and there it is mostly near infrared."""
    kinds = zip(dataset.indexes, dataset.colorinterp, strict=True)
    return [band for band, colour in kinds if colour != ColorInterp.alpha or dataset.driver != "PNG"]


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with _opening, warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # most training patches have no coordinates
            dataset = rasterio.open(path, driver=_DRIVERS[path.suffix.lower()])
        with dataset:
            yield dataset
    except RasterioError as error:
        kind = path.suffix[1:].upper()
        raise DataError(f"{path} cannot be read as {kind} ({error}): fetch or make it again") from error
