"""``slidecloud hazard risk``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import terrain_files as files
import yaml

from slidecloud.cli import main

YAML = """
risk:
  points: slides.geojson
  factors: {slope: {breaks: [5, 10]}, relief: {parts: 3}}
  matrix: [[1, 1/2], [2, 1]]
  picked_by: [slope]
  folds: 2
"""


@pytest.fixture
def hazard(tmp_path: Path) -> Path:
    files.write_elevation(tmp_path / "dem.tif", margin=0)
    files.slides(300).to_file(tmp_path / "slides.geojson")
    content = {
        "store": "hazard.zarr",
        "grid": {"crs": files.CRS, "spacing": files.SPACING, "bounds": list(files.BOUNDS)},
        "factors": {"elevation": {"kind": "raster", "path": "dem.tif"}, "slope": {}, "relief": {"window": 90}},
    }
    file = tmp_path / "hazard.yaml"
    file.write_text(yaml.safe_dump(content) + YAML)
    return file


def test_levels_are_made_told_and_drawn(
    hazard: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["hazard", "risk", str(hazard), "--executor", "serial"]) == 1
    assert "make them with 'slidecloud hazard factors'" in capsys.readouterr().err
    assert main(["hazard", "factors", str(hazard), "--executor", "serial"]) == 0
    pictures = tmp_path / "pictures"
    assert main(["hazard", "risk", str(hazard), "--executor", "serial", "--report", str(pictures)]) == 0
    told = capsys.readouterr()
    assert " held out, " in told.out
    assert "very high" in told.out
    assert "picked by slope, which the index contains" in told.err
    assert "hazard.zarr/hazard/risk" in told.err
    assert sorted(path.name for path in pictures.iterdir()) == [
        "risk-classes.png", "risk-map.png", "risk-roc.png", "risk-weights.png", "risk.html",
    ]  # fmt: skip
    page = (pictures / "risk.html").read_text()
    assert re.search(r"<td>landslides</td><td>\d+, from slides\.geojson</td>", page)
    assert "610 x 270 cells of 30 m, EPSG:32648" in page
    assert "in parts that lie together (kmeans), 2 parts, 5 times" in page


def test_a_matrix_that_is_not_reciprocal_is_refused(hazard: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hazard.write_text(hazard.read_text().replace("1/2", "1/3"))
    assert main(["hazard", "factors", str(hazard), "--executor", "serial"]) == 0
    assert main(["hazard", "risk", str(hazard), "--executor", "serial"]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "relief against slope (row 2, column 1) is 2" in told
    assert "which expects 3" in told
