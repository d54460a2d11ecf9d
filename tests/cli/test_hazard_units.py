"""``slidecloud hazard units``."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import terrain_files as files
import xarray as xr
import yaml

from slidecloud.cli import main


def test_units_follow_the_factors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files.write_elevation(tmp_path / "dem.tif", margin=0)
    cover = np.ones(files.SHAPE, np.uint8)
    cover[:, 300:] = 2
    files.write_map(
        tmp_path / "cover.tif", cover, crs=files.CRS, left=files.BOUNDS[0], top=files.BOUNDS[3], step=files.SPACING
    )
    content = {
        "store": "hazard.zarr",
        "grid": {"crs": files.CRS, "spacing": files.SPACING, "bounds": list(files.BOUNDS)},
        "factors": {
            "elevation": {"kind": "raster", "path": "dem.tif", "units": "m"},
            "aspect": {},
            "cover": {"kind": "category", "path": "cover.tif"},
        },
        "units": {"least_area": 60e3},
    }
    file = tmp_path / "hazard.yaml"
    file.write_text(yaml.safe_dump(content))
    assert main(["hazard", "units", str(file), "--executor", "serial"]) == 1
    assert "slidecloud hazard factors" in capsys.readouterr().err
    assert main(["hazard", "factors", str(file), "--executor", "serial"]) == 0
    assert main(["hazard", "units", str(file), "--executor", "serial", "--spread", "0.2"]) == 0
    said = capsys.readouterr().err
    assert "slope units, mean" in said
    assert "Aspects averaged over 69 m" in said
    table = geopandas.read_parquet(tmp_path / "hazard.zarr" / "hazard" / "units.parquet")
    unit = xr.open_zarr(tmp_path / "hazard.zarr" / "hazard" / "units").unit.values
    assert np.array_equal(table["unit"], np.unique(unit))
    assert (table["aspect_spread"] <= 0.2 + 1e-6).all()
    assert {"elevation_mean", "elevation_std", "aspect_mean", "aspect_std", "cover_majority"} < set(table)
    assert set(table["cover_majority"]) == {1, 2}
    assert main(["hazard", "units", str(file), "--executor", "serial", "--spread", "2"]) == 2
    assert "spread" in capsys.readouterr().err
    assert main(["hazard", "units", str(file), "--executor", "serial", "--memory", "350 MiB", "--spread", "0.1"]) == 1
    assert "The flow over the whole grid" in capsys.readouterr().err
