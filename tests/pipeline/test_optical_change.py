"""Two dates of outlines over a small run: tables, classes and counts against the maps that they were made of."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import runs
import shapely
import sliding
import small
from two_dates import computed, made, put, ring, squares_file

from slidecloud import open_run
from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.stability import CLASSES
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store.optical_change_specs import CHANGE, DENSITY, OUTLINE_CLASSES, TABLES
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES
from slidecloud.types import DataError

STAGES = "stages: [gradients, detect, timeseries, visibility, classify]"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished run whose landslides are classified, not to be changed."""
    made = tmp_path_factory.mktemp("moved")
    small.stack(made, small.scene())
    summary = runs.rerun(
        made, "resources: {executor: serial, memory: 2 GiB}", STAGES, "timeseries: {where: everywhere}",
        "classify: {least_points: 4}",
    )  # fmt: skip
    assert summary.exit_code == 0, summary.lines()
    return made


@pytest.fixture
def store(folder, tmp_path):
    shutil.copytree(folder / "run.zarr", tmp_path / "run.zarr")
    return tmp_path / "run.zarr"


def test_classes_are_those_of_classify_for_the_same_polygons(store):
    run = open_run(str(store))
    put(store, "old", [])
    put(store, "young", run.inventory.geometry, run.inventory["id"])
    result = made(store)
    found = result.stability
    assert [*found.columns] == [*(spec.name for spec in OUTLINE_CLASSES), "geometry"]
    ours, theirs = found.assign(id=found["outline"]), run.stability
    same = [spec.name for spec in LANDSLIDE_CLASSES]
    assert len(theirs) >= 1
    assert ours[same].equals(theirs[same])
    assert set(found["change"]) == {"new"}
    assert result.facts["classes"] == {
        name: int((theirs.loc[theirs["deciding"], "class"] == name).sum()) for name in CLASSES.values()
    }


def test_counts_are_those_of_numpy(store):
    """Squares all over the scene: mean velocity and class of the pixels whose centres lie inside."""
    squares = [ring(row, column, 6) for row in range(6, 60, 12) for column in range(6, 76, 12)]
    put(store, "old", squares[:4])
    put(store, "young", squares[2:])
    result = made(store)
    run = open_run(str(store))
    maps = run.timeseries(small.BURST)
    velocity, sigma = maps["velocity"].values, maps["velocity_sigma"].values
    longitude, latitude = sliding.positions(small.scene())
    seen = result.stability.set_index("id")
    names = [*(f"young/young{n}" for n in range(len(squares) - 2)), "old/old0", "old/old1"]
    assert [*seen.index] == names
    counted = dict.fromkeys(CLASSES.values(), 0)
    for name, shape in zip(names, [*squares[2:], *squares[:2]], strict=True):
        inside = shapely.contains_xy(shape, longitude, latitude) & np.isfinite(velocity) & np.isfinite(sigma)
        assert seen.loc[name, "points"] == inside.sum()
        if inside.sum() < 4:
            counted["unknown"] += 1
            assert seen.loc[name, "note"] != ""
            continue
        mean = velocity[inside].mean(dtype=np.float64)
        assert seen.loc[name, "velocity"] == pytest.approx(mean, rel=1e-5)
        assert seen.loc[name, "velocity_sigma"] == pytest.approx(sigma[inside].mean(dtype=np.float64), rel=1e-5)
        place = np.searchsorted(np.array([-20, -10, -5, 5]), 1000 * mean)
        counted[["rapid", "active", "potentially unstable", "stable", "uplift"][place]] += 1
    assert result.facts["classes"] == counted
    assert sum(number > 0 for number in counted.values()) >= 2
    assert result.facts["changes"] == {
        "new": len(squares) - 4, "grown": 0, "unchanged": 2, "shrunk": 0, "split": 0, "merged": 0, "regrouped": 0,
        "vanished": 2, "unseen": 0,
    }  # fmt: skip
    assert [*result.changes.columns] == [*(spec.name for spec in CHANGE), "geometry"]
    # Every landslide is in its map of density, which has room around the outermost ones.
    density = result.density
    assert set(density.data_vars) - {"spatial_ref"} == {spec.name for spec in DENSITY}
    high = np.radians(0.01) * 6371.0088
    area = high**2 * np.cos(np.radians(density["y"].values))[:, None]
    for name, number in (("before", 4), ("after", len(squares) - 2), ("new", len(squares) - 4)):
        assert (density[f"density_{name}"].values * area).sum() == pytest.approx(number, rel=1e-3)


