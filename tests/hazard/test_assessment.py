"""A whole area, as configured."""

from __future__ import annotations

import json

import numpy as np
import pytest
from region import STATIC, region

from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.hazard.assessment import assess
from slidecloud.hazard.assessment_curves import curves
from slidecloud.hazard.assessment_report import report
from slidecloud.hazard.ground import Ground
from slidecloud.hazard.scores import calibration_error, rate_curve
from slidecloud.types import DataError

END = np.datetime64("2021-06-30T00:00:00")


def _ground(gain, side=90, seed=0, days=100):
    land = region(seed, side=side, gain=gain)
    date = np.where(land.slid, END + np.timedelta64(days, "D"), np.datetime64("NaT"))
    table = land.table.assign(rock=(land.table["slope"] > 0).astype(int), aspect=np.arange(land.slid.size) % 7.0)
    table.iloc[5, 0] = np.nan
    return land, Ground(table, land.x, land.y, land.slid, ("rock",), date, END)


def _config(**change):
    given = {
        "models": ["logistic"],
        "deformation": ["rate"],
        "absences": {"ratio": 2},
        "splits": {"method": "blocks", "block": 1500, "repeats": 2},
        "draws": 100,
    }
    return SusceptibilityConfig.model_validate({**given, **change})


def test_an_area_is_learnt_without_and_with_deformation():
    land, ground = _ground(1.0)
    found = assess(ground, _config())
    assert list(found.models) == list(found.optimistic) == ["logistic", "logistic_insar"]
    assert "rate" not in found.models["logistic"].predictor.design.factors
    assert set(found.models["logistic"].predictor.design.categories["rock"]) == {0, 1}
    assert found.gains["logistic"].folds.low > 0.02
    assert found.block > 0
    told = found.models["logistic_insar"].mapper.maps(ground.table).probability
    assert np.isnan(told[5])
    known = np.isfinite(told)
    assert calibration_error(told[known], land.slid[known]) < 0.01
    assert found.sample.record()["absences"] == 2 * found.sample.slides


def test_report_is_plain_and_says_what_speaks_against_it():
    _, ground = _ground(0.0, seed=3, side=60)
    found = assess(ground, _config(splits={"repeats": 2}))
    told = json.loads(json.dumps(report(found), allow_nan=False))
    plain = told["models"]["logistic"]
    assert plain["factors"] == [*STATIC, "rock", "aspect"]
    assert len(plain["auc_of_folds"]) == 10
    assert plain["auc"] == pytest.approx(np.mean(plain["auc_of_folds"]))
    assert plain["permutation_loss"][0] > 0.05 > plain["permutation_loss"][2]
    assert told["gains"]["logistic"]["folds"]["low"] < 0 < told["gains"]["logistic"]["folds"]["high"]
    assert plain["calibration_error_corrected"] < 0.12
    assert any("cannot be told from none" in each for each in told["caveats"])
    assert any("nobody mapped" in each for each in told["caveats"])


def test_slides_are_caught_by_less_ground_when_they_were_learnt_from():
    """By trees, which remember them; on ground that they had not seen slides lie lower."""
    pytest.importorskip("lightgbm")
    _, ground = _ground(0.0, side=60)
    config = _config(deformation=[], models=["lightgbm"], factors=STATIC, splits={"repeats": 1, "optimistic": False})
    found = assess(ground, config)
    surface = found.models["lightgbm"].mapper.maps(ground.table).probability
    at_slides = curves(found, "lightgbm")["at_slides"]
    success, prediction = (rate_curve(surface, at_slides[kind]).area for kind in ("learnt", "unseen"))
    assert success > prediction + 0.02
    assert prediction > 0.6


def test_buffer_of_the_variogram_is_kept_around_tests():
    _, ground = _ground(0.0, side=70)
    splits = {"method": "kmeans", "repeats": 1, "optimistic": False, "buffer": "variogram"}
    found = assess(ground, _config(deformation=[], splits=splits))
    assert found.buffer == found.reach
    assert found.optimistic == found.gains == {}
    trained = [each.train + each.test for each in found.models["logistic"].evaluation.fold_scores]
    assert max(trained) <= found.places.event.size
    assert min(trained) < found.places.event.size or found.reach == 0


