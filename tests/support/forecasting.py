"""Simulated points with rain and level as files, and forecasts of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import yaml

from slidecloud import config_forecast
from slidecloud.config_forecast import ForecastConfig
from slidecloud.pipeline import forecast
from slidecloud.pipeline.executors import Executor, serial
from slidecloud.pipeline.summary import Summary
from slidecloud.simulate.slides_daily import DailySlides, slides_daily
from slidecloud.store.forecasts import open_forecast

TRAIN_UNTIL = np.datetime64("2018-12-31", "D")


def slides(points: int = 7, **options: Any) -> DailySlides:
    """Four years of a few slides."""
    return slides_daily(3, **({"points": points, "passes": 110, "noise": 0.5} | options))


def write(folder: Path, made: DailySlides, *, until: Any = None, rain_until: Any = None) -> None:
    """Write ``points.csv``, ``rain.csv`` and ``level.csv``, up to a pass and up to a day of rain."""
    last = made.days[-1] if until is None else np.datetime64(until, "D")
    seen = made.passes <= last
    ids = [f"p{number:03d}" for number in range(len(made.observed))]
    point, passed = np.nonzero(np.isfinite(made.observed[:, seen]))
    rows = {
        "id": [ids[number] for number in point], "date": made.passes[seen][passed],
        "displacement": made.observed[:, seen][point, passed],
    }  # fmt: skip
    pandas.DataFrame(rows).to_csv(folder / "points.csv", index=False)
    known = made.days <= (last if rain_until is None else np.datetime64(rain_until, "D"))
    for name in ("rain", "level"):
        values = {"date": made.days[known], name: getattr(made, name)[known]}
        pandas.DataFrame(values).to_csv(folder / f"{name}.csv", index=False)


def inputs_of(folder: Path, other: Path) -> Path:
    """Another folder with the same files and no forecasts."""
    return Path(shutil.copytree(folder, other / "inputs", ignore=shutil.ignore_patterns("*.zarr")))


def settings(folder: Path, **changes: Any) -> ForecastConfig:
    """Write ``forecast.yaml`` and read it."""
    content: dict[str, Any] = {
        "points": {"path": "points.csv"}, "store": "forecast.zarr", "rain": {"path": "rain.csv"},
        "level": {"path": "level.csv"}, "method": "persistence", "beside": [],
        "train_until": str(TRAIN_UNTIL), "horizon": 24,
        "thresholds": [{"displacement": 20.0}, {"rate": 0.2, "days": 12, "direction": "away"}],
        "resources": {"executor": "serial"},
    }  # fmt: skip
    content = {name: value for name, value in (content | changes).items() if value is not None}
    (folder / "forecast.yaml").write_text(yaml.safe_dump(content))
    return config_forecast.load(folder / "forecast.yaml")


def compute(config: ForecastConfig, *, executor: Executor | None = None, **options: Any) -> Summary:
    """Forecast; nothing may be set aside."""
    summary = forecast.compute(config, executor=executor or serial(), **options)
    assert summary.exit_code == 0, summary.lines()
    return summary


def opened(config: ForecastConfig, name: str = "points") -> Any:
    """The forecasts, read."""
    return open_forecast(config.place, name).load()
