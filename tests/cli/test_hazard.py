"""``slidecloud hazard``."""

from __future__ import annotations

from pathlib import Path

import pytest
import terrain_files as files
import yaml

from slidecloud.cli import main


def test_factors_are_made_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.write_elevation(tmp_path / "dem.tif", margin=0)
    content = {
        "store": "hazard.zarr",
        "grid": {"crs": files.CRS, "spacing": files.SPACING, "bounds": list(files.BOUNDS)},
        "factors": {"elevation": {"kind": "raster", "path": "dem.tif"}, "relief": {"window": 90}},
    }
    file = tmp_path / "hazard.yaml"
    file.write_text(yaml.safe_dump(content))
    assert main(["hazard", "factors", str(file), "--executor", "serial"]) == 0
    told = capsys.readouterr()
    assert "relief     100.0% known" in told.out
    assert "hazard.zarr/hazard/factors" in told.err
    assert (tmp_path / "hazard.zarr" / "hazard" / "factors" / "relief" / "zarr.json").is_file()
    assert main(["hazard", "factors", str(tmp_path / "none.yaml")]) == 1
    assert "no configuration" in capsys.readouterr().err
