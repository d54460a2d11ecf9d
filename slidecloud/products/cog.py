"""Maps of a run as cloud-optimised GeoTIFFs, written block by block."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.products.layers import BLOCK, USUAL, Layer, layers
from slidecloud.products.mosaics import mosaics
from slidecloud.products.styles import Style, qml, style
from slidecloud.products.whole import whole

if TYPE_CHECKING:
    from slidecloud.store import Run

__all__ = ["USUAL", "export", "write"]

_CACHE: Final = 64
"""MB that GDAL may keep of blocks on their way."""
_SAMPLE: Final = 512
"""Rows and columns of the overview that limits of colours are taken from."""


def export(
    run: Run,
    folder: str | os.PathLike[str],
    *,
    bursts: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    by_track: bool = False,
) -> list[Path]:
    """Write maps of a run as cloud-optimised GeoTIFFs, ``<folder>/<burst>_<name>.tif``, each with a QGIS style.

    Values, type and no-data are the store's exactly; deflate with the float predictor, 512-pixel blocks, overviews that
    are means of floating values and picks of whole ones. Units and meaning are in the bands, units and sign as in the
    store (m/year, positive towards the satellite). The style ``<burst>_<name>.qml`` colours the map in QGIS without a
    click. A file appears under its name only when it is whole. No map is held: memory is that of some blocks.

    Parameters
    ----------
    run
        An open run store.
    folder
        Where to write; made if needed.
    bursts, names
        As in `slidecloud.products.layers.layers`. Arrays with dates or seasons have a band for each.
    by_track
        One map a track in place of one a burst; see `slidecloud.products.mosaics.mosaics`.

    Returns
    -------
    list of Path
        The GeoTIFFs, in order of burst and name.

    Raises
    ------
    KeyError
        If a burst or a map is not in the run.
    ValueError
        If a burst is in radar geometry, or the run has nothing to export.
    DataError
        If what is stored cannot be read.
    OSError
        If a file cannot be written.
    """
    found = (mosaics if by_track else layers)(run, bursts=bursts, names=names)
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    return [write(layer, target / f"{layer.stem}.tif") for layer in found]


def write(layer: Layer, path: Path) -> Path:
    """Write one layer and its style beside its final name, then rename it."""
    import rasterio
    from rasterio.errors import RasterioError
    from rasterio.shutil import copy

    try:
        with rasterio.Env(GDAL_CACHEMAX=_CACHE), whole(path) as made:
            plain = made.with_name("plain.tif")
            _write_plain(layer, plain)
            copy(plain, made, driver="COG", **_options(layer))
            plain.unlink()
            chosen = _style(layer, made)
        with whole(path.with_suffix(".qml")) as beside:
            beside.write_text(qml(chosen), encoding="utf-8")
    except RasterioError as error:
        raise OSError(f"{path} could not be written: {error}. Check space and permissions of the folder.") from None
    return path


def _options(layer: Layer) -> dict[str, Any]:
    floating = np.issubdtype(layer.array.dtype, np.floating)
    return {
        "compress": "DEFLATE",
        "predictor": "YES",
        "blocksize": BLOCK,
        "overview_resampling": "AVERAGE" if floating else "NEAREST",
        "interleave": "BAND",
        "bigtiff": "IF_SAFER",
    }


def _write_plain(layer: Layer, path: Path) -> None:
    """The values in a tiled GeoTIFF without overviews, as the driver of COGs copies them."""
    import rasterio
    from rasterio.transform import Affine
    from rasterio.windows import Window

    grid, array, bands = layer.grid, layer.array, layer.bands
    floating = np.issubdtype(array.dtype, np.floating)
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "height": grid.height,
        "width": grid.width,
        "count": len(bands),
        "dtype": array.dtype.name,
        "crs": grid.crs,
        "transform": Affine(grid.dx, 0, grid.left, 0, grid.dy, grid.top),
        "nodata": float("nan") if floating else None,
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "interleave": "band",
        "bigtiff": "IF_SAFER",
        "sparse_ok": True,
    }
    with rasterio.open(path, "w", **profile) as output:
        for block in layer.blocks():
            if floating and np.isnan(block.values).all():
                continue  # what is not written is no data
            window = Window.from_slices(block.rows, block.columns)
            output.write(
                block.values, [number + 1 for number in range(*block.bands.indices(len(bands)))], window=window
            )
        meaning = str(array.attrs.get("long_name", layer.name))
        for number, band in enumerate(bands, start=1):
            output.set_band_description(number, f"{band} {meaning}".strip())
        output.units = (str(array.attrs.get("units", "1")),) * len(bands)
        output.update_tags(burst=layer.place, map=layer.name, source=layer.source, software="slidecloud")


def _style(layer: Layer, path: Path) -> Style:
    """Colours of a written map, with limits from an overview of its last band, which has the largest motion."""
    import rasterio

    with rasterio.open(path) as raster:
        shape = min(raster.height, _SAMPLE), min(raster.width, _SAMPLE)
        sample = raster.read(raster.count, out_shape=shape)
    return style(layer.name, layer.array.attrs, sample)
