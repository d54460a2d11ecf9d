"""OPERA CSLC-S1 files as COMPASS lays them out, written with h5py, over ground that sinks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyproj

HEIGHT, WIDTH = 200, 300
EPSG, LEFT, TOP, STEP = 32610, 600_000.0, 4_100_000.0, (10.0, 5.0)
WAVELENGTH = 0.05546576
HEADING, INCIDENCE, RANGE = -12.0, 36.0, 850_000.0
BURST = "T027-056725-IW1"
DAYS = ("20170605", "20170617", "20170629", "20170711")
BASELINES = {"20170605": 0.0, "20170617": 55.0, "20170629": -80.0, "20170711": 20.0}
"""Towards larger look angles, metres."""
RATE = -0.04
"""Displacement towards the satellite, metres a year, everywhere."""


def name(day: str, *, processed: str = "20240626T090220Z", burst: str = BURST, pol: str = "VV", v: str = "1.1") -> str:
    return f"OPERA_L2_CSLC-S1_{burst}_{day}T132754Z_{processed}_S1A_{pol}_v{v}.h5"


STATIC = f"OPERA_L2_CSLC-S1-STATIC_{BURST}_20140403_S1A_v1.0.h5"


def frame() -> tuple[np.ndarray, np.ndarray]:
    """The middle of the scene, Earth-fixed metres, and the axes east, north, up there as rows."""
    middle = LEFT + STEP[1] * WIDTH / 2, TOP - STEP[0] * HEIGHT / 2
    lon, lat = pyproj.Transformer.from_crs(EPSG, 4326, always_xy=True).transform(*middle)
    target = np.array(pyproj.Transformer.from_crs(4979, 4978, always_xy=True).transform(lon, lat, 0.0))
    a, b = np.radians([lon, lat])
    east = [-np.sin(a), np.cos(a), 0]
    north = [-np.sin(b) * np.cos(a), -np.sin(b) * np.sin(a), np.cos(b)]
    up = [np.cos(b) * np.cos(a), np.cos(b) * np.sin(a), np.sin(b)]
    return target, np.array([east, north, up])


def look(incidence: float = INCIDENCE, heading: float = HEADING) -> np.ndarray:
    """Unit vector (east, north, up) to a right-looking radar."""
    theta, turn = np.radians([incidence, heading])
    return np.array([-np.sin(theta) * np.cos(turn), np.sin(theta) * np.sin(turn), np.cos(theta)])


def orbit(baseline: float, *, along: float = 3.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States every 10 s of a satellite that passes the scene `along` seconds after the middle one, in free fall."""
    target, axes = frame()
    turn = np.radians(HEADING)
    flight = np.array([np.sin(turn), np.cos(turn), 0.0])
    raised = np.cross(flight, look())
    raised *= np.sign(raised[2])
    place = target + (RANGE * look() + baseline * raised) @ axes
    velocity = 7500.0 * flight @ axes
    fall = -3.986e14 / np.linalg.norm(place) ** 3 * place
    time = np.arange(-60.0, 61.0, 10.0) - along
    states = place + time[:, None] * velocity + 0.5 * time[:, None] ** 2 * fall
    return time + along + 1000.0, states, velocity + time[:, None] * fall


def displacement(day: str) -> float:
    """Metres towards the satellite since the first day."""
    days = (np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}") - np.datetime64("2017-06-05")).astype(int)
    return RATE * days / 365.25


def samples(day: str, shape: tuple[int, int] = (HEIGHT, WIDTH), motion: Any = None) -> np.ndarray:
    """A rough ground with one echo in each sample, further away by what it sank; NaN in the first columns."""
    rng = np.random.default_rng(5)
    echo = rng.uniform(20, 60, shape) * np.exp(2j * np.pi * rng.uniform(size=shape))
    away = -(displacement(day) if motion is None else motion)
    made = (echo * np.exp(-4j * np.pi / WAVELENGTH * away)).astype(np.complex64)
    made[:, :4] = np.nan
    return zero_mantissa(made)


def zero_mantissa(values: np.ndarray, bits: int = 10) -> np.ndarray:
    """Float32 parts with only the first bits of their mantissa kept, as COMPASS writes them."""
    words = values.view(np.uint32)
    known = np.isfinite(values.view(np.float32))
    return np.where(known, words & np.uint32(0xFFFFFFFF >> (23 - bits) << (23 - bits)), words).view(np.complex64)


def write(
    path: Path, day: str, values: np.ndarray | None = None, *, pol: str = "VV", left: float = LEFT, **replace: Any
) -> Path:
    """A product; keywords replace datasets by path (None leaves one out), double underscores stand for slashes."""
    values = samples(day) if values is None else values
    time, position, velocity = orbit(BASELINES.get(day, 0.0))
    burst = "metadata__processing_information__input_burst_metadata__"
    content: dict[str, Any] = {
        **grid(values.shape, left),
        "identification__burst_id": np.bytes_(BURST.lower().replace("-", "_")),
        "identification__track_number": np.int64(27),
        "identification__zero_doppler_start_time": np.bytes_(f"{day[:4]}-{day[4:6]}-{day[6:]} 13:27:54.123456"),
        "identification__orbit_pass_direction": np.bytes_("Ascending"),
        f"{burst}wavelength": WAVELENGTH,
        "metadata__processing_information__parameters__topographic_flattening_applied": np.bytes_("True"),
        "metadata__orbit__reference_epoch": np.bytes_("2017-06-05 13:11:14.000000"),
        "metadata__orbit__time": time,
        **{f"metadata__orbit__position_{axis}": position[:, i] for i, axis in enumerate("xyz")},
        **{f"metadata__orbit__velocity_{axis}": velocity[:, i] for i, axis in enumerate("xyz")},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs["conventions"] = np.bytes_("CF-1.8")
        chunks = tuple(min(128, side) for side in values.shape)
        made = file.create_dataset(
            f"data/{pol}", data=values, chunks=chunks, compression="gzip", compression_opts=4, shuffle=True
        )
        made.attrs["grid_mapping"] = np.bytes_("projection")
        fill(file, content | replace)
    return path


def static(path: Path, *, shape: tuple[int, int] = (HEIGHT, WIDTH), left: float = LEFT, **replace: Any) -> Path:
    """The static layers of the burst: elevations on a plane, the look vector of the middle."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    east, north, _ = look()
    content: dict[str, Any] = {
        **grid(shape, left),
        "data__z": (500 + 2 * y + x).astype(np.float32),
        "data__los_east": np.full(shape, east, np.float32),
        "data__los_north": np.full(shape, north, np.float32),
        "data__local_incidence_angle": np.full(shape, 51.0, np.float32),
        "data__layover_shadow_mask": np.zeros(shape, np.int8),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        fill(file, content | replace)
    return path


def grid(shape: tuple[int, int], left: float) -> dict[str, Any]:
    """Coordinates of pixel centres, spacing, projection."""
    return {
        "data__x_coordinates": left + STEP[1] * (np.arange(shape[1]) + 0.5),
        "data__y_coordinates": TOP - STEP[0] * (np.arange(shape[0]) + 0.5),
        "data__x_spacing": STEP[1],
        "data__y_spacing": -STEP[0],
        "data__projection": np.int32(EPSG),
    }


def fill(file: h5py.File, content: dict[str, Any]) -> None:
    for key, value in content.items():
        if value is not None:
            file[key.replace("__", "/")] = value


def folder(root: Path, days: tuple[str, ...] = DAYS) -> Path:
    """A folder of images with their static layers."""
    for day in days:
        write(root / name(day), day)
    static(root / STATIC)
    return root
