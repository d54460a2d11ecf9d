"""Scenes as they are mapped: the images of one or two dates as bands on one grid, and what covers the ground."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_optical import SNOW_BANDS, MaskConfig, SceneConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.laying import lay
from slidecloud.kernels.snow import snow_mask
from slidecloud.simulate.optical import AFTER, BEFORE
from slidecloud.stack.grids import placement
from slidecloud.stack.images import Image, open_image
from slidecloud.stack.map_files import MapFile, open_map
from slidecloud.store.optical_specs import COVERS
from slidecloud.store.records import digest
from slidecloud.types import DataError, Float32, Grid


@dataclass(frozen=True)
class Mask:
    """Ground that is not mapped: by a raster, or by the spectrum of snow.

    Attributes
    ----------
    about
        Settings.
    rasters
        The raster, or those of the bands that are none of the scene's.
    bands
        Places of the others in the image, by name: of each date one.
    """

    about: MaskConfig
    rasters: Mapping[str, MapFile]
    bands: Mapping[str, tuple[int, ...]]

    def covered(self, image: Float32, grid: Grid, rows: slice, columns: slice) -> NDArray[np.bool_]:
        """Where the ground of a window is covered; ``image`` (band, y, x) is that of the window."""
        laid = {name: lay(one, grid, rows, columns, how="nearest") for name, one in self.rasters.items()}
        if self.about.path is not None:
            found = laid["path"]
            masked: NDArray[np.bool_] = found > 0 if self.about.values is None else np.isin(found, self.about.values)
            return masked
        snow = np.zeros(image.shape[1:], np.bool_)
        for date in range(max(map(len, self.bands.values()), default=1)):
            bands = [
                laid[name] if name in laid else image[self.bands[name][date]] for name in SNOW_BANDS
            ]  # what a mask does not cover is not masked
            snow |= snow_mask(*(self.about.scale * band + self.about.offset for band in bands))
        return snow

    @property
    def fingerprint(self) -> str:
        """Changes when settings or files do."""
        files = [[name, one.fingerprint] for name, one in sorted(self.rasters.items())]
        bands = sorted((name, list(places)) for name, places in self.bands.items())
        return digest([self.about.model_dump(mode="json", exclude={"path", *SNOW_BANDS}), files, bands])


@dataclass(frozen=True)
class Scene:
    """A scene that can be read.

    Attributes
    ----------
    name
        As configured.
    images
        Of each date, the earlier first.
    grid
        That of the last one.
    places
        Row and column of the scene's first pixel in each image.
    nodata
        Value without data, besides those that files name.
    masks
        What is not mapped.
    """

    name: str
    images: tuple[Image, ...]
    grid: Grid
    places: tuple[tuple[int, int], ...]
    nodata: float | None
    masks: tuple[Mask, ...]

    @property
    def bands(self) -> tuple[str, ...]:
        """Names of all bands."""
        return _names(self.images)

    @property
    def fingerprint(self) -> str:
        """Changes when a file does, or how it is read."""
        images = [[image.fingerprint, place] for image, place in zip(self.images, self.places, strict=True)]
        place = [self.grid.crs, self.grid.left, self.grid.top, self.grid.dx, self.grid.dy]
        return digest([images, place, self.nodata, [mask.fingerprint for mask in self.masks]])

    def read(self, top: int, left: int, height: int, width: int) -> Float32:
        """Bands of all dates from a place on, float32 (band, y, x); NaN without data and beyond the border."""
        parts = [
            image.read(top + row, left + column, height, width)
            for image, (row, column) in zip(self.images, self.places, strict=True)
        ]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if self.nodata is not None:
            found[found == np.float32(self.nodata)] = np.nan
        return found

    def covers(self, rows: slice, columns: slice) -> NDArray[np.uint8]:
        """Bits of `COVERS` in a window, uint8 (y, x): what keeps each pixel from being mapped."""
        image = self.read(rows.start, columns.start, rows.stop - rows.start, columns.stop - columns.start)
        found = np.where(np.isfinite(image).all(0), 0, COVERS["no_data"]).astype(np.uint8)
        for mask in self.masks:
            found[mask.covered(image, self.grid, rows, columns)] |= COVERS[mask.about.kind]
        return found


def open_scene(name: str, config: SceneConfig, options: Mapping[str, Any] | None = None) -> Scene:
    """Open a scene; headers alone are read.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    DataError
        If a file cannot be used.
    ConfigError
        If both dates are not on one lattice or have other bands, or a mask names bands of one date here and of both
        there; names the key.
    """
    images = tuple(
        open_image(path, bands=config.bands, variable=config.variable, options=options) for path in config.images
    )
    grid = images[-1].grid
    if config.bands is None and len({image.bands for image in images}) > 1:
        raise ConfigError(
            f"scenes.{name}.before has the bands {', '.join(images[0].bands)} and after has "
            f"{', '.join(images[1].bands)}; name those that both have, in the order wanted, with the key bands"
        )
    places = []
    for image in images:
        try:
            places.append(placement(grid, image.grid))
        except DataError as error:
            raise ConfigError(f"scenes.{name}.after {error} (those of before; gdalwarp does it)") from None
    masks = tuple(
        _mask(f"scenes.{name}.masks.{number}", mask, images, options) for number, mask in enumerate(config.masks)
    )
    return Scene(name, images, grid, tuple(places), config.nodata, masks)


def band_of(name: str) -> str:
    """The name of a band without its date."""
    return name.removeprefix(BEFORE).removeprefix(AFTER)


def _names(images: tuple[Image, ...]) -> tuple[str, ...]:
    if len(images) == 1:
        return images[0].bands
    return tuple(f"{date}{band}" for date, image in zip((BEFORE, AFTER), images, strict=True) for band in image.bands)


def _mask(key: str, config: MaskConfig, images: tuple[Image, ...], options: Mapping[str, Any] | None) -> Mask:
    rasters, bands = {}, {}
    every = _names(images)
    for name in ("path", *SNOW_BANDS):
        given = getattr(config, name)
        if given is None:
            continue
        places = tuple(n for n, band in enumerate(every) if given in (band, band_of(band)))
        if name != "path" and places:
            bands[name] = places
            continue
        try:
            rasters[name] = open_map(given, options=options)
        except FileNotFoundError as error:
            known = "" if name == "path" else f" Nor is it a band of the scene, which has {', '.join(every)}."
            raise FileNotFoundError(f"{key}.{name}: {error}{known}") from None
    if len({len(places) for places in bands.values()}) > 1:
        raise ConfigError(f"{key}: expected bands of one date, or of both, and not of one here and of both there")
    return Mask(config, rasters, bands)
