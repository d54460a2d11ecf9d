"""All methods on the same series: which is best, how sure that is, and what a flattering way of scoring would say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from slidecloud.forecast.interpolation import interpolated
from slidecloud.forecast.methods import METHODS, Fitted, Forecast, method
from slidecloud.forecast.samples import Inputs, Samples, samples
from slidecloud.forecast.scores import Scores, by_size, score
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.forecast.simulated import series
from slidecloud.forecast.splits import Split, by_time, optimistic
from slidecloud.kernels.interval import Interval, of_mean
from slidecloud.simulate.slides_daily import slides_daily
from slidecloud.types import Float64

NOISES: Final = (0.3, 1.0, 2.0)
"""mm, of a pass."""
LEARNT: Final = np.timedelta64(1090, "D")
"""From the first pass to the last that is learnt from, as in the source (MUSEnet, 2023)."""
OURS: Final = ("musenet", "musenet_published")
"""Methods that the others are baselines for."""
Options = Mapping[str, Mapping[str, Any]]


class Setting(NamedTuple):
    """What samples look back on: inputs, passes and days, as for `slidecloud.forecast.samples.samples`."""

    inputs: Inputs = "S3"
    steps: int = 30
    days: int = 30

    def samples(self, displacement: Displacement, drivers: Drivers, truth: Displacement | None = None) -> Samples:
        """With increments."""
        given = self._asdict()
        return samples(displacement, drivers, truth=truth, **given)


PUBLISHED: Final = Setting()
"""Windows of the source, with both drivers."""


def trial(
    names: Iterable[str],
    displacement: Displacement,
    drivers: Drivers,
    *,
    train_until: np.datetime64,
    truth: Displacement | None = None,
    seed: int = 0,
    setting: Setting = PUBLISHED,
    options: Options | None = None,
) -> pd.DataFrame:
    """Scores of methods that learn from one part of the time and are judged by what comes after.

    Parameters
    ----------
    names
        Of methods.
    displacement, drivers
        The series.
    train_until
        Last day learnt from.
    truth
        Daily values, to judge by beside the passes; no method learns from them.
    seed
        Given to every method.
    setting
        Of the samples.
    options
        Of methods, by name.

    Returns
    -------
    DataFrame
        A row for each method and what it is judged by, ``passes`` or ``days``; columns those of `Scores` and the root
        mean square error by size of motion. All are judged on the samples that every one of them answers; what one
        does not answer itself is in ``unanswered``.
    """
    split = by_time(setting.samples(displacement, drivers), train_until=train_until)
    tests = {"passes": split.test}
    if truth is not None:
        tests["days"] = by_time(setting.samples(displacement, drivers, truth), train_until=train_until).test
    learnt = {name: _learn(name, displacement, drivers, split.train, seed, options) for name in names}
    rows = []
    for judged, test in tests.items():
        told = {name: one.predict(displacement, drivers, test) for name, one in learnt.items()}
        rows += [{"method": name, "judged": judged, **row} for name, row in _scored(test, told).items()]
    return pd.DataFrame(rows)


def simulated_trials(
    names: Sequence[str] = tuple(METHODS),
    *,
    seeds: Iterable[int] = range(5),
    noises: Iterable[float] = NOISES,
    points: int = 30,
    passes: int = 140,
    setting: Setting = PUBLISHED,
    options: Options | None = None,
) -> Iterable[pd.DataFrame]:
    """`trial` on simulated slides, a table for each seed and noise as it is ready; a seed makes the slides as well.

    The slides of a seed are the same at every noise, and methods of a seed and noise see the same passes: differences
    between methods are surer than their errors.
    """
    for seed in seeds:
        for noise in noises:
            made = series(slides_daily(seed, points=points, passes=passes, noise=noise))
            until = made.displacement.dates[0] + LEARNT
            found = trial(
                names,
                made.displacement,
                made.drivers,
                train_until=until,
                truth=made.truth,
                seed=seed,
                setting=setting,
                options=options,
            )
            yield found.assign(noise=noise, seed=seed)


def summary(trials: pd.DataFrame, *, level: float = 0.95) -> pd.DataFrame:
    """Means over seeds with intervals, and each method against the best baseline.

    Parameters
    ----------
    trials
        Tables of `simulated_trials`, one below the other.
    level
        Of the intervals, which are those of Student's t over the seeds.

    Returns
    -------
    DataFrame
        A row for each noise, what is judged by, and method, the best first: means of the scores, ``rmse_low`` and
        ``rmse_high``, ``coverage_low`` and ``coverage_high``; ``behind`` with ``behind_low`` and ``behind_high``, by
        how much the root mean square error is above that of the best baseline at this noise, seed by seed, mm.
    """
    rows = []
    for (noise, judged), part in trials.groupby(["noise", "judged"], sort=True):
        errors = part.pivot(index="seed", columns="method", values="rmse")
        baselines = [name for name in errors if name not in OURS]
        best = errors[baselines].mean().idxmin() if baselines else None
        for name in errors.mean().sort_values().index:
            own = part[part["method"] == name]
            means = own.drop(columns=["noise", "seed", "judged", "method"]).mean().to_dict()
            row = {"noise": noise, "judged": judged, "method": name, "seeds": len(own), **means}
            row |= _ends("rmse", of_mean(own["rmse"], level=level))
            row |= _ends("coverage", of_mean(own["coverage"], level=level))
            if best is not None:
                gap = of_mean(errors[name] - errors[best], level=level)
                row |= {"baseline": best, "behind": gap.value, **_ends("behind", gap)}
            rows.append(row)
    return pd.DataFrame(rows)


def flattery(
    name: str,
    displacement: Displacement,
    drivers: Drivers,
    *,
    train_until: np.datetime64,
    truth: Displacement,
    seed: int = 0,
    setting: Setting = PUBLISHED,
    options: Options | None = None,
) -> pd.DataFrame:
    """Scores of one method by honest ways and by ways that replay the future, side by side.

    Values between two passes that lie on the straight line to the later one tell what that pass will see, and a random
    split puts days of one line on both sides. Errors found so say nothing of what a forecast is worth.

    Parameters
    ----------
    name, displacement, drivers, train_until, truth, seed, setting, options
        As for `trial`.

    Returns
    -------
    DataFrame
        A row for each way: ``truth`` (``interpolated passes``, ``passes``, ``daily``), ``split`` (``random`` or ``by
        time``), ``honest``, and the columns of `Scores`. The daily truth is forecast by what learnt from passes.
    """
    lines, seen = (setting.samples(displacement, drivers, one) for one in (interpolated(displacement), None))
    daily = by_time(setting.samples(displacement, drivers, truth), train_until=train_until)
    timely = by_time(seen, train_until=train_until)
    ways = [
        ("interpolated passes", "random", False, optimistic(lines, seed=seed)),
        ("interpolated passes", "by time", False, by_time(lines, train_until=train_until)),
        ("passes", "by time", True, timely),
        ("daily", "by time", True, Split(timely.train, daily.test)),
    ]
    rows = []
    for what, how, honest, (train, test) in ways:
        fitted = _learn(name, displacement, drivers, train, seed, options)
        found = score(test, fitted.predict(displacement, drivers, test))
        rows.append({"truth": what, "split": how, "honest": honest, **found._asdict()})
    return pd.DataFrame(rows)


def _learn(
    name: str, displacement: Displacement, drivers: Drivers, train: Samples, seed: int, options: Options | None
) -> Fitted:
    return method(name, **(options or {}).get(name, {})).fit(displacement, drivers, train, seed=seed)


def _scored(test: Samples, told: dict[str, Forecast]) -> dict[str, dict[str, float]]:
    """Scores of each method on the samples that all of them answer."""
    answered: Float64 = np.isfinite([one.increment for one in told.values()])
    all_ = answered.all(axis=0)
    common = test.where(all_)
    known, rows = np.isfinite(test.increment), {}
    for (name, one), own in zip(told.items(), answered, strict=True):
        part = Forecast(*(column[all_] for column in one))
        sizes = by_size(common, part)["rmse"].drop("all")
        found: Scores = score(common, part)._replace(unanswered=int((known & ~own).sum()))
        rows[name] = {**found._asdict(), **{f"rmse {size}": error for size, error in sizes.items()}}
    return rows


def _ends(name: str, found: Interval) -> dict[str, float]:
    return {f"{name}_low": found.low, f"{name}_high": found.high}
