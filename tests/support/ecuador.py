"""Slides and other places of a valley in southern Ecuador, where the real data lies."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

FACTORS = ("slope", "cplan", "cprof", "elev", "log10_carea")


class Ecuador(NamedTuple):
    table: pd.DataFrame
    slid: np.ndarray
    x: np.ndarray
    y: np.ndarray
    raster: Path


def ecuador() -> Ecuador:
    """350 places, half of them slides, and the raster of the same five factors; skips where the set is absent."""
    folder = Path(os.environ.get("SLIDECLOUD_DATA", "")) / "ecuador_lsl"
    if not (folder / "lsl.csv").is_file():
        pytest.skip("the set ecuador_lsl is not in SLIDECLOUD_DATA")
    table = pd.read_csv(folder / "lsl.csv")
    return Ecuador(
        table[list(FACTORS)],
        table["lslpts"].to_numpy(bool),
        table["x"].to_numpy(),
        table["y"].to_numpy(),
        folder / "ta.tif",
    )
