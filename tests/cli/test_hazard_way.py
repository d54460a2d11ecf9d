"""The way of a user: factors, units and risk from one YAML, each killed half-way and given again."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import runs
import terrain_files as files

from slidecloud.cli import main

YAML = f"""
store: hazard.zarr
grid: {{crs: {files.CRS}, spacing: {files.SPACING}, bounds: {list(files.BOUNDS)}}}
factors:
  elevation: {{kind: raster, path: dem.tif, units: m}}
  slope: {{}}
  aspect: {{}}
  rivers: {{kind: distance, path: rivers.gpkg}}
risk:
  points: slides.gpkg
  factors: {{slope: {{breaks: [5, 10]}}, aspect: {{sectors: 4}}, rivers: {{parts: 3}}}}
  matrix: [[1, 2, 3], [1/2, 1, 2], [1/3, 1/2, 1]]
  folds: 3
resources: {{executor: serial, tile: [256, 512]}}
"""
DYING = """
import os, signal, sys
from {module} import {work} as work
from slidecloud.cli import main
whole, calls = work.__call__, []
def dying(self, writer):
    calls.append(0)
    if len(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return whole(self, writer)
work.__call__ = dying
main(["hazard", {command!r}, {config!r}])
"""


def write(folder: Path) -> Path:
    """Files of a small region, and its YAML."""
    folder.mkdir()
    files.write_elevation(folder / "dem.tif")
    files.rivers().to_file(folder / "rivers.gpkg")
    files.slides(300).to_file(folder / "slides.gpkg")
    file = folder / "hazard.yaml"
    file.write_text(YAML)
    return file


def killed(file: Path, command: str, module: str, work: str) -> None:
    """Give a command in a process that ends at its third tile."""
    script = DYING.format(module=f"slidecloud.pipeline.{module}", work=work, command=command, config=str(file))
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def made(store: Path) -> dict[str, bytes]:
    """What is stored of hazard, by key."""
    return {key: digest for key, digest in runs.whole(store).items() if key.startswith("hazard/")}


def test_killed_commands_go_on_where_they_were(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    whole, file = write(tmp_path / "whole"), write(tmp_path / "killed")
    for command in ("factors", "units", "risk"):
        assert main(["hazard", command, str(whole)]) == 0
    expected = made(whole.parent / "hazard.zarr")
    capsys.readouterr()

    killed(file, "factors", "hazard_factors", "FactorWork")
    for command in ("units", "risk"):
        assert main(["hazard", command, str(file)]) == 1
        told = capsys.readouterr()
        assert "of the grid" in told.err
        assert "'slidecloud hazard factors'" in told.err
    for command, module, work, units, kept in (
        ("factors", None, None, 8, 2),
        ("units", "hazard_unit_cuts", "CutWork", 10, 3),
        ("risk", "hazard_risk_work", "IndexWork", 12, 6),
    ):
        if module is not None:
            killed(file, command, module, work)
            assert not (file.parent / "hazard.zarr" / "hazard" / "risk_report").exists()
        assert main(["hazard", command, str(file)]) == 0
        assert f"{units - kept} units done, {kept} were done before" in capsys.readouterr().out
        assert main(["hazard", command, str(file)]) == 0
        assert f"0 units done, {units} were done before" in capsys.readouterr().out
    assert made(file.parent / "hazard.zarr") == expected

    # Other weights: until the new levels are whole, no report speaks of the old ones.
    file.write_text(YAML.replace("matrix: [[1, 2, 3], [1/2", "matrix: [[1, 1, 3], [1"))
    killed(file, "risk", "hazard_risk_work", "LevelWork")
    assert not (file.parent / "hazard.zarr" / "hazard" / "risk_report" / "zarr.json").exists()
    assert main(["verify", str(file.parent / "hazard.zarr")]) == 0
    assert main(["hazard", "risk", str(file)]) == 0
    assert "2 units done, 10 were done before" in capsys.readouterr().out
    file.write_text(YAML)
    assert main(["hazard", "risk", str(file)]) == 0
    assert made(file.parent / "hazard.zarr") == expected
