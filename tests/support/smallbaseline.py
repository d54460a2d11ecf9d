"""Inputs of MintPy as its loader writes them, with h5py, over ground that sinks in the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import sinking

SHAPE = (48, 64)
DAYS = ("20180106", "20180118", "20180130", "20180211", "20180223")
PAIRS = tuple((DAYS[i], DAYS[j]) for i in range(len(DAYS)) for j in range(i + 1, min(i + 3, len(DAYS))))
BASELINE = {"20180106": 0.0, "20180118": 40.0, "20180130": -25.0, "20180211": 10.0, "20180223": 60.0}
WAVELENGTH, HEADING, INCIDENCE = 0.05546576, -168.0, 38.5
"""A descending pass."""
COMMON = {
    "LENGTH": SHAPE[0], "WIDTH": SHAPE[1], "WAVELENGTH": WAVELENGTH, "HEADING": HEADING,
    "ORBIT_DIRECTION": "DESCENDING", "ANTENNA_SIDE": -1, "CENTER_LINE_UTC": 42584.0, "ALOOKS": 5, "RLOOKS": 15,
    "PROCESSOR": "isce", "PLATFORM": "Sen",
    "EARTH_RADIUS": 6337286.6, "HEIGHT": 698834.2, "STARTING_RANGE": 800000.0, "RANGE_PIXEL_SIZE": 34.9,
    "AZIMUTH_PIXEL_SIZE": 78.08, "FILE_TYPE": "ifgramStack", "UNIT": "radian", "REF_Y": 3, "REF_X": 4,
    "FILE_PATH": "/data/merged/interferograms/20180106_20180118/filt_fine.unw",
}  # fmt: skip
GEO = {"X_FIRST": -91.3, "Y_FIRST": -0.25, "X_STEP": 0.0008333333, "Y_STEP": -0.0008333333, "X_UNIT": "degrees",
       "Y_UNIT": "degrees", "EPSG": 4326}  # fmt: skip


def years(pair: tuple[str, str]) -> float:
    first, second = (np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}") for day in pair)
    return float((second - first).astype(int)) / 365.25


def unwrapped(pair: tuple[str, str]) -> np.ndarray:
    """Radians, away positive, over an offset of the whole pair; the last row has no data."""
    motion = years(pair) * sinking.RATE * sinking.bowl(SHAPE)
    phase = (-4 * np.pi / WAVELENGTH * motion + 0.3 + 5 * years(pair)).astype(np.float32)
    phase[-1] = 0
    return phase


def coherence(pair: tuple[str, str]) -> np.ndarray:
    field = np.random.default_rng(int(pair[1][4:])).uniform(0.5, 0.95, SHAPE).astype(np.float32)
    field[-1] = 0
    return field


def stack(path: Path, attributes: dict[str, Any] | None = None, *, pairs: Any = PAIRS, **replace: Any) -> Path:
    """``ifgramStack.h5``; keywords replace datasets, None leaves one out."""
    content: dict[str, Any] = {
        "date": np.array(pairs, "S8"),
        "bperp": np.array([BASELINE[b] - BASELINE[a] for a, b in PAIRS], np.float32),
        "dropIfgram": np.ones(len(PAIRS), bool),
        "unwrapPhase": np.stack([unwrapped(pair) for pair in PAIRS]),
        "coherence": np.stack([coherence(pair) for pair in PAIRS]),
        "connectComponent": np.ones((len(PAIRS), *SHAPE), np.int16),
    }
    return write(path, content | replace, COMMON | GEO if attributes is None else attributes)


def geometry(path: Path, attributes: dict[str, Any] | None = None, **replace: Any) -> Path:
    """``geometryGeo.h5`` or ``geometryRadar.h5``: the azimuth of a descending pass points east."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    content: dict[str, Any] = {
        "height": 200 + 3 * y + x,
        "incidenceAngle": np.full(SHAPE, INCIDENCE, np.float32) + x / 100,
        "azimuthAngle": np.full(SHAPE, 90 - HEADING - 360, np.float32),
        "slantRangeDistance": np.full(SHAPE, 850e3, np.float32),
        "shadowMask": np.zeros(SHAPE, bool),
        "waterMask": np.ones(SHAPE, bool),
    }
    given = COMMON | GEO if attributes is None else attributes
    return write(path, content | replace, given | {"FILE_TYPE": "geometry"})


def write(path: Path, content: dict[str, Any], attributes: dict[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, values in content.items():
            if values is not None:
                file.create_dataset(name, data=values, chunks=True if np.ndim(values) > 1 else None)
        for name, value in attributes.items():
            if value is not None:
                file.attrs[name] = str(value)
    return path


def geocoded(root: Path) -> Path:
    """The folder of a geocoded stack."""
    stack(root / "inputs/ifgramStack.h5")
    geometry(root / "inputs/geometryGeo.h5")
    return root


def radar(root: Path) -> Path:
    """The folder of a stack in radar geometry: rows go south, columns west, as a descending pass sees them."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    stack(root / "inputs/ifgramStack.h5", COMMON)
    geometry(root / "inputs/geometryRadar.h5", COMMON, latitude=-0.25 - y * 6e-4, longitude=-91.3 - x * 5e-4)
    return root
