"""Byte-true miniatures of GAMMA/GeoTIFF folders and LiCSAR frames, written with rasterio."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

HEIGHT, WIDTH = 12, 16
LEFT, TOP, STEP = 100.0, 30.0, 0.001
KEYS = ("20180106_20180118", "20180106_20180130", "20180118_20180130")
BASELINE = {"20180106": 0.0, "20180118": 40.0, "20180130": -25.0}
"""Perpendicular position of each date, metres."""
FRAME = "026A_05271_131313"
HEADING, INCIDENCE = -12.25, 39.5

MLI_PAR = """Gamma Interferometric SAR Processor (ISP) - Image Parameter File

title:     a miniature
sensor:    S1A IW IW1 VV
date:      {year} {month} {day}
start_time:              2412.557627   s
center_time:             2421.400000   s
range_looks:                       8
azimuth_looks:                     2
heading:                 -12.2500000   degrees
center_range_slc:         878314.5356  m
incidence_angle:             39.5000   degrees
azimuth_angle:               90.0000   degrees
radar_frequency:        5.4050005e+09  Hz
adc_sampling_rate:      6.4345241e+07  Hz
chirp_bandwidth:        5.6500000e+07  Hz
prf:                      486.4863103  Hz
azimuth_proc_bandwidth:     327.00000  Hz
sar_to_earth_center:             7073899.1954   m
earth_radius_below_sensor:       6375868.9414   m
"""


def write(
    path: Path,
    values: NDArray,
    *,
    left: float = LEFT,
    top: float = TOP,
    step: float = STEP,
    crs: str | None = "EPSG:4326",
    nodata: float | None = None,
    transform: Affine | None = None,
    tags: dict[str, str] | None = None,
) -> Path:
    """A GeoTIFF of (y, x) or (band, y, x) values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bands = values if values.ndim == 3 else values[None]
    profile = {"driver": "GTiff", "dtype": bands.dtype, "count": bands.shape[0], "crs": crs, "nodata": nodata}
    if crs is not None:
        profile["transform"] = transform or Affine(step, 0, left, 0, -step, top)
    with rasterio.open(path, "w", height=bands.shape[1], width=bands.shape[2], **profile) as dataset:
        dataset.write(bands)
        if tags:
            dataset.update_tags(**tags)
    return path


