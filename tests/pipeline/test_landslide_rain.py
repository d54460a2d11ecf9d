"""A landslide that creeps faster after rain: its lag is found in the table's figures, and what is unrelated is not."""

from __future__ import annotations

import numpy as np
import shapely

from slidecloud.config_classify import ClassifyConfig
from slidecloud.pipeline.landslide_rain import Comparison, Motion, hold
from slidecloud.stack.daily_rain import DailyRain

STEP, LAG = 12, 20


def rain(rng, days=1500):
    day = np.datetime64("2019-01-01") + np.arange(days)
    fallen = np.where(rng.random(days) < 0.3, rng.gamma(0.8, 12.0, days), 0.0)
    return DailyRain(day, fallen, "station")


def moving(rng, fallen, *, away=True, follows=True, sigma=5e-4):
    """Displacement every 12 days: a steady creep, and what the rain of some days before adds."""
    index = np.arange(120, 1400, STEP)
    daily = 2e-5 + (1e-4 * fallen.millimetres if follows else np.zeros(len(fallen.day)))
    total = np.concatenate([[0.0], np.cumsum(daily)])
    moved = (-1.0 if away else 1.0) * (total[index - LAG] - total[index[0] - LAG])
    moved = moved + rng.normal(0.0, sigma, len(index))
    time = fallen.day[index].astype("datetime64[s]")
    outline = shapely.box(100.0, 30.0, 100.01, 30.01)
    return Motion("slide", "ascending 026", "t026", outline, time, moved, np.full(len(index), sigma))


def compared(seed=1, **options) -> Comparison:
    rng = np.random.default_rng(seed)
    fallen = rain(rng)
    return hold(moving(rng, fallen, **options), fallen, ClassifyConfig(max_lag=60))


def test_the_lag_is_found_whichever_way_the_slide_goes():
    for away in (True, False):
        found = compared(away=away)
        assert found.lags[found.lagged.best] == LAG
        assert found.lagged.correlation[found.lagged.best] > 0.8
        assert found.lagged.p_value <= 0.01
        assert found.lagged.low[found.lagged.best] > 0.5


def test_what_does_not_follow_rain_is_said_not_to():
    called = sum(compared(seed, follows=False).lagged.p_value <= 0.05 for seed in range(40))
    # 5 % of 40 and three standard errors.
    assert called <= 2 + 3 * np.sqrt(40 * 0.05 * 0.95)


def test_accelerations_come_after_wet_days():
    rng = np.random.default_rng(3)
    fallen = rain(rng)
    for start in (300, 700, 1100):
        fallen.millimetres[start : start + 12] += 80.0
    found = hold(moving(rng, fallen), fallen, ClassifyConfig(antecedent=30))
    assert len(found.events) >= 3
    assert found.epoch.event > 2 * found.epoch.usual
    assert found.epoch.p_value <= 0.02
    assert (np.diff(found.event_time) > np.timedelta64(0, "s")).all()


def test_dates_without_data_are_passed_over():
    rng = np.random.default_rng(1)
    fallen = rain(rng)
    motion = moving(rng, fallen)
    motion.displacement[::9] = np.nan
    found = hold(motion, fallen, ClassifyConfig(max_lag=60))
    assert abs(found.lags[found.lagged.best] - LAG) <= 10
    nothing = Motion("slide", "", "", motion.outline, motion.time, np.full(len(motion.time), np.nan), motion.sigma)
    assert hold(nothing, fallen, ClassifyConfig()).lagged.best == -1
