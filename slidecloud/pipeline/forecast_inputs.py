"""Points, rain and level as the files of a configuration have them."""

from __future__ import annotations

import numpy as np
import pandas

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.stack.rain import open_rain


def table_of(config: ForecastConfig) -> Displacement:
    frame = pandas.read_csv(config.points.path, parse_dates=["date"])
    wide = frame.pivot(index="id", columns="date", values="displacement")
    dates = wide.columns.to_numpy().astype("datetime64[D]")
    scale = {"mm": 1, "cm": 10, "m": 1000}[config.points.units]
    count = len(wide)
    return Displacement(
        dates, wide.to_numpy(float) * scale, None, wide.index.to_numpy(str), None, None, np.zeros((count, 0))
    )


def drivers_of(config: ForecastConfig, displacement: Displacement) -> Drivers:
    found = {}
    for name in ("rain", "level"):
        section = getattr(config, name)
        if section is None:
            continue
        if name == "rain":
            one = open_rain(
                section.path, units=section.units, utc_offset=section.utc_offset, missing=section.missing
            ).at(0, 0)
            found[name] = one.day, one.millimetres
        else:
            frame = pandas.read_csv(section.path, parse_dates=["date"])
            found[name] = frame["date"].to_numpy().astype("datetime64[D]"), frame["level"].to_numpy(float)
    first = max(days[0] for days, _ in found.values())
    last = min(days[-1] for days, _ in found.values())
    days = np.arange(first, last + 1)
    laid = {name: values[(own >= first) & (own <= last)][None] for name, (own, values) in found.items()}
    return Drivers(days, laid.get("rain"), laid.get("level"))
