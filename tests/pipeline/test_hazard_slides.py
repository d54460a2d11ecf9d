"""Slides and absences of many makings on the way to susceptibility, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import geopandas
import numpy as np
import pytest
import susceptible
import xarray as xr

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.factors import grid_of
from slidecloud.pipeline import hazard_slides, hazard_susceptibility
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.hazard_land import land_of
from slidecloud.store import locate, tables
from slidecloud.store.susceptibility_specs import PLACES
from slidecloud.types import DataError

SIDE = 140
INSAR = {"factors": [*susceptible.SECTION["factors"], "rate"], "deformation": ["rate"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """About 500 slides, which follow the deformation rate too."""
    found = tmp_path_factory.mktemp("land")
    susceptible.write(found, side=SIDE, gain=1.0, mean=-4.5)
    return found


@pytest.fixture(scope="module")
def bare(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("factors") / "hazard.zarr"
    susceptible.with_factors(susceptible.config(folder, store, side=SIDE))
    return store


@pytest.fixture
def store(bare: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bare, tmp_path / "hazard.zarr"))


def _made(folder, store, section, **more):
    settings = susceptible.config(folder, store, side=SIDE, section=section, **more)
    summary, result = hazard_susceptibility.compute(settings, executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return result


def _places(store: Path):
    return tables.decode((PLACES, (store / PLACES).read_bytes()))


def test_deformation_gains_where_it_tells_and_its_maps_are_made(folder, store):
    result = _made(folder, store, INSAR | {"series_end": "2020-12-31"})
    assert result.models == ("logistic", "logistic_insar")
    assert result.told["gains"]["logistic"]["folds"]["low"] > 0.01
    with xr.open_zarr(store / "hazard" / "susceptibility", chunks=None) as maps:
        assert {f"logistic_insar_{name}" for name in ("probability", "class")} <= set(maps.data_vars)


def test_slides_that_the_series_saw_are_refused_or_dropped(folder, store):
    """Slides are of the first 300 days of 2021, one each day in turn."""
    late = INSAR | {"series_end": "2021-03-31"}
    with pytest.raises(DataError, match="are not younger than the end of their deformation series"):
        _made(folder, store, late)
    with pytest.raises(DataError, match="series_end: found none, expected the last date of the series behind rate"):
        _made(folder, store, INSAR)
    with pytest.raises(DataError, match="undated"):
        _made(folder, store, late | {"date": None})
    result = _made(folder, store, late | {"older_slides": "drop"})
    assert any("older than the end of their deformation series were left out" in text for text in result.caveats)
    # A model without deformation has nothing to look up.
    assert _made(folder, store, {"series_end": "2021-12-31"}).told["gains"] == {}


def test_polygons_are_their_centres_or_all_their_cells(folder, store, tmp_path):
    frame = geopandas.read_file(folder / "slides.gpkg").iloc[::4]
    frame.geometry = frame.geometry.buffer(170)
    frame.to_file(tmp_path / "areas.gpkg")
    section = {"slides": str(tmp_path / "areas.gpkg")}
    _made(folder, store, section)
    centres = _places(store)
    result = _made(folder, store, section | {"polygons": "cells"})
    cells = _places(store)
    slid = set(cells["place"][cells["slide"]])
    assert len(slid) > 5 * centres["slide"].sum()
    assert not slid & set(centres["place"][~centres["slide"]])
    assert any("fewer independent slides" in text for text in result.caveats)


def test_given_absences_are_those_of_the_file(folder, store, tmp_path):
    rng = np.random.default_rng(0)
    count = 300
    x = susceptible.LEFT + rng.uniform(0, SIDE * 100, count)
    y = susceptible.TOP - rng.uniform(0, SIDE * 100, count)
    lines = [f"{a},{b},{k % 2}" for k, (a, b) in enumerate(zip(x, y, strict=True))]
    (tmp_path / "both.csv").write_text("east,north,slid\n" + "\n".join(lines))
    section = {
        "slides": str(tmp_path / "both.csv"), "date": None, "coordinates": ["east", "north"], "crs": susceptible.CRS,
        "absences": {"method": "given", "column": "slid"}, "true_share": 0.01,
    }  # fmt: skip
    result = _made(folder, store, section)
    found = _places(store)
    row, column = ((susceptible.TOP - y) // 100).astype(int), ((x - susceptible.LEFT) // 100).astype(int)
    known = (row >= 5) | (column >= 40)
    cells = row * SIDE + column
    slid = np.arange(count) % 2 == 1
    assert set(found["place"][found["slide"]]) == set(cells[known & slid])
    assert set(found["place"][~found["slide"]]) == set(cells[known & ~slid]) - set(cells[slid])
    assert result.told["true_share"] == 0.01
    with pytest.raises(ConfigError, match="name its columns of x and y with coordinates"):
        _made(folder, store, section | {"coordinates": None, "crs": None})


def test_the_inventory_of_a_run_is_undated_and_said_to_be_found_by_motion(folder, store, monkeypatch):
    frame = geopandas.read_file(folder / "slides.gpkg").to_crs("EPSG:4326")
    monkeypatch.setattr(hazard_slides, "open_run", lambda _: SimpleNamespace(inventory=frame))
    monkeypatch.setattr(hazard_susceptibility, "check_store", lambda *_, **__: None)
    monkeypatch.setattr(hazard_susceptibility, "ensure_store", lambda *_, **__: None)
    settings = susceptible.config(folder, store, side=SIDE)
    section = settings.susceptibility.model_copy(update={"slides": None, "date": None})
    settings = settings.model_copy(update={"susceptibility": section, "run": str(store), "store": None})
    _, result = hazard_susceptibility.compute(settings, executor=serial())
    assert "found by what moves" in result.caveats[0]
    assert _places(store)["date"].eq("").all()


def test_a_run_that_found_nothing_is_told_as_such(folder, store, monkeypatch):
    frame = geopandas.read_file(folder / "slides.gpkg").to_crs("EPSG:4326").iloc[:0]
    monkeypatch.setattr(hazard_slides, "open_run", lambda _: SimpleNamespace(inventory=frame))
    settings = susceptible.config(folder, store, side=SIDE)
    section = settings.susceptibility.model_copy(update={"slides": None})
    with pytest.raises(DataError, match=r"run's inventory holds no landslide; give susceptibility\.slides"):
        hazard_slides.slides_of(settings, section, locate(str(store)), grid_of(settings.grid))


def test_absences_keep_away_from_slides_and_follow_effort(folder, store):
    _made(folder, store, {"absences": {"method": "buffered", "distance": 400}})
    found = _places(store)
    slides, others = (found[found["slide"] == kind][["x", "y"]].to_numpy() for kind in (True, False))
    gap = np.hypot(*(others[:, None] - slides[None]).transpose(2, 0, 1)).min()
    assert 400 <= gap < 600
    _made(folder, store, {"absences": {"method": "target_group", "effort": "rock"}})
    found = _places(store)
    assert (found["rock"][~found["slide"]] == 1).all()


def test_each_region_is_left_out_once(folder, store):
    """The two rocks are the regions, and no factor; parameters are chosen inside each training."""
    section = {"factors": [], "splits": {"method": "regions", "region": "rock"}, "tuned": True}
    result = _made(folder, store, section)
    model = result.told["models"]["logistic"]
    assert len(model["auc_of_folds"]) == 2
    assert "rock" not in model["factors"]


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"circular": ["slope"]}, "taken for an angle and is in '1'; say 'units: degrees'"),
        ({"slides": "nowhere.gpkg"}, r"There is no file nowhere\.gpkg"),
        ({"on": "units"}, "holds none; make them with 'slidecloud hazard units'"),
        ({"date": "month"}, "names 'month'; the slides have day"),
        ({"absences": {"method": "buffered", "distance": 1e6}}, "and 0 places without one"),
    ],
)
def test_what_cannot_be_done_is_told(folder, store, section, says):
    try:
        settings = susceptible.config(folder, store, side=SIDE, section=section)
        summary, _ = hazard_susceptibility.compute(settings, executor=serial())
        told = summary.quarantined[0].reason
    except (ConfigError, FileNotFoundError) as error:
        told = str(error)
    assert re.search(says, told), told


@pytest.mark.parametrize("made", [{"kind": "density", "radius": 500}, {"kind": "distance"}, {"kind": "category"}])
def test_what_is_made_of_the_very_slides_is_no_factor(folder, store, made):
    settings = susceptible.config(folder, store, side=SIDE, section={"factors": []})
    past = made | {"path": settings.susceptibility.slides}
    given = settings.model_dump() | {"factors": settings.model_dump(exclude_defaults=True)["factors"] | {"past": past}}
    with pytest.raises(ConfigError, match=f"past, a {made['kind']} made of the very slides"):
        hazard_susceptibility.compute(type(settings).model_validate(given), executor=serial())


def test_a_direction_is_one_by_its_kind_whatever_its_name(folder, store):
    settings = susceptible.config(folder, store, side=SIDE)
    given = settings.model_dump(exclude_defaults=True)
    given["factors"] |= {"facing": {"kind": "aspect"}, "wind": given["factors"]["rate"] | {"units": "degrees"}}
    given["susceptibility"] |= {"factors": ["slope", "facing", "wind"], "circular": ["wind"]}
    settings = susceptible.with_factors(HazardConfig.model_validate(given))
    found = land_of(settings, settings.susceptibility, locate(str(store)), grid_of(settings.grid))
    assert found.settings.circular == ("facing", "wind")
    assert [layer.scale for layer in found.layers] == [1.0, 1.0, np.pi / 180]


@pytest.mark.parametrize(
    ("splits", "says"),
    [({"buffer": 1e5}, "buffer: 100000 m around fold 0"), ({"method": "blocks", "block": 1e5}, "makes . blocks")],
)
def test_splits_that_places_do_not_allow_are_refused_before_anything_is_learnt(folder, store, splits, says):
    settings = susceptible.config(folder, store, side=SIDE, section={"splits": splits})
    with pytest.raises(DataError, match=f"of them slides, cannot be split as susceptibility.splits asks for: .*{says}"):
        hazard_susceptibility.compute(settings, executor=serial())


def test_factors_come_first(folder, tmp_path):
    with pytest.raises(ConfigError, match="holds no factors yet; make them with 'slidecloud hazard factors'"):
        hazard_susceptibility.compute(susceptible.config(folder, tmp_path / "empty.zarr", side=SIDE), executor=serial())
    settings = susceptible.config(folder, tmp_path / "empty.zarr", side=SIDE).model_copy(
        update={"susceptibility": None}
    )
    with pytest.raises(ConfigError, match="susceptibility is missing; add the section"):
        hazard_susceptibility.compute(settings, executor=serial())