def test_few_slides_are_learnt_from_without_a_variogram():
    """Thirteen slides and as many absences: no range is seen, which is said, and none is needed."""
    _, ground = _ground(0.0, side=60)
    slides = np.flatnonzero(ground.slid)
    few = np.isin(np.arange(ground.slid.size), slides[:: -(-slides.size // 13)][:13])
    small = Ground(ground.table, ground.x, ground.y, few, ground.categories)
    plain = {"deformation": [], "factors": ["slope", "wetness"], "absences": {}}
    found = assess(small, _config(**plain, splits={"number": 3, "repeats": 1}))
    assert found.places.event.size == 26
    told = report(found)
    assert (told["variogram_range_m"], told["buffer_m"]) == (None, 0)
    assert any("26 places are too few to see how far" in each for each in told["caveats"])
    with pytest.raises(DataError, match="buffer is 'variogram', and 26 places, 13 of them slides, are too few"):
        assess(small, _config(**plain, splits={"number": 3, "buffer": "variogram"}))


def test_slides_that_the_series_saw_are_refused_or_dropped_for_all_models():
    _, ground = _ground(0.0, side=70, days=0)
    with pytest.raises(DataError, match="not younger than the end of their deformation series"):
        assess(ground, _config())
    # Every second slide is younger and stays.
    later = ground.slide_date.copy()
    slides = np.nonzero(ground.slid)[0]
    later[slides[::2]] += np.timedelta64(9, "D")
    found = assess(
        Ground(ground.table, ground.x, ground.y, ground.slid, ("rock",), later, END), _config(older_slides="drop")
    )
    kept = found.places.event.sum()
    assert kept == pytest.approx(slides.size / 2, abs=1)
    assert {each.evaluation.event.sum() for each in found.models.values()} == {kept}
    # Dropped slides still count as slides of the land.
    assert found.places.true_share == pytest.approx(found.sample.true_share)


def test_absences_follow_factors_of_the_grid():
    _, ground = _ground(0.0, side=60)
    config = _config(deformation=[], factors=STATIC, absences={"method": "target_group", "effort": "rock", "ratio": 1})
    places = assess(ground, config).places
    assert (places.table["rock"].to_numpy()[~places.event] == 1).all()
    with pytest.raises(ValueError, match="found no factor 'roads' among slope"):
        assess(ground, _config(absences={"method": "target_group", "effort": "roads"}))


def test_each_region_is_left_out_and_is_no_factor():
    land, ground = _ground(0.0, side=60)
    county = (land.x > land.x.mean()) + 2 * (land.y > land.y.mean())
    divided = Ground(ground.table.assign(county=county), ground.x, ground.y, ground.slid, ("rock", "county"))
    found = assess(divided, _config(deformation=[], splits={"method": "regions", "region": "county"}))
    evaluation = found.models["logistic"].evaluation
    assert len(evaluation.fold_scores) == 4
    assert np.isfinite(evaluation.predicted).all()
    assert "county" not in found.models["logistic"].predictor.design.factors


def test_slides_on_ground_that_no_other_region_knows_are_missed():
    """They are slides all the same: left out of the count, ground that nothing is told of would flatter the curve."""
    land, ground = _ground(0.0, side=60)
    county = (land.x // 2000).astype(int)
    table = ground.table.assign(county=county, rock=np.where(county, ground.table["rock"], 2))
    divided = Ground(table, ground.x, ground.y, ground.slid, ("rock", "county"))
    splits = {"method": "regions", "region": "county", "optimistic": False}
    found = assess(divided, _config(deformation=[], factors=[*STATIC, "rock"], splits=splits))
    told = json.loads(json.dumps(curves(found, "logistic")["at_slides"], allow_nan=False))
    slid = found.places.table[found.places.event]
    np.testing.assert_array_equal([each is None for each in told["unseen"]], slid["county"] == 0)
    assert None not in told["learnt"]


def test_deformation_alone_is_refused():
    _, ground = _ground(0.0, side=40)
    only = Ground(ground.table[["rate"]], ground.x, ground.y, ground.slid)
    with pytest.raises(DataError, match="all of them are deformation"):
        assess(only, _config())
