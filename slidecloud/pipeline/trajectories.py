"""Models of motion of the stage ``timeseries``: a unit after each inverted tile fits them to its series."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_trajectory import TrajectoryConfig
from slidecloud.kernels.bootstrap import bootstrap_sigma
from slidecloud.kernels.trajectory import Trajectory, calendar_years, fit, season
from slidecloud.kernels.trajectory_noise import noise_of
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile
from slidecloud.pipeline.timeseries import InvertWork
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.trajectory_specs import ACCELERATION, BOOTSTRAP, SEASON, STEPS, TREND
from slidecloud.types import Float32, Float64

DAYS_OF_YEAR: Final = 365.25
_BLOCK: Final = 1024
"""Pixels that are fitted at once; their series lie in a processor's cache."""
_BLOCK_BYTES: Final = 100 * _BLOCK
"""Bytes a date of those."""
_PIXEL_BYTES: Final = 64
_DRAWN_TOGETHER: Final = 4
"""Dates that the bootstrap draws as one block."""
_SAMPLES, _DRAW = 6.0, 0.4
"""How many times the work of levelling a pair a fit is, a date, and a draw of the bootstrap: 20 us a pixel at 145
dates."""


@dataclass(frozen=True, slots=True)
class TrajectoryWork:
    """Fit the series of one tile.

    Attributes
    ----------
    run, group, tile
        Where the series are.
    years
        (date,) years of the calendar.
    config
        What is fitted.
    tied
        Whether subsets of dates were joined by the minimum norm, and share one constant.
    """

    run: Location
    group: str
    tile: Tile
    years: tuple[float, ...]
    config: TrajectoryConfig
    tied: bool

    def __call__(self, writer: Writer) -> dict[str, Any]:
        place = self.tile.rows, self.tile.columns
        stored = reader(self.run, self.group)
        series, sigma, subset = (
            read(stored[name], (slice(None), *place)).reshape(len(self.years), -1)  # type: ignore[arg-type]
            for name in ("displacement", "displacement_sigma", "subset")
        )
        velocity_sigma = read(stored["velocity_sigma"], place).reshape(-1)  # type: ignore[arg-type]
        subset = np.minimum(subset, 1) if self.tied else subset
        found: dict[str, list[Float32]] = {}
        for start in range(0, series.shape[1], _BLOCK):
            part = np.s_[:, start : start + _BLOCK]
            told = velocity_sigma[start : start + _BLOCK]
            for name, values in self._fitted(series[part], sigma[part], subset[part], told).items():
                found.setdefault(name, []).append(values)
        shape = self.tile.bottom - self.tile.top, self.tile.right - self.tile.left
        corner = self.tile.top, self.tile.left
        for name, parts in found.items():
            values = np.concatenate(parts, axis=-1)
            leading = values.shape[:-1]
            writer.write(f"{self.group}/{name}", values.reshape(*leading, *shape), (*(0 for _ in leading), *corner))
        return {}

    def _fitted(
        self, series: Float32, sigma: Float32, subset: NDArray[np.uint8], velocity_sigma: Float32
    ) -> dict[str, Float32]:
        """Maps (pixel,) of a block of pixels; steps (step, pixel)."""
        time = np.array(self.years)
        noise = noise_of(series, sigma, velocity_sigma, time, subset=subset)
        dates = np.broadcast_to(noise.date, series.shape)
        maps: dict[str, Float32] = {}
        if self.config.fits:
            inside = [
                day
                for day in calendar_years(np.array(self.config.breaks, "datetime64[s]"))
                if time[0] < day <= time[-1]
            ]
            walk = np.where(np.isfinite(noise.walk), noise.walk, 0.0)
            found = fit(
                series, dates, time, subset=subset, walk=walk, seasonal=self.config.seasonal, breaks=inside,
                acceleration=self.config.acceleration,
            )  # fmt: skip
            maps = self._maps(_with_sigma(found), time)
        if self.config.bootstrap:
            block = min(_DRAWN_TOGETHER, time.size)
            maps["bootstrap_sigma"] = bootstrap_sigma(
                series, dates, time, subset=subset, block=block, draws=self.config.bootstrap
            )[0]
        return maps

    def _steps(self) -> Float64:
        """(step,) years of the calendar."""
        return calendar_years(np.array(self.config.breaks, "datetime64[s]"))

    def _maps(self, found: Trajectory, time: Float64) -> dict[str, Float32]:
        maps = {"trend": found.of("rate"), "trend_sigma": found.sigma_of("rate"), "trajectory_rms": found.residual_rms}
        if self.config.seasonal:
            annual = season(found)
            maps |= {"seasonal_amplitude": annual.amplitude, "seasonal_amplitude_sigma": annual.sigma}
            maps["seasonal_day"] = annual.peak * np.float32(DAYS_OF_YEAR)
            maps["seasonal_day_sigma"] = annual.peak_sigma * np.float32(DAYS_OF_YEAR)
        if self.config.acceleration:
            maps |= {"acceleration": found.of("acceleration"), "acceleration_sigma": found.sigma_of("acceleration")}
        if self.config.breaks:
            days = self._steps()
            size = np.full((2, days.size, found.value.shape[1]), np.nan, np.float32)
            fitted = np.flatnonzero((days > time[0]) & (days <= time[-1]))
            for number, at in enumerate(fitted, start=1):
                size[:, at] = found.of(f"step_{number}"), found.sigma_of(f"step_{number}")
            maps |= {"step_size": size[0], "step_size_sigma": size[1]}
        return maps


