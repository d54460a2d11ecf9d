"""A nation's bursts of which landslides are known: what patches save is counted right, before anything is unwrapped."""

from __future__ import annotations

import math
import re
from pathlib import Path

import catalogue
import pytest
import runs

from slidecloud.config import RunConfig
from slidecloud.pipeline.estimate import Estimate, estimate
from slidecloud.pipeline.rates import Rates

SAVED = re.compile(
    r"Series of patches: ([\d.]+) of ([\d.]+) million pixels \(([\d.]+)%\) and ([\d.]+) core hours; "
    r"whole bursts would take ([\d.]+)\."
)
ROOM = "resources: {executor: serial, memory: 8 GiB}"


def configure(folder: Path, where: str) -> RunConfig:
    stages = "stages: [gradients, detect, timeseries]"
    series = f"timeseries: {{where: {where}, phase: unwrap, halo: {catalogue.HALO}}}"
    return runs.configure(folder, stages, "detect: {method: classical}", "gradients: {window: 400}", series, ROOM)


def hours(found: Estimate) -> float:
    return sum(stage.core_hours for stage in found.stages if stage.stage in ("unwrap", "timeseries"))


@pytest.mark.parametrize("count", [10, pytest.param(486, marks=pytest.mark.long)])
def test_pixels_and_hours_saved(tmp_path, count, record_property):
    catalogue.stacks(tmp_path / "stacks", count)
    config, rates = configure(tmp_path, "detections"), Rates()
    before = estimate(config, rates)
    assert any("patches are assumed to cover 10% of those bursts" in line for line in before.lines())
    catalogue.detect(config, count)
    found = estimate(config, rates)
    patches, pixels = (sum(values) for values in zip(*map(catalogue.pixels, range(count)), strict=True))
    units = {stage.stage: stage.units for stage in found.stages}
    # Of each patch its pairs are unwrapped and its loops mended; levels, tiles and both velocities follow.
    assert units["unwrap"] == 2 * patches
    assert units["timeseries"] >= 4 * patches
    (line,) = (line for line in found.lines() if line.startswith("Series of patches"))
    (seen,) = SAVED.findall(line)
    of_patches, of_bursts, share, taken, instead = (float(value) for value in seen)
    whole = count * math.prod(catalogue.SHAPE)
    assert of_patches == pytest.approx(pixels / 1e6, abs=0.006)
    assert of_bursts == pytest.approx(whole / 1e6, abs=0.006)
    assert share == pytest.approx(100 * pixels / whole, abs=0.06)
    assert taken == pytest.approx(hours(found), abs=1e-4)
    assert not any("assumed" in text for text in found.lines())
    record_property("saved", line)
    # What whole bursts would take is what their own plan says, not the hours of patches times a share.
    everywhere = hours(estimate(configure(tmp_path, "everywhere"), rates))
    assert instead == pytest.approx(everywhere, abs=1e-4)
    assert taken < 0.1 * everywhere
