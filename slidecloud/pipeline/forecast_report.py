"""All that is to be told of forecasts: errors with intervals, events, lags, and a table of how good each point is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.assessment import Assessment, assess
from slidecloud.forecast.connections import Connection, connections
from slidecloud.forecast.keeping import unpack
from slidecloud.forecast.lags import permutation
from slidecloud.forecast.samples import INPUTS
from slidecloud.forecast.scores import by_point
from slidecloud.pipeline.forecast_beside import later
from slidecloud.pipeline.forecast_judged import Judged
from slidecloud.pipeline.forecast_known import Known, known_of
from slidecloud.pipeline.forecast_methods import device_of, on_device
from slidecloud.pipeline.forecast_plan import places
from slidecloud.store import tables
from slidecloud.store.location import Location
from slidecloud.store.tables import ColumnSpec

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

_OF_CAUSE: Final = (
    ("lag", "float64", "day", "days after it at which motion agrees with it best"),
    ("lag_low", "float64", "day", "least lag that agrees as well"),
    ("lag_high", "float64", "day", "largest lag that agrees as well"),
    ("lag_correlation", "float64", "1", "correlation at the best lag"),
    ("lag_p", "float64", "1", "of it by chance, adjusted for the number of points"),
    ("v", "float64", "1", "Cramer's V of the test of independence"),
    ("v_p", "float64", "1", "of it by chance, adjusted for the number of points"),
)
ERRORS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("part", "text", "", "track of a run, or the points of a table"),
    ColumnSpec("id", "text", "", "of the point"),
    ColumnSpec("landslide", "text", "", "id of the landslide that the point lies in; empty for none"),
    ColumnSpec("passes", "int64", "1", "passes that were forecast and came"),
    ColumnSpec("rmse", "float64", "mm", "root mean square error"),
    ColumnSpec("mae", "float64", "mm", "mean absolute error"),
    ColumnSpec("correlation", "float64", "1", "of forecast and true motion between passes"),
    ColumnSpec("skill", "float64", "1", "against no motion since the last pass"),
    ColumnSpec("coverage", "float64", "1", "share of passes within the interval"),
    *(
        ColumnSpec(f"{cause}_{name}", dtype, units, meaning)
        for cause in ("rain", "drawdown") for name, dtype, units, meaning in _OF_CAUSE
    ),
)  # fmt: skip
"""Columns of the table of errors."""
ERRORS_TABLE: Final = "errors.parquet"


@dataclass(frozen=True)
class Told:
    """Forecasts of one part and all that is told of them.

    Attributes
    ----------
    judged
        The forecasts.
    assessment
        How good they were; None where no pass has come yet.
    connections
        What motion has to do with rain and level.
    exchanged
        What the method loses without knowing rain or level of some days, as
        `slidecloud.forecast.lags.permutation`, with the columns ``input`` and ``points``; None where not asked for.
    """

    judged: Judged
    assessment: Assessment | None
    connections: list[Connection]
    exchanged: pd.DataFrame | None = None

    def errors(self) -> GeoDataFrame:
        """A row a point, columns as `ERRORS` has them."""
        points, one = self.judged.points, self.judged
        scored = by_point(one.asked, one.told, points=len(points)).rename(columns={"count": "passes"})
        columns: dict[str, Any] = {
            "part": [one.title] * len(points), "id": points["id"], "landslide": points["landslide"],
            **{name: scored[name] for name in ("passes", "rmse", "mae", "correlation", "skill", "coverage")},
        }  # fmt: skip
        known = {connection.cause: connection for connection in self.connections}
        for cause in ("rain", "drawdown"):
            found = _columns(known.get(cause), len(points))
            columns |= {f"{cause}_{name}": values for name, values in found.items()}
        return tables.table(ERRORS, columns, list(points.geometry))


def told(location: Location, one: Judged, config: ForecastConfig, *, permute: bool = False) -> Told:
    """Judge the forecasts of a part in every way.

    Parameters
    ----------
    location, one
        The store, and the part of it.
    config
        The settings.
    permute
        Also exchange rain and level for those of other days and forecast again, which takes many times as long as to
        forecast.
    """
    name = one.name
    known = known_of(location, name, one.points["id"].to_numpy(str))
    landslide = one.points["landslide"].to_numpy(object)
    assessment = assess(one.asked, one.told, known.drivers, landslide=landslide) if one.scores.count else None
    exchanged = _exchanged(location, name, known, config) if permute else None
    return Told(one, assessment, connections(*known), exchanged)


def table_of(found: list[Told]) -> bytes:
    """All errors, a row a point, as GeoParquet."""
    rows = pd.concat([one.errors() for one in found], ignore_index=True)
    return tables.encode(rows)


def _columns(found: Connection | None, points: int) -> dict[str, Any]:
    if found is None:
        return {name: np.full(points, np.nan) for name, *_ in _OF_CAUSE}
    lags, test = found.lags, found.test
    none = np.isnan(lags.correlation).all(axis=1)
    largest = np.where(none, np.nan, np.nan_to_num(lags.correlation, nan=-2.0).max(axis=1))
    values = lags.best, lags.low, lags.high, largest, lags.adjusted, test.normalised, test.adjusted
    return dict(zip((name for name, *_ in _OF_CAUSE), values, strict=True))


def _exchanged(location: Location, name: str, known: Known, config: ForecastConfig) -> pd.DataFrame | None:
    found = []
    for place in places(location, name, known.displacement.ids):
        data = location.read(place.learnt)
        if data is None:  # these points are in quarantine
            continue
        own, wet = known.displacement.of(place.points), known.drivers.of(place.points)
        asked = later(own, wet, config)
        if len(np.unique(asked.target)) < 2:
            continue
        fitted = on_device(unpack(data), device_of(config))
        for what in INPUTS[config.inputs]:
            loss = permutation(fitted, own, wet, asked, of=what, days=config.days)  # type: ignore[arg-type]
            found.append(loss.assign(input=what, points=f"{place.first + 1}-{place.points.stop}"))
    return pd.concat(found, ignore_index=True) if found else None
