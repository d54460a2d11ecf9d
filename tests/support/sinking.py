"""Ground that sinks in the middle of a scene, and the whole way from files to displacement."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import runs

import slidecloud
from slidecloud.pipeline.folders import ingest_folder

RATE = -0.04
"""Displacement towards the satellite in the middle, metres a year."""


def bowl(shape: tuple[int, int]) -> np.ndarray:
    """1 in the middle, falling smoothly to 0; nothing moves in the outer third."""
    y, x = (np.linspace(-1.5, 1.5, side) for side in shape)
    away = np.hypot(y[:, None], x[None, :])
    return np.where(away < 1, np.cos(np.pi / 2 * np.minimum(away, 1)) ** 2, 0.0)


def check(root: Path, folder: Path, *lines: str, looks: tuple[int, int] = (1, 1), **options: object) -> None:
    """Ingest `root` and run: displacement must be negative where the ground sank, and the ground's own amount."""
    location, summary = ingest_folder(str(root), str(folder / "stacks"), **options)
    assert summary.exit_code == 0, summary.lines()
    summary = runs.rerun(
        folder, "stages: [gradients, timeseries]", "resources: {executor: serial}", "network: {max_days: 36}", *lines
    )
    assert summary.exit_code == 0, summary.lines()
    series = slidecloud.open_run(str(folder / "run.zarr")).timeseries(location.name.removesuffix(".zarr")).load()
    found = series.displacement.values[-1]
    years = float((series.time.values[-1] - series.time.values[0]) / np.timedelta64(1, "D")) / 365.25
    shape = tuple(side * look for side, look in zip(found.shape, looks, strict=True))
    truth = RATE * years * bowl(shape).reshape(found.shape[0], looks[0], found.shape[1], looks[1]).mean(axis=(1, 3))
    sunk, known = truth < 0.2 * truth.min(), np.isfinite(found)
    assert (sunk & known).sum() > 0.9 * sunk.sum()
    assert (found[sunk & known] < 0).all()
    assert np.abs(found - truth)[known].max() < 0.15 * abs(truth.min())
