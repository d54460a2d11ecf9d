"""HyP3 products of one burst in the geometry of the radar: the ``_rdr`` files beside the geocoded ones.

``_wrapped_phase_rdr`` is the interferogram before it was filtered (complex, or its angle in radians), on rows along
azimuth and columns along range of the pair's reference image; ``_lat_rdr``, ``_lon_rdr`` are degrees of its pixels and
``_los_rdr`` the incidence (degrees) and orientation (degrees from north towards west, to the satellite) of the line of
sight. Coherence and elevation are those of the geocoded files at these places, so the coherence is that of the
filtered phase. Pairs of several reference images do not lie on the same pixels: those within `TOLERANCE` of the pixels
that most pairs share are taken, others are refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from rasterio.windows import Window

from slidecloud.stack.blocks import pair_block
from slidecloud.stack.files import gdal_name
from slidecloud.stack.geometry import checked_elevation
from slidecloud.stack.geotiff import PairFiles, by_key, none_usable, source_pairs
from slidecloud.stack.hyp3_header import radar_header
from slidecloud.stack.hyp3_names import PARAMETERS, RADAR_RASTERS
from slidecloud.stack.hyp3_products import Found, choose_stack, find_products, pair_of
from slidecloud.stack.hyp3_source import look_maps
from slidecloud.stack.names import Listing, printable
from slidecloud.stack.raster_files import open_raster
from slidecloud.stack.rasters import MAX_PIXELS
from slidecloud.stack.source import row_range
from slidecloud.stack.warped import at_points
from slidecloud.types import DataError, Float32, PairBlock, Rejected, SourcePair, StackHeader

TOLERANCE = 0.25
"""Pixels by which two pairs may lie apart and still be put on each other."""

_PLACES = ("lat_rdr", "lon_rdr")


@dataclass(frozen=True)
class Hyp3RadarSource:
    """A `slidecloud.stack.source.Source` in radar geometry.

    Attributes
    ----------
    header, pairs, rejected
        As in `slidecloud.stack.source.Source`.
    files
        By pair key: rasters by layer.
    pixels
        Key of the pair whose latitudes, longitudes and angles are those of the stack.
    """

    header: StackHeader
    pairs: tuple[SourcePair, ...]
    rejected: tuple[Rejected, ...]
    files: Mapping[str, Mapping[str, Path]]
    pixels: str

    def static(self) -> dict[str, Float32]:
        """Latitude, longitude (degrees), elevation (m), incidence (rad) and look vectors, as far as files have them.

        Raises
        ------
        DataError
            If a file cannot be read, elevations are absurd, or angles are none of a radar that looks to the right.
        """
        rows, files = slice(0, self.header.shape[0]), self.files[self.pixels]
        maps = {name: self._place(layer, rows) for name, layer in zip(("latitude", "longitude"), _PLACES, strict=True)}
        if "dem" in files:
            metres = self._at(files["dem"], rows)
            maps["elevation"] = checked_elevation(metres, printable(files["dem"]))
        if "los_rdr" in files:
            name = printable(files["los_rdr"])
            incidence, orientation = (_read(files["los_rdr"], rows, band=band, bands=2) for band in (1, 2))
            theta, phi = (np.radians(90 + sign * part) for sign, part in ((-1, incidence), (1, orientation)))
            maps |= look_maps(theta, phi, names=(name, name), pass_=self.header.pass_)
        return maps

    def read(self, pair: SourcePair, rows: slice) -> PairBlock:
        """Rows of one pair, full width; see `slidecloud.stack.source.Source.read`.

        Raises
        ------
        DataError
            If the pixels cannot be read or make no sense; names the file.
        KeyError
            If the pair is not one of this source.
        """
        if pair.pair.key not in self.files:
            raise KeyError(f"pair {pair.pair.key} is not in stack {self.header.id}: take one of source.pairs")
        files, wanted = self.files[pair.pair.key], slice(*row_range(rows, self.header.shape[0]))
        names = printable(files["wrapped_phase_rdr"]), "", printable(files["corr"])
        phase = _read(files["wrapped_phase_rdr"], wanted)
        return pair_block(phase, None, self._at(files["corr"], wanted), names=names, keep_unwrapped=False)

    def _place(self, layer: str, rows: slice) -> Float32:
        return _read(self.files[self.pixels][layer], rows)

    def _at(self, path: Path, rows: slice) -> Float32:
        """A geocoded raster at the pixels of some rows: the nearest value, NaN where there is none or it is 0."""
        latitude, longitude = (self._place(layer, rows).astype(np.float64) for layer in _PLACES)
        values = at_points(gdal_name(path), longitude, latitude, how="nearest", may_miss=True)
        values[values == 0] = np.nan
        return values


def open_hyp3_radar(listing: Listing, *, id: str | None = None) -> Hyp3RadarSource:
    """Open the products of one burst in the geometry of the radar.

    Parameters
    ----------
    listing
        Files of the folder or archive, on this machine.
    id
        Name of the stack, its burst if not given; where the folder holds several, one of them.

    Raises
    ------
    DataError
        If no pair can be used, or products contradict each other.
    ValueError
        If the id cannot name a stack, products of several stacks are found and the id names none of them, or the
        source is a URL.
    """
    listing.local_files()
    products, refused = find_products(listing, (*RADAR_RASTERS, "corr", "dem"))
    products = [item for item in products if set(RADAR_RASTERS) & set(item.files)]
    if not products:
        raise DataError(none_usable(listing, refused))
    stack_id, members = choose_stack(listing, products, id)
    whole: dict[str, Found] = {}
    for item in members:
        lacking = [layer for layer in ("wrapped_phase_rdr", *_PLACES, "corr") if layer not in item.files]
        if lacking or item.key in whole:
            said = f"no {item.product.name}_{lacking[0]}.tif" if lacking else f"a second product {item.product.name}"
            refused.append(Rejected(item.key, f"pair {item.key}: {said}, expected one of each: fetch or keep one"))
        else:
            whole[item.key] = item
    if not whole:
        raise DataError(none_usable(listing, refused))
    # Pairs of one reference image share its pixels: those of the one with most pairs are the stack's.
    most, _ = Counter(item.product.reference for item in whole.values()).most_common(1)[0]
    pixels = min(key for key, item in whole.items() if item.product.reference == most)
    shape, steps = _pixels_of(whole[pixels])
    files: dict[str, Mapping[str, Path]] = {}
    for key, item in whole.items():
        try:
            _check_alike(whole[pixels], item, shape, steps)
        except DataError as error:
            refused.append(Rejected(key, f"pair {key}: {error}"))
        else:
            files[key] = {layer: path for layer, path in item.files.items() if isinstance(path, Path)}
    taken = {
        key: PairFiles(whole[key].files["wrapped_phase_rdr"], None, whole[key].files["corr"], (parts[PARAMETERS],))
        for key, parts in files.items()
    }
    return Hyp3RadarSource(
        header=radar_header(stack_id, [whole[key].parameters for key in files], shape, steps),
        pairs=source_pairs(listing, taken, taken, lambda key: pair_of(whole[key].parameters)),
        rejected=by_key(listing.refused, refused),
        files=files,
        pixels=pixels,
    )


def _pixels_of(item: Found) -> tuple[tuple[int, int], tuple[float, float]]:
    """Shape of a product, and metres between its pixels along (y, x), median over all."""
    from pyproj import Geod

    latitude, longitude = (_read(item.files[layer], None).astype(np.float64) for layer in _PLACES)
    sphere = Geod(ellps="WGS84")
    steps = []
    for one, other in (((slice(1, None), slice(None)), (slice(None, -1), slice(None))), ((slice(None), slice(1, None)), (slice(None), slice(None, -1)))):
        apart = sphere.inv(longitude[one], latitude[one], longitude[other], latitude[other])[2]
        steps.append(float(np.nanmedian(apart)) if np.isfinite(apart).any() else np.nan)
    if not all(1 < step < 1000 for step in steps):
        raise DataError(
            f"{printable(item.files['lat_rdr'])} and its longitudes lie {steps[0]:g} x {steps[1]:g} m apart from pixel "
            "to pixel, expected 1 to 1000 m: fetch the product again"
        )
    return (latitude.shape[0], latitude.shape[1]), (steps[0], steps[1])


def _check_alike(first: Found, item: Found, shape: tuple[int, int], steps: tuple[float, float]) -> None:
    """Whether a product has the pixels of the first: those of one row in the middle are compared."""
    for layer in ("wrapped_phase_rdr", *_PLACES):
        found = _shape(item.files[layer])
        if found != shape:
            raise DataError(f"{printable(item.files[layer])} has {found} pixels, expected {shape} as other pairs")
    if item.product.reference == first.product.reference:
        return
    from pyproj import Geod

    row = slice(shape[0] // 2, shape[0] // 2 + 1)
    ours, theirs = ([_read(one.files[layer], row).astype(np.float64) for layer in _PLACES] for one in (first, item))
    apart = Geod(ellps="WGS84").inv(ours[1], ours[0], theirs[1], theirs[0])[2] / min(steps)
    pixels = float(np.nanmedian(apart)) if np.isfinite(apart).any() else np.inf
    if pixels > TOLERANCE:
        raise DataError(
            f"{printable(item.files['lat_rdr'])} lies {pixels:.2f} pixels beside the other pairs, expected at most "
            f"{TOLERANCE}, as its reference image is another: use the geocoded files (kind hyp3)"
        )


def _shape(path: Any) -> tuple[int, int]:
    try:
        with open_raster(path) as file:
            return file.dataset.height, file.dataset.width
    except (RasterioError, OSError) as error:
        raise DataError(f"{printable(path)} cannot be read ({printable(str(error))}): fetch it again") from error


def _read(path: Any, rows: slice | None, *, band: int = 1, bands: int = 1) -> Float32:
    """Rows of a raster without coordinates, float32, of complex numbers the angle; NaN where it is 0."""
    try:
        with open_raster(path) as file:
            dataset = file.dataset
            height, width = dataset.height, dataset.width
            if dataset.count != bands or height * width > MAX_PIXELS:
                raise DataError(
                    f"{printable(path)} has {dataset.count} bands of {height} x {width} pixels, expected {bands} of at "
                    f"most {MAX_PIXELS} in all: fetch it again"
                )
            rows = rows or slice(0, height)
            values: NDArray[Any] = dataset.read(band, window=Window(0, rows.start, width, rows.stop - rows.start))
    except (RasterioError, OSError) as error:
        raise DataError(f"{printable(path)} cannot be read ({printable(str(error))}): fetch it again") from error
    if not np.issubdtype(values.dtype, np.inexact):
        raise DataError(f"{printable(path)} holds {values.dtype}, expected floating point or complex: fetch it again")
    numbers = np.angle(values) if np.iscomplexobj(values) else values
    return np.where(values == 0, np.nan, numbers).astype(np.float32)
