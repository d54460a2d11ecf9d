"""Methods side by side: the same samples for all, intervals over seeds, and the trap of scoring against lines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from slidecloud.forecast.comparison import Setting, flattery, simulated_trials, summary, trial
from slidecloud.forecast.methods import METHODS
from slidecloud.forecast.simulated import series
from slidecloud.simulate.slides_daily import slides_daily

QUICK = Setting(steps=6, days=20)
CHEAP = ("persistence", "linear", "ridge")


def test_a_trial_judges_all_methods_by_the_same_samples():
    made = series(slides_daily(1, points=6, passes=140, noise=1.0))
    until = made.displacement.dates[0] + np.timedelta64(1090, "D")
    found = trial(CHEAP, made.displacement, made.drivers, train_until=until, truth=made.truth, setting=QUICK)
    assert found.groupby("judged")["count"].nunique().tolist() == [1, 1]
    assert len(found) == 6
    error = found[found["judged"] == "passes"].set_index("method")["rmse"]
    assert error["ridge"] < error["linear"] < error["persistence"]
    still = found[found["method"] == "persistence"]
    np.testing.assert_allclose(still["skill"], 0.0, atol=1e-12)
    # No forecast of a noisy pass can err less than its noise, root two with that of the last one.
    assert error["ridge"] > 1.0


def test_a_sample_that_one_does_not_answer_counts_for_none(monkeypatch):
    made = series(slides_daily(2, points=4, passes=140, noise=1.0))
    until = made.displacement.dates[0] + np.timedelta64(1090, "D")

    class Half:
        def fit(self, displacement, drivers, train, *, seed):
            return self

        def predict(self, displacement, drivers, samples):
            from slidecloud.forecast.methods import Forecast

            column = np.where(np.arange(len(samples)) % 2 == 0, 0.0, np.nan)
            return Forecast(column, column - 1, column + 1)

    monkeypatch.setitem(METHODS, "half", Half)
    found = trial(("persistence", "half"), made.displacement, made.drivers, train_until=until, setting=QUICK)
    found = found.set_index("method")
    assert found.loc["half", "count"] == found.loc["persistence", "count"]
    assert found.loc["half", "unanswered"] > 50
    assert found.loc["persistence", "unanswered"] == 0
    assert found.loc["half", "rmse"] == found.loc["persistence", "rmse"]


def test_summary_by_hand():
    rows = [
        (noise, seed, "passes", name, error + 0.1 * seed, 0.9)
        for noise in (0.3, 1.0)
        for seed in (0, 1, 2)
        for name, error in (("ridge", 1.0), ("persistence", 3.0), ("musenet", 1.2))
    ]
    trials = pd.DataFrame(rows, columns=["noise", "seed", "judged", "method", "rmse", "coverage"])
    found = summary(trials)
    assert found["method"].tolist() == ["ridge", "musenet", "persistence"] * 2
    assert found["baseline"].unique().tolist() == ["ridge"]
    assert found["rmse"].tolist() == pytest.approx([1.1, 1.3, 3.1] * 2)
    # Paired by seed, the difference is the same in all: its interval has no width.
    np.testing.assert_allclose(found[["behind", "behind_low", "behind_high"]].to_numpy()[1], 0.2)
    # t of 97.5 % with 2 degrees of freedom is 4.303, the standard error of the mean .1 / sqrt 3.
    assert found["rmse_high"][0] - found["rmse"][0] == pytest.approx(4.303 * 0.1 / np.sqrt(3), rel=1e-3)


def test_seeds_and_noises_each_give_a_table():
    tables = list(
        simulated_trials(("persistence",), seeds=(0, 1), noises=(0.3, 2.0), points=3, passes=130, setting=QUICK)
    )
    whole = summary(pd.concat(tables))
    assert whole["seeds"].tolist() == [2] * 4
    passes = whole[whole["judged"] == "passes"].set_index("noise")["rmse"]
    assert passes[2.0] > passes[0.3]


def test_scoring_against_lines_with_a_random_split_flatters():
    made = series(slides_daily(3, points=8, passes=140, noise=1.0))
    until = made.displacement.dates[0] + np.timedelta64(1090, "D")
    found = flattery("boosting", made.displacement, made.drivers, train_until=until, truth=made.truth, setting=QUICK)
    error = found.set_index(["truth", "split"])["rmse"]
    assert found["honest"].tolist() == [False, False, True, True]
    assert error["interpolated passes", "random"] < 0.6 * error["passes", "by time"]
    assert error["interpolated passes", "random"] < error["interpolated passes", "by time"]
