"""Susceptibility of slope units: learnt from their means, the same on the map and in the table, for any tiling."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import susceptible
import xarray as xr

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import hazard_susceptibility, hazard_units
from slidecloud.pipeline.executors import serial
from slidecloud.store import tables
from slidecloud.store.susceptibility_specs import PLACES, UNITS
from slidecloud.store.unit_specs import UNITS_TABLE

SECTION = {"on": "units", "splits": {"number": 3, "repeats": 1}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("land")
    susceptible.write(found, mean=-6.5)
    return found


def _made(folder: Path, store: Path, **more):
    settings = susceptible.with_factors(susceptible.config(folder, store, section=SECTION, **more))
    assert hazard_units.compute(settings, executor=serial()).exit_code == 0
    summary, result = hazard_susceptibility.compute(settings, executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return result


@pytest.fixture(scope="module")
def made(folder: Path, tmp_path_factory: pytest.TempPathFactory):
    store = tmp_path_factory.mktemp("whole") / "hazard.zarr"
    return store, _made(folder, store)


def _table(store: Path, key: str):
    return tables.decode((key, (store / key).read_bytes()))


def _maps(store: Path):
    with (
        xr.open_zarr(store / "hazard" / "susceptibility", chunks=None, mask_and_scale=False) as maps,
        xr.open_zarr(store / "hazard" / "units", chunks=None, mask_and_scale=False) as units,
    ):
        return maps.load(), units["unit"].values


def test_the_map_says_what_the_table_says(made):
    store, _ = made
    maps, unit = _maps(store)
    table = _table(store, UNITS)
    told = dict(zip(table["unit"], table["logistic_probability"], strict=True))
    expected = np.vectorize(lambda number: told.get(number, np.nan), otypes=[np.float32])(unit)
    np.testing.assert_array_equal(maps["logistic_probability"], expected)
    np.testing.assert_array_equal(maps["logistic_class"] == 0, np.isnan(expected))


def test_units_with_a_slide_are_those_that_slides_lie_in(folder, made):
    """Each unit once, with the earliest day of its slides, and the factors of its table."""
    import geopandas

    store, result = made
    _, unit = _maps(store)
    slides = geopandas.read_file(folder / "slides.gpkg")
    row = ((susceptible.TOP - slides.geometry.y) // 100).astype(int)
    column = ((slides.geometry.x - susceptible.LEFT) // 100).astype(int)
    slides["unit"] = unit[row, column]
    earliest = slides[slides["unit"] > 0].groupby("unit")["day"].min().astype(str)
    places = _table(store, PLACES).set_index("place")
    slid = places[places["slide"]]
    expected = earliest[earliest.index.isin(slid.index)]
    assert len(slid) == len(expected)
    assert len(earliest) - len(slid) <= 2  # units in the hole of a factor
    assert [day[:10] for day in slid["date"]] == [day[:10] for day in expected.loc[slid.index]]
    units = _table(store, UNITS_TABLE).set_index("unit")
    np.testing.assert_array_equal(places["slope"], units.loc[places.index, "slope_mean"].astype(float))
    np.testing.assert_array_equal(places["rock"], units.loc[places.index, "rock_majority"].astype(float))
    assert result.told["models"]["logistic"]["auc"] > 0.7


def test_other_tiles_give_the_same_bits(folder, made, tmp_path):
    store, result = made
    other = tmp_path / "hazard.zarr"
    again = _made(folder, other, resources=susceptible.TILE)
    assert again.told == result.told
    for key in (PLACES, UNITS):
        assert (other / key).read_bytes() == (store / key).read_bytes()
    xr.testing.assert_identical(_maps(other)[0], _maps(store)[0])


def test_units_that_other_factors_have_described_are_refused(folder, made, tmp_path):
    store = tmp_path / "hazard.zarr"
    shutil.copytree(made[0], store)
    settings = susceptible.config(folder, store, section=SECTION)
    slope = settings.factors["slope"].model_copy(update={"resampling": "nearest"})
    susceptible.with_factors(settings := settings.model_copy(update={"factors": settings.factors | {"slope": slope}}))
    with pytest.raises(ConfigError, match=r"slope has been made since the units .*'slidecloud hazard units'"):
        hazard_susceptibility.compute(settings, executor=serial())