def unwrapped(key: str, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    """Subsidence growing with time and to the south-east, some turns of positive phase; pixel (0, 0) is empty."""
    first, second = (np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}") for day in key.split("_"))
    y, x = np.mgrid[:height, :width]
    phase = ((second - first).astype(int) * (0.02 * x + 0.03 * y + 0.01)).astype(np.float32)
    phase[0, 0] = 0
    return phase


def wrap(phase: NDArray) -> NDArray[np.float32]:
    return np.angle(np.exp(1j * phase.astype(float))).astype(np.float32)


def coherence(key: str, *, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    """Between 0.2 and 0.95, another for each pair; the last pixel is empty."""
    field = np.random.default_rng(int(key[4:8])).uniform(0.2, 0.95, (height, width)).astype(np.float32)
    field[-1, -1] = 0
    return field


def heights() -> NDArray[np.float32]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return (1500 + 10 * y - 5 * x).astype(np.float32)


def gamma(root: Path, keys: tuple[str, ...] = KEYS) -> Path:
    """A GAMMA folder as its software names and fills it: one subfolder of rasters, headers, baselines."""
    for key in keys:
        name = key.replace("_", "-")
        write(root / f"tifs/crop_{name}_VV_8rlks_eqa_unw.tif", unwrapped(key), nodata=0)
        write(root / f"tifs/crop_{name}_VV_8rlks_flat_eqa_cc.tif", coherence(key), nodata=0)
        base(root / f"base/{name}_VV_8rlks_base.par", key)
    for day in sorted({day for key in keys for day in key.split("_")}):
        par(root / f"headers/r{day}_VV_8rlks_mli.par", day)
    write(root / "tifs/crop_dem.tif", heights().astype(np.int16), nodata=0)
    return root


def par(path: Path, day: str, **replace: str) -> Path:
    """An image header; keywords replace the values of keys, an empty text drops the line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = MLI_PAR.format(year=day[:4], month=day[4:6], day=day[6:]).splitlines()
    kept = [
        line if key not in replace else f"{key}: {replace[key]}"
        for line in lines
        for key in [line.partition(":")[0]]
        if replace.get(key) != ""
    ]
    path.write_text("\n".join(kept) + "\n")
    return path


def look_angle() -> float:
    """Radians, from the law of sines in the triangle of Earth centre, satellite and ground."""
    return float(np.arcsin(6375868.9414 / 7073899.1954 * np.sin(np.radians(INCIDENCE))))


def base(path: Path, key: str) -> Path:
    """A ``_base.par`` whose precision baseline has the perpendicular part of `BASELINE` and a parallel part of 7 m."""
    path.parent.mkdir(parents=True, exist_ok=True)
    first, second = key.split("_")
    across, along, theta = BASELINE[second] - BASELINE[first], 7.0, look_angle()
    c = across * np.cos(theta) + along * np.sin(theta)
    n = -across * np.sin(theta) + along * np.cos(theta)
    path.write_text(
        f"initial_baseline(TCN):         -0.1536945       99.0000000       9.0000000   m   m   m\n"
        f"initial_baseline_rate:          0.0000000        0.0636107        0.0126167   m/s m/s m/s\n"
        f"precision_baseline(TCN):        0.0000000       {c:.7f}        {n:.7f}   m   m   m\n"
        f"precision_baseline_rate:        0.0000000        0.0703755        0.0082572   m/s m/s m/s\n"
    )
    return path


def bperp(path: Path, centre: float, *, lines: tuple[int, ...] = (0, 500, 1000), slope: float = 0.01) -> Path:
    """A ``_bperp.par`` table that is `centre` in the middle and falls by `slope` a range sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = (0, 400, 800)
    rows = [
        f"{line:6d} {sample:6d}     0.0000    39.4441     4.4393    27.496918     22.1492     "
        f"{centre - slope * (sample - 400) + 0.002 * (line - 500):.4f}     39.6932"
        for line in lines
        for sample in samples
    ]
    head = [
        "*** Calculate baseline components perpendicular and parallel to look vector ***",
        "*** Copyright 2005, Gamma Remote Sensing, v3.5 10-May-2005 clw/uw ***",
        "",
        "interferogram lines: 1001   range samples/line: 801",
        "  line   range      B_t       B_c        B_n     look angle      bpara       bperp       blen",
        "*" * 96,
    ]
    path.write_text("\n".join([*head, *rows, "", "user time (s):         0.000", ""]))
    return path


def licsar(
    root: Path,
    keys: tuple[str, ...] = KEYS,
    *,
    layout: str = "portal",
    byte_coherence: bool = True,
    kinds: tuple[str, ...] = ("diff_unfiltered_pha", "diff_pha", "unw"),
    baselines: str = "four",
) -> Path:
    """A LiCSAR frame. `layout` is ``portal`` or ``licsbas``; `baselines` ``four`` or ``nine`` columns.

    The filtered phase is the true one plus 0.1 rad, so that tests can tell which was read.
    """
    frame = root / FRAME
    pairs = frame / ("interferograms" if layout == "portal" else "GEOC")
    metadata = frame / ("metadata" if layout == "portal" else "GEOC")
    for key in keys:
        truth = unwrapped(key)
        empty = truth == 0
        rasters = {
            "unw": truth,
            "diff_unfiltered_pha": np.where(empty, 0, wrap(truth)).astype(np.float32),
            "diff_pha": np.where(empty, 0, wrap(truth + 0.1)).astype(np.float32),
        }
        for kind in kinds:
            write(pairs / key / f"{key}.geo.{kind}.tif", rasters[kind])
        cc = coherence(key)
        write(pairs / key / f"{key}.geo.cc.tif", np.rint(cc * 255).astype(np.uint8) if byte_coherence else cc)
    write_look(metadata)
    write(metadata / f"{FRAME}.geo.hgt.tif", heights())
    (metadata / "metadata.txt").write_text(
        f"master=20180118\ncenter_time=11:22:33.600000\nheading={HEADING}\ncentre_range_m=878000.5\n"
    )
    write_baselines(metadata / "baselines", keys, form=baselines)
    return frame


def write_look(folder: Path, *, sign: float = 1.0, length: float = 1.0) -> None:
    """East, north and up of an ascending, right-looking radar; pixel (0, 0) is empty."""
    theta, turn = np.radians(INCIDENCE), np.radians(HEADING)
    east, north, up = -np.sin(theta) * np.cos(turn), np.sin(theta) * np.sin(turn), np.cos(theta)
    for part, value in (("E", sign * east), ("N", sign * north), ("U", up)):
        values = np.full((HEIGHT, WIDTH), length * value, np.float32)
        values[0, 0] = 0
        write(folder / f"{FRAME}.geo.{part}.tif", values)


def write_baselines(path: Path, keys: tuple[str, ...], *, form: str) -> None:
    days = sorted({day for key in keys for day in key.split("_")})
    primary = "20180118"
    moment = {day: int(np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}").astype(int)) for day in [*days, primary]}
    rows = []
    if form == "four":
        for day in days:
            across = BASELINE[day] - BASELINE[primary]
            rows.append(f"{primary} {day} {across:.1f} {moment[day] - moment[primary]:.1f}")
    else:
        for number, key in enumerate(keys, start=1):
            first, second = key.split("_")
            to = {day: (moment[day] - moment[primary], BASELINE[day] - BASELINE[primary]) for day in (first, second)}
            rows.append(
                f"{number:4d} {first} {second} {BASELINE[second] - BASELINE[first]:8.1f} "
                f"{moment[second] - moment[first]:6.1f} {to[first][0]:7.1f} {to[second][0]:7.1f} "
                f"{to[first][1]:7.1f} {to[second][1]:7.1f}"
            )
    path.write_text("\n".join(rows) + "\n")
