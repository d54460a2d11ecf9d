"""Plain stacks as people keep them, written with xarray, over ground that sinks in the middle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import sinking
import smallbaseline as small
import xarray as xr
import yaml

SHAPE, PAIRS = small.SHAPE, small.PAIRS
LEFT, TOP, STEP = 500_000.0, 3_400_000.0, 40.0
MAPPING: dict[str, Any] = {
    "phase": {"unwrapped": "unw"},
    "coherence": {"variable": "coh"},
    "pairs": {"reference": "ref", "secondary": "sec", "perpendicular_baseline": "bperp", "time_of_day": "05:50:35"},
    "view": {"wavelength": 0.0554658, "heading": -168.0, "incidence": "inc", "looks": [4, 20]},
    "maps": {"elevation": "dem"},
    "crs": "EPSG:32648",
}


def unwrapped() -> np.ndarray:
    """(pair, y, x) rad, away positive."""
    motion = np.array([small.years(pair) for pair in PAIRS])[:, None, None] * sinking.RATE * sinking.bowl(SHAPE)
    return (-4 * np.pi / 0.0554658 * motion + 0.4).astype(np.float32)


def coherence() -> np.ndarray:
    field = np.random.default_rng(3).uniform(0.5, 0.95, (len(PAIRS), *SHAPE)).astype(np.float32)
    field[:, -1, -2:] = 0
    return field


def dates(which: int) -> np.ndarray:
    return np.array([f"{pair[which][:4]}-{pair[which][4:6]}-{pair[which][6:]}" for pair in PAIRS], "datetime64[ns]")


def dataset() -> xr.Dataset:
    """The stack: pairs first, rows to the south, UTM."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(np.float32)
    cube = ("pair", "y", "x")
    return xr.Dataset(
        {
            "unw": (cube, unwrapped()),
            "coh": (cube, coherence()),
            "ref": ("pair", dates(0)),
            "sec": ("pair", dates(1)),
            "bperp": ("pair", np.array([small.BASELINE[b] - small.BASELINE[a] for a, b in PAIRS], np.float32)),
            "inc": (("y", "x"), np.full(SHAPE, 38.5, np.float32)),
            "dem": (("y", "x"), 200 + 3 * y + x),
        },
        {"y": TOP - STEP * (np.arange(SHAPE[0]) + 0.5), "x": LEFT + STEP * (np.arange(SHAPE[1]) + 0.5)},
    )


def changed(**sections: Any) -> dict[str, Any]:
    """The mapping with other values; a section given as None is left out."""
    made = {name: dict(value) if isinstance(value, dict) else value for name, value in MAPPING.items()}
    for name, value in sections.items():
        if value is None:
            made.pop(name, None)
        elif isinstance(value, dict):
            made[name] = {k: v for k, v in {**made.get(name, {}), **value}.items() if v is not None}
        else:
            made[name] = value
    return made


def mapping(folder: Path, **sections: Any) -> str:
    """The mapping as a file."""
    path = folder / "mapping.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(changed(**sections)))
    return str(path)


def write(path: Path, data: xr.Dataset, form: str = "zarr3", **encoding: Any) -> Path:
    """A store or file: zarr2, zarr3, netcdf4 or netcdf3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if form.startswith("zarr"):
        path = path.with_suffix(".zarr")
        data.to_zarr(path, zarr_format=int(form[4:]), consolidated=False, encoding=encoding)
    else:
        path = path.with_suffix(".nc")
        data.to_netcdf(path, engine="h5netcdf" if form == "netcdf4" else "scipy", encoding=encoding)
    return path
