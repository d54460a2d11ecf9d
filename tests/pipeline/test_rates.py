"""Rates of a machine: kept, read again, shown, and refused where they make no sense."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from slidecloud.pipeline import rates
from slidecloud.pipeline.rates import Measurement, Rates

STACKING = Measurement("gradients", "pair-pixels/s", 2e8, "NumPy + SciPy", 1e7)
INVERSION = Measurement("sbas", "pixels/s", 1e5, dates=145, pairs=429)
ON_GPU = Measurement("gradients", "pair-pixels/s", 3e10, device="NVIDIA H100")
READING = Measurement("read", "MB/s", 400.0, "plain objects", 800.0)


def test_built_in_rates_say_that_nothing_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = Rates.load()
    assert not found.measured
    assert "not measured on this machine" in found.lines()[0]
    assert min(found.gradients, found.series, found.read, found.write) > 0


def test_default_path_is_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(rates.sys, "platform", "linux")
    saved = Rates((STACKING,), date="2026-01-02").save()
    assert saved == tmp_path / "slidecloud" / "rates.json"
    assert Rates.load().gradients == 2e8


def test_rates_come_back_as_they_were_saved(tmp_path: Path) -> None:
    kept = Rates((STACKING, READING), "s3://bucket", "a machine", "2026-01-02", 61.5, {"numpy": "2.4"})
    assert Rates.load(kept.save(tmp_path / "deep" / "rates.json")) == kept
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "rates.json"]


def test_json_names_the_ratio_and_has_no_nan(tmp_path: Path) -> None:
    path = Rates((STACKING, INVERSION), date="2026-01-02").save(tmp_path / "rates.json")
    stacking, inversion = json.loads(path.read_text())["measurements"]
    assert stacking["ratio"] == 20.0
    assert inversion["ratio"] is inversion["alternative_rate"] is None
    assert math.isnan(Rates.load(path).measurements[1].ratio)


def test_each_rate_is_that_of_its_device_and_unit() -> None:
    found = Rates((ON_GPU, STACKING, INVERSION, READING), date="2026-01-02")
    assert found.gradients == 2e8
    assert found.series == 1e5 * 429
    assert found.read == 400.0
    assert found.write == Rates().write
    assert found.on_gpu("gradients") == ON_GPU
    assert found.on_gpu("sbas") is None


def test_table_has_a_line_for_each_measurement() -> None:
    head, _, columns, *rows = Rates((STACKING, INVERSION, ON_GPU), "here", "a machine", "2026-01-02", 9.0).lines()
    assert head == "Measured 2026-01-02 on a machine, store here, in 9 s"
    assert columns.split()[-3:] == ["beside", "rate", "ratio"]
    assert rows[0].split("  ")[0] == "gradients"
    assert rows[0].split()[-2:] == ["10", "20"]
    assert rows[0].index("million pair-pixels/s") == columns.index("unit")
    assert rows[1].startswith("sbas, 145 dates x 429 pairs")
    assert rows[1].endswith("100  thousand pixels/s")
    assert rows[2].startswith("gradients, NVIDIA H100")
    assert rows[2].endswith("30,000  million pair-pixels/s")


EARLIER = {"gradients": 1e8, "sbas": 2e8, "read": 300.0, "write": 200.0, "date": "2026-01-02"}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("{", "not JSON"),
        ("[]", "does not hold the rates"),
        ("{}", "does not hold the rates"),
        ('{"format": 3}', "does not hold the rates"),
        ('{"format": 3, "measurements": [{"name": "gradients"}]}', "does not hold the rates"),
        ('{"format": 3, "measurements": [1]}', "does not hold the rates"),
        ('{"format": 3, "measurements": [], "wind": 3}', "does not hold the rates"),
        (json.dumps(EARLIER), "another version of slidecloud .format 1, expected 3"),
        (json.dumps({"format": 4}), "another version of slidecloud .format 4, expected 3"),
        (Rates((Measurement("gradients", "pair-pixels/s", -1.0),)).json(), "gradients is -1"),
        (Rates((Measurement("gradients", "pair-pixels/s", math.nan),)).json(), "gradients is nan"),
    ],
)
def test_a_bad_file_is_refused_with_its_remedy(tmp_path: Path, content: str, found: str) -> None:
    path = tmp_path / "rates.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=found) as error:
        Rates.load(path)
    assert "slidecloud bench" in str(error.value)
    assert str(path) in str(error.value)


def test_a_missing_file_is_refused_only_where_it_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="slidecloud bench --out"):
        Rates.load(tmp_path / "none.json")
