"""A LiCSAR frame as large as those that are published, of a few distinct pairs linked under many dates."""

from __future__ import annotations

import os
from pathlib import Path

import miniature as mini
import numpy as np
import rasterio
from rasterio.transform import Affine

SHAPE = (2000, 3000)
DISTINCT = 4
KINDS = ("diff_unfiltered_pha", "cc")


def make(root: Path, pairs: int) -> Path:
    """Wrapped phase (float32) and coherence (uint8) of so many pairs of 12 to 36 days, packed by deflate."""
    frame = mini.licsar(root, keys=())
    for path in (frame / "metadata").glob("*.tif"):
        path.unlink()  # they have the miniature's grid
    originals = [{kind: _raster(root / "distinct", number, kind) for kind in KINDS} for number in range(DISTINCT)]
    for number, key in enumerate(_keys(pairs)):
        folder = frame / "interferograms" / key
        folder.mkdir(parents=True)
        for kind, path in originals[number % DISTINCT].items():
            os.link(path, folder / f"{key}.geo.{kind}.tif")
    return frame


def _keys(count: int) -> list[str]:
    days = np.datetime64("2018-01-06") + 12 * np.arange(count // 3 + 4)
    text = [str(day).replace("-", "") for day in days]
    return [f"{text[i]}_{text[i + step]}" for i in range(count // 3 + 1) for step in (1, 2, 3)][:count]


def _raster(folder: Path, number: int, kind: str) -> Path:
    """Ramps under noise, which no packing shrinks much, and a margin without data."""
    folder.mkdir(exist_ok=True)
    draw = np.random.default_rng([number, KINDS.index(kind)])
    if kind == "cc":
        values = draw.integers(30, 250, SHAPE, np.uint8)
    else:
        y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
        values = mini.wrap(0.002 * x + 0.003 * y * (number + 1) + draw.normal(0, 0.6, SHAPE))
    values[:, :200] = 0
    path = folder / f"{number}.{kind}.tif"
    with rasterio.open(
        path, "w", driver="GTiff", height=SHAPE[0], width=SHAPE[1], count=1, dtype=values.dtype, compress="deflate",
        crs="EPSG:4326", transform=Affine(0.001, 0, 100, 0, -0.001, 30),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)
    return path
