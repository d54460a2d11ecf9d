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

import numpy as np

from slidecloud.stack.bare_rasters import read_bare, shape_of
from slidecloud.stack.blocks import pair_block
from slidecloud.stack.files import gdal_name
from slidecloud.stack.geometry import checked_elevation
from slidecloud.stack.geotiff import PairFiles, by_key, none_usable, source_pairs
from slidecloud.stack.hyp3_header import radar_header
from slidecloud.stack.hyp3_names import PARAMETERS, RADAR_RASTERS
from slidecloud.stack.hyp3_products import Found, choose_stack, find_products, is_hyp3, pair_of
from slidecloud.stack.hyp3_source import look_maps
from slidecloud.stack.names import Listing, printable
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
            incidence, orientation = (read_bare(files["los_rdr"], rows, band=band, bands=2) for band in (1, 2))
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
        phase = read_bare(files["wrapped_phase_rdr"], wanted)
        return pair_block(phase, None, self._at(files["corr"], wanted), names=names, keep_unwrapped=False)

    def _place(self, layer: str, rows: slice) -> Float32:
        return read_bare(self.files[self.pixels][layer], rows)

    def _at(self, path: Path, rows: slice) -> Float32:
        """A geocoded raster at the pixels of some rows: the nearest value, NaN where there is none or it is 0."""
        latitude, longitude = (self._place(layer, rows).astype(np.float64) for layer in _PLACES)
        values = at_points(gdal_name(path), longitude, latitude, how="nearest", may_miss=True)
        values[values == 0] = np.nan
        return values


def matches(listing: Listing) -> bool:
    """Whether a folder holds phase of HyP3 burst products in the geometry of the radar."""
    return any(path.stem.endswith("_wrapped_phase_rdr") and is_hyp3(path) for path in listing.files)


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
    whole = _whole(members, refused)
    if not whole:
        raise DataError(none_usable(listing, refused))
    pixels, shape, steps = _shared_pixels(whole, refused)
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


def _whole(products: list[Found], refused: list[Rejected]) -> dict[str, Found]:
    """By pair the products that have every file they need, alike in shape; the others are refused."""
    whole: dict[str, Found] = {}
    for item in products:
        lacking = [layer for layer in ("wrapped_phase_rdr", *_PLACES, "corr") if layer not in item.files]
        try:
            if lacking or item.key in whole:
                said = f"no {item.product.name}_{lacking[0]}.tif" if lacking else f"a second {item.product.name}"
                raise DataError(f"{said}, expected one of each: fetch or keep one")
            _check_shapes(item, shape_of(item.files["wrapped_phase_rdr"]))
        except DataError as error:
            refused.append(Rejected(item.key, f"pair {item.key}: {error}"))
        else:
            whole[item.key] = item
    return whole


def _shared_pixels(
    whole: dict[str, Found], refused: list[Rejected]
) -> tuple[str, tuple[int, int], tuple[float, float]]:
    """The pair whose pixels are the stack's, their shape and steps; pairs whose pixels make no sense are taken out.

    Pairs of one reference image share its pixels: those of the one with most pairs are taken.
    """
    count = Counter(item.product.reference for item in whole.values())
    for key in sorted(whole, key=lambda key: (-count[whole[key].product.reference], key)):
        try:
            return key, *_pixels_of(whole[key])
        except DataError as error:
            refused.append(Rejected(key, f"pair {key}: {error}"))
            del whole[key]
    raise DataError(refused[-1].reason)


def _pixels_of(item: Found) -> tuple[tuple[int, int], tuple[float, float]]:
    """Shape of a product, and metres between its pixels along (y, x), median over all."""
    from pyproj import Geod

    latitude, longitude = (read_bare(item.files[layer], None).astype(np.float64) for layer in _PLACES)
    sphere = Geod(ellps="WGS84")
    steps = []
    for axis in range(2):
        one, other = (np.arange(latitude.shape[axis])[part] for part in (slice(1, None), slice(None, -1)))
        apart = sphere.inv(
            longitude.take(one, axis), latitude.take(one, axis), longitude.take(other, axis), latitude.take(other, axis)
        )[2]
        steps.append(float(np.nanmedian(apart)) if np.isfinite(apart).any() else np.nan)
    if not all(1 < step < 1000 for step in steps):
        raise DataError(
            f"{printable(item.files['lat_rdr'])} and its longitudes lie {steps[0]:g} x {steps[1]:g} m apart from pixel "
            "to pixel, expected 1 to 1000 m: fetch the product again"
        )
    return (latitude.shape[0], latitude.shape[1]), (steps[0], steps[1])


def _check_alike(first: Found, item: Found, shape: tuple[int, int], steps: tuple[float, float]) -> None:
    """Whether a product has the pixels of the first: those of one row in the middle are compared."""
    _check_shapes(item, shape)
    if item.product.reference == first.product.reference:
        return
    from pyproj import Geod

    row = slice(shape[0] // 2, shape[0] // 2 + 1)
    ours, theirs = ([read_bare(one.files[layer], row).astype(np.float64) for layer in _PLACES] for one in (first, item))
    apart = Geod(ellps="WGS84").inv(ours[1], ours[0], theirs[1], theirs[0])[2] / min(steps)
    pixels = float(np.nanmedian(apart)) if np.isfinite(apart).any() else np.inf
    if pixels > TOLERANCE:
        raise DataError(
            f"{printable(item.files['lat_rdr'])} lies {pixels:.2f} pixels beside the other pairs, expected at most "
            f"{TOLERANCE}, as its reference image is another: use the geocoded files (kind hyp3)"
        )


def _check_shapes(item: Found, shape: tuple[int, int]) -> None:
    for layer in ("wrapped_phase_rdr", *_PLACES):
        found = shape_of(item.files[layer])
        if found != shape:
            raise DataError(f"{printable(item.files[layer])} has {found} pixels, expected {shape} as the others")
