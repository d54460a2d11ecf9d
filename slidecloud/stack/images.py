"""Images of several bands on one grid, read a window at a time: GeoTIFF, Zarr, folders of bands, STAC items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from slidecloud.stack.grids import mismatch
from slidecloud.stack.map_files import DTYPES, find
from slidecloud.stack.map_stores import StoredBands, open_bands
from slidecloud.stack.names import SourcePath, list_files, printable
from slidecloud.stack.raster_bands import RasterBands, filled
from slidecloud.stack.rasters import open_header
from slidecloud.stack.stac_items import Asset, assets_of, chosen
from slidecloud.store.location import locate
from slidecloud.store.records import digest
from slidecloud.types import DataError, Float32, Grid

_TIFF: Final = (".tif", ".tiff")


@dataclass(frozen=True)
class Image:
    """An image; nothing of it is read but the windows that are asked for.

    Attributes
    ----------
    name
        Path or URL, for messages.
    bands
        Their names.
    grid
        Of all bands.
    fingerprint
        Changes when a file of it does.
    """

    name: str
    bands: tuple[str, ...]
    grid: Grid
    fingerprint: str
    _parts: tuple[RasterBands | StoredBands, ...] = field(repr=False)
    _order: tuple[int, ...] = field(repr=False)

    def read(self, top: int, left: int, height: int, width: int) -> Float32:
        """Rows and columns from a place on, float32 (band, height, width); NaN without data and beyond the border.

        Values are as they are stored: neither scaled nor offset, as a network has learnt from them.

        Raises
        ------
        DataError
            If it cannot be read; names the file.
        """

        def read(rows: slice, columns: slice) -> Float32:
            return np.concatenate([part.read(rows, columns) for part in self._parts])[list(self._order)]

        found = np.full((len(self.bands), height, width), np.nan, np.float32)
        return filled(found, read, top, left, self.grid)


def open_image(
    path: str,
    *,
    bands: Sequence[str] | None = None,
    variable: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Image:
    """Open an image; headers alone are read.

    Parameters
    ----------
    path
        GeoTIFF (cloud-optimised or not), folder that ends in ``.zarr``, STAC item that ends in ``.json``, or a folder
        of GeoTIFFs of one band each; of this machine or a URL.
    bands
        Which, in the order wanted. Bands of a GeoTIFF have the names of their descriptions, or are band_1, band_2 and
        so on, and where so many are asked for as a file without descriptions has, these are they. A file of a folder
        is the band that its name, or the last part of it after ``_``, says. Assets of an item go by their keys, and by
        the names and common names of their bands. None takes all.
    variable
        Array (band, y, x) of a Zarr store; None takes its only one, or else all its arrays (y, x).
    options
        Storage options of a URL.

    Raises
    ------
    FileNotFoundError
        If there is nothing.
    DataError
        If a band is missing, or bands are not on one grid, north up and with a CRS.
    ConnectionError
        If a store does not answer.
    """
    name = printable(path.rstrip("/"))
    if name.endswith(".zarr"):
        return _image(name, [open_bands(locate(path, options), variable)], bands)
    if name.endswith(".json"):
        return _image(name, _of_assets(name, assets_of(path, options), bands, options), bands)
    if name.lower().endswith(_TIFF):
        return _image(name, [_raster(find(path, options), bands)], bands)
    return _image(name, _of_folder(path, options, bands), bands)


def _image(name: str, parts: Sequence[RasterBands | StoredBands], bands: Sequence[str] | None) -> Image:
    known = [band for part in parts for band in part.names]
    for part in parts[1:]:
        problem = mismatch(part.grid, parts[0].grid)
        if problem or part.grid != parts[0].grid:
            raise DataError(
                f"{name}: the band {part.names[0]} {problem or 'covers another area than the others'}. All bands lie "
                "on one grid of one size: gdalwarp makes it"
            )
    wanted = tuple(known if bands is None else bands)
    missing = [band for band in wanted if band not in known]
    if missing or not known:
        raise DataError(f"{name} has no band {missing[0] if missing else ''}; it has {', '.join(known) or 'none'}")
    order = tuple(known.index(band) for band in wanted)
    fingerprint = digest([[part.fingerprint for part in parts], wanted])
    return Image(name, wanted, parts[0].grid, fingerprint, tuple(parts), order)


def _raster(source: SourcePath, bands: Sequence[str] | None) -> RasterBands:
    """All bands of a GeoTIFF, named as far as it says."""
    try:
        header = open_header(source, dtypes=DTYPES, several=True, most=None)
    except DataError as error:
        raise DataError(f"{printable(source)} {error}") from None
    said = header.bands
    names = tuple(text or f"band_{number}" for number, text in enumerate(said, start=1))
    if bands is not None and not any(said) and len(bands) == len(said):
        names = tuple(bands)
    return RasterBands(source, tuple(range(1, len(said) + 1)), names, header.grid, header.nodata)


def _of_folder(path: str, options: Mapping[str, Any] | None, bands: Sequence[str] | None) -> list[RasterBands]:
    """Files of one band each, those that are wanted."""
    if "://" not in path and not Path(path).is_dir():
        raise FileNotFoundError(f"There is no image {printable(path)}; expected a GeoTIFF, .zarr, .json or a folder.")
    found = [file for file in list_files(path, options).files if file.suffix.lower() in _TIFF]
    chosen: dict[str, SourcePath] = {}
    for file in found:
        name = file.stem
        if bands is not None:
            name = next((band for band in bands if name == band or name.endswith(f"_{band}")), name)
        if name in chosen and (bands is None or name in bands):
            raise DataError(f"{printable(chosen[name])} and {printable(file)} are both the band {name}: remove one")
        if bands is None or name in bands:
            chosen[name] = file
    return [_single(file, name) for name, file in chosen.items()]


def _of_assets(
    name: str, assets: Sequence[Asset], bands: Sequence[str] | None, options: Mapping[str, Any] | None
) -> list[RasterBands]:
    """The assets that hold wanted bands; without wishes those that hold data."""
    found = []
    for asset, places in chosen(assets, bands, item=name):
        source = find(asset.path, options)
        whole = _raster(source, None)
        last = 1 + max(places.values())
        if last > len(whole.numbers):
            raise DataError(f"{asset.path} has {len(whole.numbers)} bands, expected the {last} of its item")
        numbers = tuple(place + 1 for place in places.values())
        found.append(RasterBands(source, numbers, tuple(places), whole.grid, whole.nodata))
    return found


def _single(file: SourcePath, name: str) -> RasterBands:
    bands = _raster(file, None)
    if len(bands.numbers) != 1:
        raise DataError(
            f"{printable(file)} has {len(bands.numbers)} bands, expected 1 in a folder of bands: give the file itself"
        )
    return RasterBands(file, (1,), (name,), bands.grid, bands.nodata)
