"""Rates of a machine: measured, kept, read again, and refused where they make no sense."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from slidecloud.kernels import gradients, sbas
from slidecloud.pipeline import bench, rates
from slidecloud.pipeline.rates import Rates


def test_built_in_rates_say_that_nothing_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = Rates.load()
    assert not found.measured
    assert "not measured on this machine" in found.lines()[0]
    assert min(found.gradients, found.sbas, found.read, found.write) > 0


def test_default_path_is_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(rates.sys, "platform", "linux")
    saved = Rates(gradients=1.0, date="2026-01-02").save()
    assert saved == tmp_path / "slidecloud" / "rates.json"
    assert Rates.load().gradients == 1.0


def test_rates_come_back_as_they_were_saved(tmp_path: Path) -> None:
    kept = Rates(1e8, 2e8, 300.0, 200.0, 12.5, 80.0, "s3://bucket", "a machine", "2026-01-02", {"numpy": "2.4"})
    assert Rates.load(kept.save(tmp_path / "deep" / "rates.json")) == kept
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "rates.json"]


def test_a_ratio_that_was_not_measured_comes_back_as_nan(tmp_path: Path) -> None:
    path = Rates(date="2026-01-02").save(tmp_path / "rates.json")
    assert json.loads(path.read_text())["sbas_ratio"] is None
    assert math.isnan(Rates.load(path).sbas_ratio)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{", "not JSON"),
        ("[]", "does not hold the rates"),
        ('{"gradients": 1}', "does not hold the rates"),
        (None, "gradients is -1"),
    ],
)
def test_a_bad_file_is_refused_with_its_remedy(tmp_path: Path, content: str | None, found: str) -> None:
    path = tmp_path / "rates.json"
    Rates(gradients=-1.0).save(path) if content is None else path.write_text(content)
    with pytest.raises(ValueError, match=found) as error:
        Rates.load(path)
    assert "slidecloud bench" in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file_is_refused_only_where_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="slidecloud bench --out"):
        Rates.load(tmp_path / "none.json")


def test_bench_measures_and_leaves_nothing_behind(tmp_path: Path) -> None:
    found = bench.bench(tmp_path, seconds=0.01, shape=(64, 64), dates=8, objects=2)
    assert found.measured
    assert min(found.gradients, found.sbas, found.read, found.write) > 0
    assert min(found.gradients_ratio, found.sbas_ratio) > 0
    assert list(tmp_path.iterdir()) == []
    assert {"million pair-pixels/s per core", str(tmp_path)} <= {
        part for line in found.lines() for part in (line[20:51].strip(), line[52:])
    }


def test_plain_gradients_agree_with_the_kernel_on_a_ramp() -> None:
    """What the kernel is compared with does the same work: both find the slope of a noise-free plane."""
    y, x = np.mgrid[:40, :40]
    phase = np.rint((0.05 * x - 0.03 * y)[None].repeat(3, 0) * 32768 / np.pi).astype(np.int64).astype(np.int16)
    coherence = np.full(phase.shape, 200, np.uint8)
    along_x, along_y = bench.plain_gradients(phase, coherence)
    kernel = gradients.stack(phase, coherence, reference=np.array([0, 0, 1]), secondary=np.array([1, 2, 2]))
    inner = (slice(12, 24), slice(12, 24))
    for found in (along_x, kernel.x):
        np.testing.assert_allclose(found[inner], 0.05, atol=2e-4)
    for found in (along_y, kernel.y):
        np.testing.assert_allclose(found[inner], -0.03, atol=2e-4)


def test_plain_series_agree_with_the_kernel() -> None:
    generator = np.random.default_rng(1)
    ends = np.array([(i, j) for i in range(9) for j in range(i + 1, min(i + 4, 9))])
    reference, secondary = ends.T
    series = generator.normal(size=(9, 6)).cumsum(0)
    phase = (series[secondary] - series[reference] + 0.1 * generator.normal(size=(len(ends), 6))).astype(np.float32)
    weight = generator.uniform(0.2, 1, phase.shape).astype(np.float32)
    plain = bench.plain_series(phase, weight, reference, secondary)
    kernel = sbas.invert(phase, weight, reference, secondary, time=np.arange(9) / 30.4)
    np.testing.assert_allclose(kernel.series - kernel.series[0], plain, atol=2e-4)
