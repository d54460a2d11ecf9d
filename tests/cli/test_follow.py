"""`slidecloud status --follow` reads the store alone, from before the run begins until nothing is left to do."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import runs
import small

from slidecloud.cli import main
from slidecloud.pipeline.status import follow, status
from slidecloud.pipeline.units import Unit
from slidecloud.store import locate, records


def test_follow_begins_before_the_run_and_ends_with_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    small.stack(tmp_path, small.scene())
    settings = small.settings(tmp_path)
    with subprocess.Popen(runs.command("run", str(settings)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        assert main(["status", str(tmp_path / "run.zarr"), "--follow", "--interval", "0.05"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("has not begun.")
    assert any(" 0 of " in line for line in lines)
    stages = status(str(tmp_path / "run.zarr")).lines()
    # Stages that need nothing of each other end in any order.
    assert sorted(line for line in lines if line in stages) == sorted(stages)
    assert len(lines) == len(set(lines))


def test_what_waits_for_a_quarantined_unit_is_no_reason_to_wait(own_region: Path) -> None:
    store = own_region / "run.zarr"
    location = locate(str(store))
    assert status(str(store)).ended
    first, *later = _units(store)
    needing = {unit.name for unit in later if first.name in unit.requires}
    assert needing
    for unit in (first, *later):
        records.withdraw(location, unit.key)
    assert not status(str(store)).ended
    records.quarantine(location, first.key, "broken", kind="data")
    found = status(str(store))
    assert sum(stage.quarantined for stage in found.stages) == 1
    assert sum(stage.blocked for stage in found.stages) >= len(needing)
    assert any("wait for those" in line for line in found.lines())


def test_a_store_that_goes_away_is_waited_for(own_region: Path) -> None:
    shutil.move(own_region / "run.zarr", own_region / "elsewhere.zarr")
    looks = follow(str(own_region / "run.zarr"), interval=0.01)
    assert next(looks) is None
    shutil.move(own_region / "elsewhere.zarr", own_region / "run.zarr")
    found = next(looks)
    assert found is not None
    assert found.ended
    assert next(looks, "over") == "over"


def _units(store: Path) -> tuple[Unit, ...]:
    from slidecloud.pipeline import plan
    from slidecloud.store import open_run

    return tuple(plan.make(open_run(str(store)).config).units)


def test_interval_is_a_time(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "x", "--follow", "--interval", "0"]) == 2
    assert runs.call("status", "--help").stdout.count("--follow") >= 2
