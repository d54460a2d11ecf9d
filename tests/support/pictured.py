"""Small sets of patches in the layouts of public ones, written as those are."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path

import h5py
import numpy as np
import rasterio
from affine import Affine

BANDS = ("blue", "green", "red", "nir")


def picture(seed, shape=(32, 32), bands=4):
    """An image (band, y, x) uint8 with a bright square, and the mask of that square, of its own for each seed."""
    rng = np.random.default_rng(seed)
    image = rng.integers(20, 120, (bands, *shape), dtype=np.uint8)
    mask = np.zeros(shape, np.uint8)
    top, left = rng.integers(2, 20, 2)
    mask[top : top + 8, left : left + 10] = 1
    image[:, mask == 1] += 100
    return image, mask


def write_tiff(path, values, *, crs=None, origin=(500_000.0, 3_300_000.0), pixel=5.0, nodata=None, names=(), **about):
    """Bands (band, y, x) or (y, x) as GeoTIFF, with names and as the driver is told; without a CRS a plain TIFF."""
    values = values[None] if values.ndim == 2 else values
    profile = {"driver": "GTiff", "count": len(values), "dtype": values.dtype, "nodata": nodata}
    profile |= {"height": values.shape[1], "width": values.shape[2]}
    if crs is not None:
        profile |= {"crs": crs, "transform": Affine(pixel, 0.0, origin[0], 0.0, -pixel, origin[1])}
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path, "w", **profile | about) as file:
            file.write(values)
            for number, name in enumerate(names, start=1):
                file.set_band_description(number, name)


def write_png(path, values):
    """Grey (y, x), RGB or RGBA (band, y, x) uint8 as PNG, chunk by chunk: no library that might make it tidier."""
    values = values[None] if values.ndim == 2 else values
    kind = {1: 0, 3: 2, 4: 6}[len(values)]
    rows = np.moveaxis(values, 0, -1)
    raw = b"".join(b"\0" + np.ascontiguousarray(row).tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", values.shape[2], values.shape[1], 8, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + body)


def write_hdf5(path, name, values):
    """One dataset a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.create_dataset(name, data=values)


def landslide4sense(root, count, *, bands=14, side=128, first=0):
    """``img/image_N.h5`` with ``img`` float64 (y, x, band), ``mask/mask_N.h5`` with ``mask`` uint8, from 1 on."""
    for number in range(1, count + 1):
        image, mask = picture(first + number, (side, side), bands)
        write_hdf5(root / "img" / f"image_{number}.h5", "img", np.moveaxis(image, 0, -1).astype(np.float64) / 50.0)
        write_hdf5(root / "mask" / f"mask_{number}.h5", "mask", mask)
    return root


def tiffs(root, count, *, crs="EPSG:32648", apart=10_000.0, first=0, shape=(32, 32)):
    """``image/pN.tif`` of four bands with ``mask/pN.tif`` of 0 and 1, so many metres apart."""
    for number in range(count):
        image, mask = picture(first + number, shape)
        at = (300_000.0 + apart * (first + number), 3_300_000.0)
        write_tiff(root / "image" / f"p{number}.tif", image, crs=crs, origin=at)
        write_tiff(root / "mask" / f"p{number}.tif", mask, crs=crs, origin=at)
    return Path(root)
