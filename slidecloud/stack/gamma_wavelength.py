"""The one wavelength of a folder of GAMMA interferograms, from headers, checked against TIFF tags."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping

from slidecloud.stack.gamma_headers import Acquisition
from slidecloud.stack.names import Listing, SourcePath
from slidecloud.stack.rasters import RasterHeader
from slidecloud.stack.source import WavelengthWarning
from slidecloud.types import SENTINEL1_WAVELENGTH, DataError

TOLERANCE = 1e-4
"""Relative difference between two statements of the wavelength above which a person is told."""


def common_wavelength(listing: Listing, images: Iterable[Acquisition], phases: Iterable[RasterHeader]) -> float:
    """Metres, speed of light / radar frequency of the image headers; tags of the phase files are compared with it.

    Without a radar frequency it is that of Sentinel-1, if all images are Sentinel-1, else that of the tags.

    Raises
    ------
    DataError
        If two headers disagree, or nothing gives a wavelength.

    Warns
    -----
    WavelengthWarning
        If a tag (``WAVELENGTH_METRES``) differs by more than `TOLERANCE`, or no header gives a radar frequency.
    """
    images = list(images)
    stated = {image.path: image.wavelength for image in images if not math.isnan(image.wavelength)}
    tags = {header.path: _tag(header) for header in phases}
    wavelength = next(iter(stated.values())) if stated else _assumed(listing, images, tags)
    for path, other in stated.items():
        if abs(other / wavelength - 1) > TOLERANCE:
            raise DataError(
                f"{listing.name(path)} gives a wavelength of {other:.7g} m, {listing.name(next(iter(stated)))} "
                f"{wavelength:.7g} m, expected one: keep images of one radar in a stack"
            )
    apart = {path: tag for path, tag in tags.items() if abs(tag / wavelength - 1) > TOLERANCE}
    if apart:
        path, tag = next(iter(apart.items()))
        warnings.warn(
            f"WAVELENGTH_METRES of {listing.name(path)} and {len(apart) - 1} other files is {tag:.7g} m, expected "
            f"{wavelength:.7g} m from the image headers, which is used: correct the tag or the header",
            WavelengthWarning,
            stacklevel=4,
        )
    return wavelength


def _assumed(listing: Listing, images: list[Acquisition], tags: Mapping[SourcePath, float]) -> float:
    name = listing.name(images[0].path)
    known = [tag for tag in tags.values() if tag > 0]
    if all(image.sentinel1 for image in images):
        wavelength, origin = SENTINEL1_WAVELENGTH, "that of Sentinel-1"
    elif known:
        wavelength, origin = known[0], "that of the TIFF tags"
    else:
        raise DataError(f"{name} has no radar_frequency, expected one in an image header: add the line")
    warnings.warn(
        f"{name} and the other image headers have no radar_frequency: {wavelength:.7g} m is used, {origin}. "
        "Add the line to be sure",
        WavelengthWarning,
        stacklevel=5,
    )
    return wavelength


def _tag(header: RasterHeader) -> float:
    try:
        return float(header.tags.get("WAVELENGTH_METRES", "nan"))
    except ValueError:
        return math.nan
