"""Rain beside the motion of each landslide: the series of its deciding track, lag, correlation and accelerations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_classify import ClassifyConfig
from slidecloud.kernels import rain as kernel
from slidecloud.kernels.accelerations import Epoch, accelerations, superposed
from slidecloud.stack.daily_rain import DailyRain
from slidecloud.stack.rain import open_rain
from slidecloud.store import Run, tables
from slidecloud.store.stability_specs import LANDSLIDE_RAIN
from slidecloud.store.velocity_maps import VelocityMap, velocity_maps
from slidecloud.types import DataError, Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_DAY: Final = np.timedelta64(86_400, "s")
_STEPS: Final = 7
"""Lags that are looked at, from none to the largest."""


@dataclass(frozen=True)
class Motion:
    """Mean displacement of the pixels inside an outline.

    Attributes
    ----------
    landslide, track, burst
        Id of the landslide, and where it was seen.
    outline
        In longitude and latitude.
    time
        datetime64[s] (date,).
    displacement, sigma
        (date,), m, positive towards the satellite; NaN where no pixel has data. The sigma is the pixels' mean.
    """

    landslide: str
    track: str
    burst: str
    outline: Any
    time: NDArray[np.datetime64]
    displacement: Float64
    sigma: Float64

    @property
    def days(self) -> Float64:
        """(date,) days since 1970."""
        since: Float64 = (self.time - np.datetime64(0, "s")) / _DAY
        return since


@dataclass(frozen=True)
class Comparison:
    """A landslide's motion and the rain beside it."""

    motion: Motion
    rain: DailyRain
    lags: Float64
    lagged: kernel.Lagged
    events: NDArray[np.intp]
    epoch: Epoch

    @property
    def event_time(self) -> NDArray[np.datetime64]:
        """When accelerations begin."""
        return self.motion.time[self.events]


def rain_table(run: Run, stability: GeoDataFrame, config: ClassifyConfig) -> GeoDataFrame:
    """A row for each landslide whose series can be held against the rain; empty without rain.

    Parameters
    ----------
    run
        The run store.
    stability
        As `slidecloud.products.stability.stability_table` makes it.
    config
        The settings.
    """
    found = compare(run, stability, config)
    rows = [_row(one) for one in found]
    columns = {spec.name: [row[spec.name] for row in rows] for spec in LANDSLIDE_RAIN}
    return tables.table(LANDSLIDE_RAIN, columns, [one.motion.outline for one in found])


def compare(run: Run, stability: GeoDataFrame, config: ClassifyConfig) -> list[Comparison]:
    """Motion and rain of each landslide, in the order of the table; nothing without rain.

    Raises
    ------
    DataError
        If the rain cannot be read, or does not cover the time of any landslide's series.
    """
    if config.rain is None:
        return []
    source = open_rain(
        config.rain, units=config.rain_units, utc_offset=config.rain_utc_offset, missing=config.rain_missing
    )
    found = []
    for motion in motions(run, stability):
        middle = motion.outline.representative_point()
        found.append(hold(motion, source.at(middle.x, middle.y), config))
    if found and not any((one.lagged.intervals > 0).any() for one in found):
        rain, motion = found[0].rain, found[0].motion
        first, last = (motion.time[i].astype("datetime64[D]") for i in (0, -1))
        raise DataError(
            f"The rain of {rain.name} is of {rain.day[0]} to {rain.day[-1]}, and displacement of {first} to {last}: no "
            "interval between images has rain. Give rain of that time."
        )
    return found


def motions(run: Run, stability: GeoDataFrame) -> Iterator[Motion]:
    """The series of the track that decides, from the map with the most pixels inside, of each landslide."""
    deciding = stability.loc[stability["deciding"] & (stability["points"] > 0)]
    maps: dict[str, list[VelocityMap]] = {}
    for name, track, bursts, outline in zip(*(deciding[n] for n in ("id", "track", "bursts", "geometry")), strict=True):
        choices = []
        for burst in bursts.split(","):
            if burst not in maps:
                maps[burst] = velocity_maps(run.location, run.header(burst))
            choices += [(one, next(one.inside([outline]))) for one in maps[burst]]
        one, pixels = max(choices, key=lambda choice: len(choice[1].rows))
        moved, sigma = (one.series(what, pixels) for what in ("displacement", "displacement_sigma"))
        known = np.isfinite(moved) & np.isfinite(sigma)
        means = _means(moved, known), _means(sigma, known)
        yield Motion(name, track, one.header.id, outline, one.time, *means)


def _means(values: NDArray[Any], known: NDArray[np.bool_]) -> Float64:
    """Mean over the pixels that have data, by date."""
    total, count = np.where(known, values, 0.0).sum(axis=1, dtype=np.float64), known.sum(axis=1)
    means: Float64 = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return means


def hold(motion: Motion, rain: DailyRain, config: ClassifyConfig) -> Comparison:
    """Motion against rain; dates without data are passed over."""
    known = np.isfinite(motion.displacement)
    days, moved = motion.days[known], motion.displacement[known]
    lags = np.unique(np.round(np.linspace(0.0, config.max_lag, _STEPS)))
    first = (rain.day[0] - np.datetime64(0, "D")).astype(float)
    numbers = first + np.arange(len(rain.day))
    if len(days) > 1:
        # The rate that rain raises is that of the slide, whichever way the satellite sees it go.
        direction = -1.0 if moved[-1] <= moved[0] else 1.0
        rate = direction * np.diff(moved) / np.diff(days)
        wet = kernel.over_intervals(numbers, rain.millimetres, days, lags=lags)
    else:
        rate, wet = np.zeros(0), np.zeros((0, len(lags)))
    events = accelerations(motion.displacement, motion.sigma, motion.days)
    summed = kernel.accumulated(rain.millimetres, config.antecedent)
    # Rain of the days before the interval in which motion became faster, and of its own days.
    ends = motion.days[np.minimum(events + 1, len(motion.days) - 1)]
    epoch = superposed(np.floor(ends - first).astype(np.intp), summed)
    return Comparison(motion, rain, lags, kernel.lagged(rate, wet), events, epoch)


def _row(one: Comparison) -> dict[str, Any]:
    found, best = one.lagged, one.lagged.best
    lag = low = high = np.nan
    if best >= 0:
        agreeing = one.lags[found.correlation >= found.low[best]]
        lag, low, high = one.lags[best], agreeing.min(), agreeing.max()
    return {
        "id": one.motion.landslide,
        "track": one.motion.track,
        "intervals": int(found.intervals[best]) if best >= 0 else int(found.intervals.max(initial=0)),
        "lag": lag,
        "lag_low": low,
        "lag_high": high,
        "correlation": found.correlation[best] if best >= 0 else np.nan,
        "correlation_low": found.low[best] if best >= 0 else np.nan,
        "correlation_high": found.high[best] if best >= 0 else np.nan,
        "effective": found.effective[best] if best >= 0 else np.nan,
        "p_value": found.p_value,
        "events": len(one.events),
        "event_rain": one.epoch.event,
        "usual_rain": one.epoch.usual,
        "event_p_value": one.epoch.p_value,
    }
