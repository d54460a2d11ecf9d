"""The stage of susceptibility: from files to probabilities, the same bits for any tiling and after any interruption."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import susceptible
import xarray as xr
from region import region

from slidecloud.hazard.assessment import assess
from slidecloud.hazard.ground import Ground
from slidecloud.hazard.scores import calibration_error
from slidecloud.pipeline import hazard_susceptibility
from slidecloud.pipeline.executors import SerialExecutor, serial, threads
from slidecloud.store import locate, tables
from slidecloud.store.susceptibility_specs import PLACES

SIDE = 300
ENDINGS = ("probability", "spread", "applicability", "class")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("land")
    susceptible.write(found)
    return found


@pytest.fixture(scope="module")
def bare(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with its factors, made once."""
    store = tmp_path_factory.mktemp("factors") / "hazard.zarr"
    susceptible.with_factors(susceptible.config(folder, store))
    return store


@pytest.fixture(scope="module")
def made(folder: Path, bare: Path, tmp_path_factory: pytest.TempPathFactory):
    """Susceptibility in one tile: the store and what the stage gave."""
    store = _copied(bare, tmp_path_factory.mktemp("whole"))
    summary, result = hazard_susceptibility.compute(susceptible.config(folder, store), executor=serial())
    assert summary.exit_code == 0, summary.lines()
    return store, result


def _copied(bare: Path, folder: Path) -> Path:
    return Path(shutil.copytree(bare, folder / "hazard.zarr"))


def _maps(store: Path) -> dict[str, np.ndarray]:
    with xr.open_zarr(store / "hazard" / "susceptibility", chunks=None, mask_and_scale=False) as found:
        return {str(name): found[name].values for name in found.data_vars if found[name].ndim == 2}


def _same(one: Path, other: Path) -> None:
    first, second = _maps(one), _maps(other)
    assert list(first) == list(second)
    for name, values in first.items():
        np.testing.assert_array_equal(second[name], values, err_msg=name)
    key = Path(PLACES)
    assert (one / key).read_bytes() == (other / key).read_bytes()


def _places(store: Path):
    return tables.decode((PLACES, (store / PLACES).read_bytes()))


def test_it_is_what_learning_in_memory_gives(folder, made):
    """The very places, and the very probabilities, of the whole land held at once."""
    store, result = made
    land = region(0, side=SIDE, mean=-5.0)
    table = land.table.astype(np.float32).assign(rock=(land.table["distance"] > 0).astype(np.int16))
    hole = (np.arange(SIDE * SIDE) // SIDE < 5) & (np.arange(SIDE * SIDE) % SIDE < 40)
    table.loc[hole, "wetness"] = np.nan
    x, y = susceptible.LEFT + land.x + 50.0, susceptible.TOP - land.y - 50.0
    found = assess(Ground(table, x, y, land.slid, ("rock",)), susceptible.config(folder, store).susceptibility)
    np.testing.assert_array_equal(_places(store)["place"], found.sample.place)
    assert result.told["sample"] == found.sample.record()
    expected = found.models["logistic"].mapper.maps(table).probability.astype(np.float32)
    np.testing.assert_array_equal(_maps(store)["logistic_probability"].ravel(), expected)


def test_probabilities_hold_on_the_ground(made):
    """One cell in sixty slides, where the sample has one in three."""
    store, result = made
    land = region(0, side=SIDE, mean=-5.0)
    told = _maps(store)["logistic_probability"].ravel().astype(float)
    known = np.isfinite(told)
    assert (~known).sum() == 200
    assert calibration_error(told[known], land.slid[known]) < 0.003
    assert np.corrcoef(told[known], land.truth[known])[0, 1] > 0.98
    model = result.told["models"]["logistic"]
    assert model["success"]["area"] == pytest.approx(model["auc"], abs=0.02)
    assert result.told["true_share"] == pytest.approx(land.slid.mean(), rel=0.02)
    assert sum(model["class_cells"]) == SIDE * SIDE
    assert model["class_cells"][0] == 200


def test_other_tiles_and_threads_give_the_same_bits_and_a_second_run_does_nothing(folder, bare, made, tmp_path):
    store = _copied(bare, tmp_path)
    settings = susceptible.config(folder, store, resources=susceptible.TILE)
    summary, result = hazard_susceptibility.compute(settings, executor=threads(2))
    assert summary.done == 8
    _same(made[0], store)
    assert result.told == made[1].told
    again, same = hazard_susceptibility.compute(settings, executor=serial())
    assert (again.done, again.skipped) == (0, 8)
    assert same.told == result.told
    # Other borders of the classes need nothing learnt again.
    area = susceptible.config(folder, store, resources=susceptible.TILE, section={"classes": "area"})
    other, changed = hazard_susceptibility.compute(area, executor=serial())
    assert (other.done, other.skipped) == (2, 6)
    cells = np.array(changed.told["models"]["logistic"]["class_cells"][1:])
    np.testing.assert_allclose(cells / cells.sum(), 0.2, atol=0.005)


class _Killed(SerialExecutor):
    """Dies when it is given one unit too many."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.left = units

    def submit(self, *arguments, **options):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        super().submit(*arguments, **options)


@pytest.mark.parametrize("units", [1, 4, 7])
def test_a_killed_run_goes_on_where_it_was(folder, bare, made, tmp_path, units):
    """While slides are drawn, between learning and mapping, and amid the classes."""
    store = _copied(bare, tmp_path)
    settings = susceptible.config(folder, store, resources=susceptible.TILE)
    with pytest.raises(KeyboardInterrupt):
        hazard_susceptibility.compute(settings, executor=_Killed(units))
    summary, result = hazard_susceptibility.compute(settings, executor=serial())
    assert summary.exit_code == 0
    assert 8 - units <= summary.done < 8 or units == 1
    _same(made[0], store)
    assert result.told == made[1].told


def test_a_report_speaks_of_the_maps_beside_it_or_is_not_there(folder, made, tmp_path):
    store = _copied(made[0], tmp_path)
    report = store / "hazard" / "susceptibility_report" / "zarr.json"
    assert report.is_file()
    settings = susceptible.config(folder, store, section={"seed": 1})
    with pytest.raises(KeyboardInterrupt):
        hazard_susceptibility.compute(settings, executor=_Killed(1))
    assert not report.exists()


def test_ground_whose_factors_are_lost_is_set_aside(folder, bare, tmp_path):
    store = _copied(bare, tmp_path)
    (store / "hazard" / "factors" / "slope" / "c" / "1" / "0").unlink()
    settings = susceptible.config(folder, store, resources=susceptible.TILE)
    summary, result = hazard_susceptibility.compute(settings, executor=serial())
    assert (summary.exit_code, result) == (3, None)
    assert "slope/c/1/0 is missing" in summary.quarantined[0].reason


def test_a_lost_model_is_named_with_its_remedy(folder, bare, tmp_path):
    store = _copied(bare, tmp_path)
    settings = susceptible.config(folder, store)
    with pytest.raises(KeyboardInterrupt):
        hazard_susceptibility.compute(settings, executor=_Killed(3))
    (store / "hazard" / "susceptibility_models" / "logistic.npz").write_bytes(b"PK")
    summary, _ = hazard_susceptibility.compute(settings, executor=serial())
    assert "logistic.npz holds no model" in summary.quarantined[0].reason
    assert locate(str(store)).read("hazard/susceptibility_report/zarr.json") is None
