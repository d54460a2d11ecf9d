"""``slidecloud hazard``."""

from __future__ import annotations

from pathlib import Path

import pytest
import terrain_files as files
import yaml

from slidecloud.cli import main
from slidecloud.config_hazard import HazardConfig, parse


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


def test_the_configuration_that_is_printed_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hazard", "factors", "--print-config"]) == 0
    text = capsys.readouterr().out
    found = parse(text)
    assert set(yaml.safe_load(text)) == set(HazardConfig.model_fields) - {"run"}
    # The judgements speak of the factors in this order.
    assert found.risk is not None
    assert list(found.risk.factors) == ["slope", "aspect", "rivers"]
    assert main(["hazard", "factors"]) == 2
    assert "--print-config" in capsys.readouterr().err
