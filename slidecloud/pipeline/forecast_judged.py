"""Forecasts as they are stored, and how good they were at the passes that came after them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.methods import LEVEL, Forecast
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scores import Scores, score
from slidecloud.pipeline.forecast_beside import Beside, beside
from slidecloud.pipeline.forecast_plan import STAGE
from slidecloud.store import forecasts
from slidecloud.store.location import Location

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame


@dataclass(frozen=True)
class Judged:
    """Forecasts of one part.

    Attributes
    ----------
    name
        Of the part in the store.
    found
        As stored, dims (time, point).
    points
        A row a point.
    asked, told
        The passes that lie on days that are forecast, each from the pass before, and the forecasts of them.
    beside
        The same of other methods, as they were learnt and judged last without ``nightly``; the best first.
    """

    name: str
    found: xr.Dataset
    points: GeoDataFrame
    asked: Samples
    told: Forecast
    beside: list[Beside]

    @cached_property
    def scores(self) -> Scores:
        """Of all passes that are judged."""
        return score(self.asked, self.told)

    @property
    def empty(self) -> bool:
        """Whether no day of any point is forecast."""
        return bool(np.isnan(self.found["displacement"].values).all())

    @property
    def title(self) -> str:
        """For people."""
        return str(self.found.attrs["title"])

    @property
    def days(self) -> NDArray[np.datetime64]:
        """datetime64[D] (time,)."""
        return np.asarray(self.found["time"].values).astype("datetime64[D]")

    def rows(self) -> list[tuple[str, str]]:
        """Names and values for people."""
        made, days, one = self.found, self.days, self.scores
        rows = [
            ("points and landslides", f"{made.sizes['point']} and {len(made.attrs['landslides'])}"),
            ("method, learnt until", f"{made.attrs['method']}, {made.attrs['train_until']}"),
            ("days forecast", f"{days[0]} to {days[-1]}"),
        ]
        if not one.count:
            return [*rows, ("passes forecast", "none yet")]
        return [
            *rows,
            ("passes forecast", f"{one.count}"),
            ("root mean square error", f"{one.rmse:.2f} mm"),
            ("mean absolute error", f"{one.mae:.2f} mm"),
            ("skill against no motion since the last pass", f"{one.skill:.2f}"),
            (f"passes within the interval of {LEVEL:.0%}", f"{one.coverage:.1%}"),
            *((f"beside it, {other.method}", _short(other)) for other in self.beside),
        ]

    def lines(self) -> list[str]:
        """The rows as lines, under the title."""
        rows = self.rows()
        wide = max(len(name) for name, _ in rows)
        return [self.title, *(f"  {name:<{wide}}  {value}" for name, value in rows)]


def judged(location: Location) -> list[Judged]:
    """All forecasts of a store."""
    found = []
    for name in forecasts.names(location):
        made = forecasts.dataset(location, name)
        found.append(
            Judged(name, made, forecasts.points(location, name), *_passes(made), beside(location, STAGE, name))
        )
    return found


def _short(other: Beside) -> str:
    return f"{other.rmse:.2f} mm of {other.passes} passes, {other.coverage:.1%} within"


def _passes(made: xr.Dataset) -> tuple[Samples, Forecast]:
    """Passes that lie on days that are forecast, and what was forecast."""
    days, passes = (np.asarray(made[name].values).astype("datetime64[D]") for name in ("time", "pass_time"))
    _, day, at = np.intersect1d(days, passes, return_indices=True)
    observed = made["observed"].values
    told = {n: made[n].isel(time=day).values for n in ("displacement", "lower", "upper")}
    origin = made["origin"].isel(time=day).values.astype("datetime64[D]")
    place, point = np.nonzero(~np.isnat(origin) & np.isfinite(observed[at]))
    came_from, target = origin[place, point], days[day][place]
    start = observed[np.minimum(np.searchsorted(passes, came_from), len(passes) - 1), point]
    count = len(point)
    asked = Samples(
        inputs=made.attrs["inputs"], point=point, origin=came_from, target=target, value=start,
        displacement=np.zeros((count, 1)), displacement_dates=came_from[:, None], rain=None, level=None,
        features=np.zeros((count, 0)), increment=observed[at][place, point] - start,
    )  # fmt: skip
    return asked, Forecast(*(values[place, point] - start for values in told.values()))