def test_outlines_without_enough_points_say_so(store):
    far = shapely.box(10.0, 10.0, 10.001, 10.001)
    put(store, "old", [])
    put(store, "young", [ring(30, 40, 1), far, ring(30, 40, 20)])
    found = made(store, radar=ClassifyConfig(least_points=5)).stability.set_index("outline")
    assert found.loc["young1", "note"] == "no pixel inside has a velocity"
    assert found.loc["young1", "class"] == "unknown"
    assert found.loc["young0", "note"].endswith("a velocity, at least 5 are needed")
    assert found.loc["young2", "note"] == ""
    assert found.loc["young2", "class"] != "unknown"


def test_it_is_done_once_and_again_when_outlines_are_other(store):
    put(store, "old", [ring(30, 40, 6)])
    put(store, "young", [ring(30, 40, 9)])
    first, result = computed(store)
    assert (first.done, first.skipped) == (1, 0)
    assert result.facts["changes"]["grown"] == 1
    again, same = computed(store)
    assert (again.done, again.skipped) == (0, 1)
    assert same.facts == result.facts
    put(store, "young", [])
    other, result = computed(store)
    assert other.done == 1
    assert result.facts["changes"]["vanished"] == 1
    assert [*result.stability["id"]] == ["old/old0"]


def test_all_that_is_written_has_an_owner(store, tmp_path):
    put(store, "old", [ring(30, 40, 6)])
    here = squares_file(tmp_path / "__Mapped (by Hand).gpkg", [ring(30, 40, 9)])
    made(store, after=str(here))
    place = store / "optical" / "change-old-mapped_by_hand"
    assert sorted(path.name for path in place.glob("*.parquet")) == sorted(TABLES)
    found = collect(str(store))
    # The outlines were not mapped here but put there by this test.
    assert [one.key for one in found.orphans] == ["optical/old.parquet"]
    assert not found.foreign
    assert not verify(str(store)).damaged
    (place / "changes.parquet").write_bytes(b"")
    damaged = verify(str(store)).damaged
    assert [one.key for one in damaged] == ["optical/change-old-mapped_by_hand/changes.parquet"]
    assert "the commands of 'slidecloud optical' again" in damaged[0].remedy
    shutil.rmtree(store / ".slidecloud/done/optical_change")
    left = {one.key.removeprefix("optical/change-old-mapped_by_hand/") for one in collect(str(store)).orphans}
    assert {*TABLES, "density/density_after/c/0/0"} <= left


def test_two_empty_dates(store):
    put(store, "old", [])
    put(store, "young", [])
    result = made(store)
    assert sum(result.facts["changes"].values()) == 0
    assert result.density is None
    assert len(result.changes) == len(result.stability) == len(result.rain) == 0


def test_rain_is_held_against_outlines(store, tmp_path):
    run = open_run(str(store))
    first = run.timeseries(small.BURST).time.values[0].astype("datetime64[D]") - np.timedelta64(120, "D")
    fallen = np.random.default_rng(1).gamma(0.5, 8.0, 500).round(1)
    table = tmp_path / "rain.csv"
    table.write_text("date,rain\n" + "".join(f"{first + n},{value}\n" for n, value in enumerate(fallen)))
    put(store, "old", [])
    put(store, "young", [ring(30, 40, 12), ring(10, 10, 6)])
    result = made(store, radar=ClassifyConfig(rain=str(table)))
    seen = result.stability
    assert sorted(result.rain["id"]) == sorted(seen.loc[seen["points"] > 0, "id"])
    assert result.rain["p_value"].between(0, 1).all()


def test_files_in_other_crs_are_brought_over_on_purpose(store, tmp_path):
    put(store, "young", [ring(30, 40, 6)])
    here = squares_file(tmp_path / "Mapped by Hand.gpkg", [ring(30, 40, 6)])
    there = squares_file(tmp_path / "utm.gpkg", [ring(30, 40, 6)], "EPSG:32648")
    result = made(store, before=str(here))
    assert result.dates == ("mapped_by_hand", "young")
    assert [*result.changes["before"]] == ["1"]
    assert result.facts["changes"]["unchanged"] == 1
    with pytest.raises(ConfigError, match=r"change.before: .*is in EPSG:32648.*Say 'reproject: true'"):
        made(store, before=str(there))
    assert made(store, before=str(there), reproject=True).facts["changes"]["unchanged"] == 1


def test_what_is_not_there_is_named(store, tmp_path):
    put(store, "old", [])
    with pytest.raises(ConfigError, match=r"change.after is 'young', of which .* has no outlines"):
        made(store)
    with pytest.raises(FileNotFoundError, match="no file"):
        made(store, after=str(tmp_path / "none.gpkg"))
    twice = squares_file(tmp_path / "twice.gpkg", [ring(5, 5, 3), ring(30, 30, 3)], id=["one", "one"])
    with pytest.raises(DataError, match="the id 'one' is that of several outlines"):
        made(store, after=str(twice))
