"""What a group of series holds of models of motion: trend, season, acceleration and steps, and a check of sigmas."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from slidecloud.store.specs import ArraySpec
from slidecloud.store.specs import map_spec as _map
from slidecloud.store.specs import time_spec as _time

TREND: Final[tuple[ArraySpec, ...]] = (
    _map("trend", "m year-1", "velocity at the middle of the dates, beside the other terms", optional=True),
    _map("trend_sigma", "m year-1", "standard error of trend", optional=True),
    _map("trajectory_rms", "m", "root mean square of what the model leaves of the displacement", optional=True),
)
"""With any of the terms below."""

SEASON: Final[tuple[ArraySpec, ...]] = (
    _map("seasonal_amplitude", "m", "half of the way that the annual motion takes", optional=True),
    _map("seasonal_amplitude_sigma", "m", "standard error of seasonal_amplitude", optional=True),
    _map("seasonal_day", "day", "day of the year at which it is farthest towards the satellite", optional=True),
    _map("seasonal_day_sigma", "day", "standard error of seasonal_day", optional=True),
)
ACCELERATION: Final[tuple[ArraySpec, ...]] = (
    _map("acceleration", "m year-2", "acceleration towards the satellite", optional=True),
    _map("acceleration_sigma", "m year-2", "standard error of acceleration", optional=True),
)
STEPS: Final[tuple[ArraySpec, ...]] = (
    replace(_time("step", "step", "day from which dates lie after the step (UTC)"), optional=True),
    _map("step_size", "m", "step towards the satellite", dims=("step",), optional=True),
    _map("step_size_sigma", "m", "standard error of step_size", dims=("step",), optional=True),
)
BOOTSTRAP: Final[tuple[ArraySpec, ...]] = (
    _map(
        "bootstrap_sigma",
        "m year-1",
        "standard error of a line through the dates by drawing blocks of them again; velocity_sigma should exceed it",
        optional=True,
    ),
)

TRAJECTORY: Final = (*TREND, *SEASON, *ACCELERATION, *STEPS, *BOOTSTRAP)
"""With the terms of ``timeseries.trajectory``."""
