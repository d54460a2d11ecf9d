"""Models find what is there, say the same twice, and name what is missing."""

from __future__ import annotations

import pickle
import sys

import numpy as np
import pytest
from scipy.special import expit, logit

from slidecloud.hazard.models import DEFAULTS, GRIDS, MODELS, fit
from slidecloud.hazard.scores import auc

SMALL = {"forest": {"trees": 40, "least_leaf": 20}, "lightgbm": {"rounds": 60}, "xgboost": {"rounds": 60}}


def _ground(count=1500, seed=0):
    """Slides by a known logistic law of the first two of three columns."""
    random = np.random.default_rng(seed)
    rows = random.normal(size=(count, 3)) * [10, 0.01, 1] + [30, 0, 2]
    chance = expit(-0.5 + 0.12 * (rows[:, 0] - 30) - 90 * rows[:, 1])
    return rows, random.uniform(size=count) < chance, chance


@pytest.fixture(scope="module", params=MODELS)
def learnt(request):
    rows, slid, _ = _ground()
    name = request.param
    pytest.importorskip({"lightgbm": "lightgbm", "xgboost": "xgboost"}.get(name, "sklearn"))
    return name, fit(rows, slid, model=name, parameters=SMALL.get(name)), rows


def test_known_law_is_found(learnt):
    name, model, _ = learnt
    rows, _, chance = _ground(4000, seed=1)
    found = model.probability(rows)
    assert ((found >= 0) & (found <= 1)).all()
    assert np.corrcoef(found, chance)[0, 1] > (0.99 if name == "logistic" else 0.9)
    assert found.mean() == pytest.approx(chance.mean(), abs=0.03)


def test_weights_name_what_matters(learnt):
    _, model, _ = learnt
    weight = model.weight()
    assert weight.sum() == pytest.approx(1)
    assert weight[2] < 0.25 < min(weight[:2])


def test_shapley_values_add_up(learnt):
    name, model, rows = learnt
    shares = model.shapley(rows[:20])
    told = model.probability(rows[:20])
    close = {"rtol": 1e-5, "atol": 2e-5 if name == "xgboost" else 1e-7}
    np.testing.assert_allclose(shares.sum(axis=1), told if name == "forest" else logit(told), **close)
    spread = np.abs(model.shapley(rows[:200])[:, :3]).mean(axis=0)
    assert spread[2] < 0.4 * min(spread[:2])


def test_same_seed_same_model_with_any_threads_and_on_other_machines(learnt):
    name, model, rows = learnt
    _, slid, _ = _ground()
    again = fit(rows, slid, model=name, parameters=SMALL.get(name), threads=2)
    told = model.probability(rows)
    np.testing.assert_array_equal(again.probability(rows), told)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).probability(rows), told)


def test_logistic_is_the_most_likely_one():
    """Score equations of maximum likelihood: residuals are orthogonal to each column and to the mean."""
    rows, slid, _ = _ground()
    off = slid - fit(rows, slid, model="logistic").probability(rows)
    np.testing.assert_allclose(np.array([off.mean(), *(rows.T @ off / len(off) / rows.std(axis=0))]), 0, atol=1e-6)


def test_logistic_stays_finite_where_kinds_part():
    rows = np.linspace(0, 1, 40)[:, None]
    model = fit(rows, rows[:, 0] > 0.5, model="logistic")
    assert np.isfinite(model.probability(rows)).all()
    assert auc(model.probability(rows), rows[:, 0] > 0.5) == 1


def test_grids_change_known_parameters_and_start_with_the_defaults():
    for name in MODELS:
        assert GRIDS[name][0] == {}
        assert all(set(change) <= set(DEFAULTS[name]) for change in GRIDS[name])


@pytest.mark.parametrize(("name", "extra"), [("forest", "hazard"), ("lightgbm", "hazard"), ("xgboost", "xgboost")])
def test_missing_library_is_named_with_its_extra(monkeypatch, name, extra):
    rows, slid, _ = _ground(50)
    for module in list(sys.modules):
        if module.partition(".")[0] in {"sklearn", "lightgbm", "xgboost"}:
            monkeypatch.delitem(sys.modules, module)
    hidden = {"forest": "sklearn"}.get(name, name)

    class Hiding:
        def find_spec(self, module, path=None, target=None):
            if module.partition(".")[0] == hidden:
                raise ModuleNotFoundError(f"No module named {hidden!r}", name=hidden)

    monkeypatch.setattr(sys, "meta_path", [Hiding(), *sys.meta_path])
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'slidecloud\[{extra}\]'"):
        fit(rows, slid, model=name)


def test_missing_system_library_is_named_with_its_remedy(monkeypatch):
    rows, slid, _ = _ground(50)

    def missing(name):
        raise OSError("libgomp.so.1: cannot open shared object file")

    monkeypatch.setattr("slidecloud.libraries.importlib.import_module", missing)
    with pytest.raises(ImportError, match=r"libgomp\.so\.1.*apt-get install libgomp1"):
        fit(rows, slid, model="lightgbm")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"model": "svm"}, "expected one of logistic, forest"),
        ({"parameters": {"trees": 5}}, "parameters of logistic: found trees, expected any of ridge"),
        ({"matrix": [[np.nan], [1.0]]}, "with 1 missing and"),
        ({"event": [True, True]}, "2 slides among 2 places"),
    ],
)
def test_bad_requests_are_named(change, says):
    given = {"matrix": [[0.0], [1.0]], "event": [True, False], "model": "logistic", **change}
    with pytest.raises(ValueError, match=says):
        fit(given.pop("matrix"), given.pop("event"), **given)
