"""Byte-true miniatures of HyP3 burst InSAR products, written with rasterio and zipfile alone.

Layout, names and text file are those that the ISCE2 plug-in of HyP3 writes: tiled, LZW, no data 0, UTM, extents that
differ between pairs by whole pixels, look angles in radians above the horizontal and from east towards north.
"""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

BURST, SWATH = 136231, 2
ID = "t064_136231_iw2"
KEYS = ("20200604_20200616", "20200604_20200628", "20200616_20200628")
HEADING, INCIDENCE = -12.5, 0.66
CRS, SPACING, LEFT, TOP = "EPSG:32640", 80.0, 445520.0, 4289840.0
HEIGHT, WIDTH = 20, 24
"""Of the union; every pair lacks some rows or columns of it."""
EXTENT = {
    "20200604_20200616": (0, 19, 0, 24),
    "20200604_20200628": (1, 20, 0, 23),
    "20200616_20200628": (0, 20, 1, 24),
}
"""Rows and columns (first, end) of the union that each pair has."""
POSITION = {"20200604": 0.0, "20200616": 60.0, "20200628": -35.0}
"""Perpendicular position of each date, m, to the right and upwards."""
SECOND = {"20200604": "022312", "20200616": "022313", "20200628": "022313"}
RATE = 0.05
"""Subsidence, m/yr along the line of sight, at the far corner."""
WAVELENGTH = 0.05546576


def days(key: str) -> int:
    first, second = (np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}") for day in key.split("_"))
    return int((second - first).astype(int))


def sinking() -> NDArray[np.float64]:
    """Metres per year away from the satellite: positive everywhere, least at row 1 and column 1."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return RATE * (0.3 + 0.35 * (abs(x - 1) / WIDTH + abs(y - 1) / HEIGHT))


def unwrapped(key: str) -> NDArray[np.float32]:
    return (4 * np.pi / WAVELENGTH * sinking() * days(key) / 365.25).astype(np.float32)


def wrapped(key: str) -> NDArray[np.float32]:
    return np.angle(np.exp(1j * unwrapped(key).astype(float))).astype(np.float32)


def coherence(key: str) -> NDArray[np.float32]:
    return np.random.default_rng(int(key[4:8])).uniform(0.3, 0.95, (HEIGHT, WIDTH)).astype(np.float32)


def heights() -> NDArray[np.float32]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (900 + 7.5 * y - 3.25 * x).astype(np.float32)


def land() -> NDArray[np.uint8]:
    """A pond in the west."""
    mask = np.ones((HEIGHT, WIDTH), np.uint8)
    mask[8:11, 2:5] = 0
    return mask


def components() -> NDArray[np.uint8]:
    """One component, but for a corner that SNAPHU left out."""
    labels = np.ones((HEIGHT, WIDTH), np.uint8)
    labels[15:18, 18:21] = 0
    return labels


def look_angles(heading: float = HEADING) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Elevation angle, growing to the near range, and orientation: the sensor lies left of the flight direction."""
    _, x = np.mgrid[:HEIGHT, :WIDTH]
    incidence = INCIDENCE + 0.0005 * x
    from_north = heading - 90
    return (np.pi / 2 - incidence).astype(np.float32), np.full((HEIGHT, WIDTH), np.radians(90 - from_north), np.float32)


def single(key: str, *, tail: str = "10C1", spacing: int = 80, burst: int = BURST) -> str:
    return f"S1_{burst:06d}_IW{SWATH}_{key}_VV_INT{spacing}_{tail}"


def granule(day: str, *, burst: int = BURST, swath: int = SWATH, second: str | None = None) -> str:
    return f"S1_{burst:06d}_IW{swath}_{day}T{second or SECOND[day]}_VV_7C85-BURST"


def text(key: str, **replace: str | None) -> str:
    """The text file; keywords (spaces as underscores) replace values, None drops a line.

    The baseline has the sign of ISCE2, against the one of this project.
    """
    first, second = key.split("_")
    values = {
        "Reference Granule": granule(first),
        "Secondary Granule": granule(second),
        "Reference Pass Direction": "ASCENDING",
        "Reference Orbit Number": "32861",
        "Secondary Pass Direction": "ASCENDING",
        "Secondary Orbit Number": "33036",
        "Baseline": f"{-(POSITION[second] - POSITION[first])}",
        "UTC time": "8592.3",
        "Heading": f"{HEADING}",
        "Spacecraft height": "693000.0",
        "Earth radius at nadir": "6337286.638938101",
        "Slant range near": "846099.1914484155",
        "Slant range center": "879021.2",
        "Slant range far": "911943.2",
        "Range looks": "20",
        "Azimuth looks": "4",
        "INSAR phase filter": "yes",
        "Phase filter parameter": "0.5",
        "Range bandpass filter": "no",
        "Azimuth bandpass filter": "no",
        "DEM source": "GLO_30",
        "DEM resolution (m)": "30",
        "Unwrapping type": "snaphu_mcf",
        "Speckle filter": "yes",
        "Water mask": "yes",
    }
    for name, value in replace.items():
        values[name.replace("_", " ")] = value
    return "".join(f"{name}: {value}\n" for name, value in values.items() if value is not None)


def raster(path: Path, values: NDArray, *, row: int = 0, column: int = 0, crs: str | None = CRS, **profile) -> Path:
    """A GeoTIFF as HyP3 makes them, its first pixel at a row and column of the union."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = values if values.ndim == 3 else values[None]
    options = {"driver": "GTiff", "tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "lzw", "nodata": 0}
    if crs is not None:
        corner = Affine(SPACING, 0, LEFT + SPACING * column, 0, -SPACING, TOP - SPACING * row)
        options |= {"crs": crs, "transform": corner}
    options |= {"dtype": bands.dtype, "count": bands.shape[0], "height": bands.shape[1], "width": bands.shape[2]}
    with rasterio.open(path, "w", **(options | profile)) as dataset:
        dataset.write(bands)
    return path


def product(folder: Path, key: str, name: str | None = None, *, parameters: str | None = None) -> Path:
    """One product, a folder with the product's name."""
    name = name or single(key)
    theta, phi = look_angles()
    layers = {
        "wrapped_phase": wrapped(key), "unw_phase": unwrapped(key), "corr": coherence(key), "dem": heights(),
        "lv_theta": theta, "lv_phi": phi, "conncomp": components(), "water_mask": land(),
    }  # fmt: skip
    top, bottom, left, right = EXTENT[key]
    for layer, values in layers.items():
        profile = {"nodata": None} if layer == "water_mask" else {}
        cut = values[top:bottom, left:right]
        raster(folder / name / f"{name}_{layer}.tif", cut, row=top, column=left, **profile)
    (folder / name / f"{name}.txt").write_text(text(key) if parameters is None else parameters)
    (folder / name / f"{name}_README.md.txt").write_text("ASF Sentinel-1 Burst InSAR Data Package (ISCE2)\n")
    return folder / name


def stack(root: Path, *, zipped: bool = False) -> Path:
    """Products of all pairs below a folder, or their archives."""
    for key in KEYS:
        folder = product(root, key)
        if zipped:
            archive(folder)
            shutil.rmtree(folder)
    return root


def archive(folder: Path) -> Path:
    """The archive of a product as HyP3 offers it, beside its folder: members below the product's name, deflated."""
    path = folder.with_name(f"{folder.name}.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(f"{folder.name}/", b"")
        for file in sorted(folder.iterdir()):
            opened.write(file, f"{folder.name}/{file.name}")
    return path
