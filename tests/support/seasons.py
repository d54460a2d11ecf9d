"""A stack whose pixels move in known ways, as unwrapped pairs of known noise: truth is exact and quick."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import runs
import steady

from slidecloud.stack import ArraySource
from slidecloud.types import Pair

BURST = "t026_000001_iw2"
SHAPE = (40, 48)
DATES = np.datetime64("2019-01-05T11:00:00", "s") + np.arange(62) * np.timedelta64(12, "D")
YEARS = 1970.0 + (DATES - np.datetime64(0, "s")) / steady.YEAR
MIDDLE = YEARS - (YEARS[0] + YEARS[-1]) / 2
LINKS = [(i, j) for i in range(len(DATES)) for j in range(i + 1, min(i + 4, len(DATES)))]
STEP = np.datetime64("2020-02-10")
RATE, AMPLITUDE, PEAK, ACCELERATION, SIZE = -0.04, 0.012, 73.0, 0.02, -0.03
"""m/yr, m, day of the year at which motion is farthest towards the satellite, m/yr^2, m."""
QUICK = "resources: {executor: serial, memory: 2 GiB, tile: [32, 64]}"


def motion() -> np.ndarray:
    """What moving pixels do (date,), m towards the satellite."""
    annual = AMPLITUDE * np.cos(2 * np.pi * (YEARS - PEAK / 365.25))
    return RATE * MIDDLE + annual + ACCELERATION * MIDDLE**2 / 2 + SIZE * (DATES >= STEP)


def moving() -> np.ndarray:
    """Pixels (y, x) that do: the right third."""
    where = np.zeros(SHAPE, bool)
    where[:, 2 * SHAPE[1] // 3 :] = True
    return where


def source(*, date: float = 0.002, walk: float = 2e-5, pair: float = 0.2, seed: int = 0) -> ArraySource:
    """Pairs with noise of dates (m), noise that adds up (m^2/yr) and noise of pairs (rad)."""
    rng = np.random.default_rng(seed)
    size = len(DATES), *SHAPE
    steps = np.sqrt(walk * np.diff(YEARS))[:, None, None] * rng.normal(size=(size[0] - 1, *SHAPE))
    noise = date * rng.normal(size=size) + np.concatenate([np.zeros((1, *SHAPE)), np.cumsum(steps, 0)])
    moved = motion()[:, None, None] * moving() + noise
    metres = -steady.WAVELENGTH / (4 * np.pi)
    phase = np.stack([(moved[j] - moved[i]) / metres + pair * rng.normal(size=SHAPE) for i, j in LINKS])
    head = dataclasses.replace(steady.header(SHAPE), has_unwrapped=True)
    wrapped = np.rint(phase * (32768 / np.pi)).astype(np.int64).astype(np.int16)
    coherence = np.full(phase.shape, 190, np.uint8)
    return ArraySource(
        head, [Pair(DATES[i], DATES[j]) for i, j in LINKS], wrapped, coherence, phase.astype(np.float32), None
    )


def compute(folder: Path, *trajectory: str, series: tuple[str, ...] = (), **options: Any) -> Any:
    """Invert what is ingested in a folder, of whole bursts, with models of motion."""
    settings = ["where: everywhere", *series, f"trajectory: {{{', '.join(trajectory)}}}"]
    lines = "stages: [timeseries]", f"timeseries: {{{', '.join(settings)}}}", QUICK
    summary = runs.rerun(folder, *lines, **options)
    assert summary.exit_code == 0, summary.lines()
    return summary
