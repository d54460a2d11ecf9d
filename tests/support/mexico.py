"""The public Mexico City stack: 30 unwrapped pairs over ground that sinks by up to 0.3 m a year."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import rasterio

RADIANS_TO_METRES = -0.0554658 / (4 * np.pi)


class Mexico(NamedTuple):
    phase: np.ndarray  # (pair, pixel) float32 rad, NaN = no data
    coherence: np.ndarray  # (pair, pixel) uint8
    reference: np.ndarray
    secondary: np.ndarray
    time: np.ndarray  # (date,) years


def load() -> Mexico:
    root = os.environ.get("SLIDECLOUD_DATA")
    folder = Path(root or "") / "mexico_city_s1" / "geotiffs"
    if root is None or not folder.is_dir():
        pytest.skip("needs the data set mexico_city_s1 in the folder named by SLIDECLOUD_DATA")

    def read(path):
        with rasterio.open(path) as image:
            return image.read(1).ravel()

    keys = sorted(path.name[6:23] for path in folder.glob("cropA_*_unw.tif"))
    phase = np.stack([read(folder / f"cropA_{key}_VV_8rlks_eqa_unw.tif") for key in keys]).astype(np.float32)
    coherence = np.stack([read(folder / f"cropA_{key}_VV_8rlks_flat_eqa_cc.tif") for key in keys])
    valid = (phase != 0) & (coherence > 0)
    days = np.array([[np.datetime64(f"{d[:4]}-{d[4:6]}-{d[6:]}") for d in key.split("-")] for key in keys])
    dates, index = np.unique(days, return_inverse=True)
    index = index.reshape(days.shape)
    return Mexico(
        np.where(valid, phase, np.float32(np.nan)),
        np.where(valid, np.maximum(np.rint(255 * coherence), 1), 0).astype(np.uint8),
        index[:, 0],
        index[:, 1],
        (dates - dates[0]).astype(np.int64) / 365.25,
    )