def following(
    run: Location, units: Sequence[Unit], selection: Selection, config: TrajectoryConfig, tied: bool
) -> list[Unit]:
    """A unit after each of those that invert a tile; none where nothing is fitted.

    Parameters
    ----------
    run
        The run store.
    units
        Of a burst or its patches.
    selection
        Their pairs.
    config
        What is fitted.
    tied
        As `TrajectoryWork` takes it.
    """
    years = tuple(float(year) for year in calendar_years(selection.dates))
    dates, made = len(years), []
    for unit in units:
        if not config.wanted or not isinstance(unit.work, InvertWork):
            continue
        tile, group = unit.work.tile, unit.work.group
        parts = ["trajectory/1", unit.key.digest, config.model_dump(mode="json"), tied]
        maps = len(arrays(config)) + 2 * max(len(config.breaks) - 1, 0)
        made.append(
            Unit(
                records.Key(unit.key.stage, f"{unit.key.unit}/trajectory", records.digest(parts)),
                TrajectoryWork(run, group, tile, years, config, tied),
                requires=(unit.name,),
                bytes_read=(9 * dates + 4) * tile.pixels,
                bytes_written=4 * maps * tile.pixels,
                peak_memory=BASE_MEMORY + _BLOCK_BYTES * dates + (9 * dates + _PIXEL_BYTES + 8 * maps) * tile.pixels,
                kernel="levels",
                samples=round((_SAMPLES * config.fits + _DRAW * config.bootstrap) * dates * tile.pixels),
            )
        )
    return made


def arrays(config: TrajectoryConfig) -> list[str]:
    """Names of what the models write, coordinates left out."""
    wanted = [TREND] if config.fits else []
    wanted += [SEASON] if config.seasonal else []
    wanted += [ACCELERATION] if config.acceleration else []
    wanted += [STEPS] if config.breaks else []
    wanted += [BOOTSTRAP] if config.bootstrap else []
    return [spec.name for specs in wanted for spec in specs if spec.dims != ("step",)]


def coordinates(config: TrajectoryConfig) -> tuple[dict[str, int], Mapping[str, NDArray[np.int64]]]:
    """Sizes and values of the dimension of steps, nothing where there are none."""
    if not config.breaks:
        return {}, {}
    days = np.array(config.breaks, "datetime64[s]").astype(np.int64)
    return {"step": len(days)}, {"step": days}


def _with_sigma(found: Trajectory) -> Trajectory:
    """Terms without a sigma are not given: as many dates as terms fit anything."""
    return found._replace(value=np.where(np.isfinite(found.sigma), found.value, np.float32(np.nan)))
