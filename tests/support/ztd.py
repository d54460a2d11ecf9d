"""Delays as GACOS delivers them: little-endian float32, and a header in text beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def write(folder: Path, name: str, delay: np.ndarray, *, left: float, top: float, step: float, **changes: Any) -> Path:
    """Write ``NAME.ztd`` and its ``.rsc``.

    Parameters
    ----------
    folder
        Made where it is not there; returned.
    name
        YYYYMMDD.
    delay
        (y, x) zenith delays, m, north to south, little-endian float32 as they are to be.
    left, top, step
        Degrees: the outer corner of the first pixel, and the side of a pixel.
    changes
        Fields of the header in place of the true ones; None leaves one out.
    """
    height, width = delay.shape
    fields = {
        "WIDTH": width, "FILE_LENGTH": height, "XMIN": 0, "XMAX": width, "YMIN": 0, "YMAX": height, "X_FIRST": left,
        "Y_FIRST": top, "X_STEP": step, "Y_STEP": -step, "X_UNIT": "degres", "Y_UNIT": "degres", "Z_OFFSET": 0,
        "Z_SCALE": 1, "PROJECTION": "LATLON", "DATUM": "WGS84",
    } | changes  # fmt: skip
    folder.mkdir(exist_ok=True)
    delay.tofile(folder / f"{name}.ztd")
    lines = [f"{key:15} {value}" for key, value in fields.items() if value is not None]
    (folder / f"{name}.ztd.rsc").write_text("\n".join(lines) + "\n")
    return folder
