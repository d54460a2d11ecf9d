"""What follows from factors takes them whole and as they are configured, or says what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
import terrain_files as files

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import hazard_factors, hazard_units
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_made import STAGE, check_made, known
from slidecloud.store import locate, records

WEST, SOUTH, EAST, NORTH = files.BOUNDS


def config(folder: Path, *, bounds: tuple[float, ...] = files.BOUNDS, resampling: str | None = None, **factors: dict):
    """Elevation and slope in tiles of one chunk, and what is given beside them."""
    ground = {"kind": "raster", "path": str(folder / "dem.tif"), "resampling": resampling}
    return HazardConfig.model_validate(
        {
            "store": str(folder / "hazard.zarr"),
            "grid": {"crs": files.CRS, "spacing": files.SPACING, "bounds": bounds},
            "factors": {"elevation": ground, "slope": {}, **factors},
            "resources": {"tile": [256, 512]},
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("ground")
    files.write_elevation(found / "dem.tif")
    assert hazard_factors.compute(config(found, relief={"window": 330}), executor=serial()).exit_code == 0
    return found


def check(folder: Path, name: str, **changes) -> None:
    settings = config(folder, **{"relief": {"window": 330}} | changes)
    check_made(locate(settings.place), settings, [name])


def test_what_is_made_as_asked_for_is_taken(folder):
    check(folder, "slope")
    check(folder, "relief")
    # Other factors may have changed, and resources may.
    check(folder, "slope", relief={"window": 90})
    assert known(locate(config(folder).place)) == {"elevation": 1.0, "slope": 1.0, "relief": 1.0}


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("relief", {"relief": {"window": 90}}, r"factors\.relief, or the elevation .* has been changed since"),
        ("slope", {"resampling": "linear"}, r"factors\.slope, or the elevation .* has been changed since"),
        ("aspect", {"aspect": {}}, r"factors\.aspect is not made"),
        ("slope", {"bounds": (WEST + 30, SOUTH, EAST + 30, NORTH)}, "grid is not that of the factors"),
    ],
)
def test_what_has_been_changed_since_is_refused(folder, name, changes, says):
    with pytest.raises(ConfigError, match=f"{says}.*'slidecloud hazard factors'"):
        check(folder, name, **changes)


def test_a_store_without_factors_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="holds no factors yet; make them with 'slidecloud hazard factors'"):
        hazard_units.compute(config(tmp_path), executor=serial())


def test_factors_that_are_made_in_part_are_refused(folder):
    location = locate(config(folder).place)
    lost = min(records.done(location, stage=STAGE), key=lambda key: key.unit)
    kept = records.read(location, lost)
    records.withdraw(location, lost)
    try:
        with pytest.raises(ConfigError, match=r"factors\.slope is made on \d+\.\d% of the grid"):
            check(folder, "slope")
    finally:
        records.write(location, kept)
