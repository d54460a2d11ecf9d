"""Rain beside the motion of each landslide: the series of its deciding track, lag, correlation and accelerations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_classify import ClassifyConfig
from slidecloud.kernels import rain as kernel
from slidecloud.kernels.accelerations import Epoch, accelerations, superposed
from slidecloud.products.stability import Sample
from slidecloud.stack.daily_rain import DailyRain
from slidecloud.stack.rain import open_rain
from slidecloud.store import tables
from slidecloud.store.stability_specs import LANDSLIDE_RAIN
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
        Whose it is.
    time
        datetime64[s] (date,).
    displacement, sigma
        (date,), m, positive towards the satellite; NaN where no pixel has data. The sigma is the pixels' mean.
    """

    landslide: int
    track: str
    burst: str
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


def rain_table(
    inventory: GeoDataFrame, stability: GeoDataFrame, samples: Sequence[Sample], config: ClassifyConfig
) -> GeoDataFrame:
    """A row for each landslide whose series can be held against the rain; empty without rain."""
    found = [] if config.rain is None else compare(stability, inventory, samples, config)
    rows = [_row(one, inventory) for one in found]
    columns = {spec.name: [row[spec.name] for row in rows] for spec in LANDSLIDE_RAIN}
    outlines = inventory.geometry.to_numpy()
    return tables.table(LANDSLIDE_RAIN, columns, [outlines[one.motion.landslide] for one in found])


def compare(
    stability: GeoDataFrame, inventory: GeoDataFrame, samples: Sequence[Sample], config: ClassifyConfig
) -> list[Comparison]:
    """Motion and rain of each landslide, in the order of the inventory.

    Raises
    ------
    DataError
        If the rain cannot be read, or does not cover the time of any landslide's series.
    """
    assert config.rain is not None
    source = open_rain(
        config.rain, units=config.rain_units, utc_offset=config.rain_utc_offset, missing=config.rain_missing
    )
    motions = motions_of(stability, inventory, samples)
    found = []
    for motion in motions:
        middle = inventory.geometry.iloc[motion.landslide].representative_point()
        found.append(_held(motion, source.at(middle.x, middle.y), config))
    if found and not any((one.lagged.intervals > 0).any() for one in found):
        rain, motion = found[0].rain, found[0].motion
        raise DataError(
            f"The rain of {rain.name} is of {rain.day[0]} to {rain.day[-1]}, and displacement of "
            f"{motion.time[0].astype('datetime64[D]')} to {motion.time[-1].astype('datetime64[D]')}: no interval "
            "between images has rain. Give rain of that time."
        )
    return found


def motions_of(stability: GeoDataFrame, inventory: GeoDataFrame, samples: Sequence[Sample]) -> list[Motion]:
    """The series of the track that decides, from the burst with the most pixels inside, of each landslide."""
    tracks = stability.loc[stability["deciding"]].set_index("id")["track"]
    motions = []
    for number, name in enumerate(inventory["id"]):
        members = [one for one in samples if one.landslide == number and one.track == tracks.loc[name]]
        if not members:
            continue
        best = max(members, key=lambda one: (len(one.velocity), one.burst))
        one, pixels = best.source
        moved, sigma = (one.series(what, pixels) for what in ("displacement", "displacement_sigma"))
        known = np.isfinite(moved) & np.isfinite(sigma)
        motions.append(
            Motion(number, best.track, best.burst, one.time, _means(moved, known), _means(sigma, known))
        )  # fmt: skip
    return motions


def _means(values: NDArray[Any], known: NDArray[np.bool_]) -> Float64:
    """Mean over the pixels that have data, by date."""
    total, count = np.where(known, values, 0.0).sum(axis=1, dtype=np.float64), known.sum(axis=1)
    means: Float64 = np.divide(total, count, out=np.full(len(values), np.nan), where=count > 0)
    return means


def _held(motion: Motion, rain: DailyRain, config: ClassifyConfig) -> Comparison:
    """Motion against rain; dates without data are passed over."""
    known = np.isfinite(motion.displacement)
    days, moved = motion.days[known], motion.displacement[known]
    lags = np.unique(np.round(np.linspace(0.0, config.max_lag, _STEPS)))
    first = (rain.day[0] - np.datetime64(0, "D")).astype(float)
    numbers = first + np.arange(len(rain.day))
    if len(days) > 1:
        # Away from the satellite is down the slope for most views: the rate that rain raises is the other way round.
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


def _row(one: Comparison, inventory: GeoDataFrame) -> dict[str, Any]:
    found, best = one.lagged, one.lagged.best
    lag = low = high = np.nan
    if best >= 0:
        agreeing = one.lags[found.correlation >= found.low[best]]
        lag, low, high = one.lags[best], agreeing.min(), agreeing.max()
    return {
        "id": inventory["id"].iloc[one.motion.landslide],
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
