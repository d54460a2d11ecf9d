"""What the stage ``optical_change`` made, and how a store tells of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_optical_change import ChangeConfig
from slidecloud.optical.radar_join import change_by_class
from slidecloud.pipeline.landslide_rain import compare, motions
from slidecloud.store import open_run, tables
from slidecloud.store.location import Location
from slidecloud.store.optical_change_specs import CHANGES, DENSITY_GROUP, RAIN, STABILITY, folder
from slidecloud.store.stacks import open_dataset

if TYPE_CHECKING:
    import xarray as xr
    from geopandas import GeoDataFrame
    from pandas import DataFrame


@dataclass(frozen=True)
class ChangeResult:
    """What changed between two dates; tables are read when they are asked for.

    Attributes
    ----------
    location, dates
        The store, and the names of the earlier and the later date.
    facts
        Numbers of outlines, of landslides by what they have done and, with a radar, by class.
    histograms
        As `slidecloud.optical.histograms.histogram_table` makes it; None without.
    radar
        How outlines were sorted by motion; None where there is no displacement.
    """

    location: Location
    dates: tuple[str, str]
    facts: Mapping[str, Any]
    histograms: DataFrame | None
    radar: ClassifyConfig | None

    @property
    def place(self) -> str:
        """Its group in the store."""
        return folder(*self.dates)

    @property
    def changes(self) -> GeoDataFrame:
        """Landslides."""
        return self._table(CHANGES)

    @property
    def stability(self) -> GeoDataFrame:
        """Outlines by motion, one row a track that sees them."""
        return self._table(STABILITY)

    @property
    def rain(self) -> GeoDataFrame:
        """Outlines whose series was held against rain."""
        return self._table(RAIN)

    @property
    def density(self) -> xr.Dataset | None:
        """Landslides per square kilometre of each date, dims (y, x), degrees; None without any outline."""
        if not sum(self.facts["outlines"]):
            return None
        return open_dataset(self.location / self.place / DENSITY_GROUP)

    def fastest(self, count: int) -> list[Any]:
        """Series of the outlines that move fastest, a `slidecloud.pipeline.landslide_rain.Comparison` each where there
        is rain, else a `slidecloud.pipeline.landslide_rain.Motion`."""
        if self.radar is None or not count:
            return []
        found = self.stability
        sure = found[found["deciding"] & (found["class"] != "unknown")]
        chosen = sure.loc[sure["velocity"].abs().sort_values(ascending=False, kind="stable").index[:count]]
        run = open_run(self.location)
        return list(motions(run, chosen) if self.radar.rain is None else compare(run, chosen, self.radar))

    def _table(self, name: str) -> GeoDataFrame:
        key = f"{self.place}/{name}"
        return tables.decode((f"{self.location}/{key}", self.location.read(key) or b""))


def report(result: ChangeResult, config: ChangeConfig) -> dict[str, Any]:
    """A result as JSON values, null where a number is not known."""
    told: dict[str, Any] = {
        "before": result.dates[0],
        "after": result.dates[1],
        **config.model_dump(mode="json", include={"least_overlap", "least_growth", "most_unmapped", "radius"}),
        "outlines": list(result.facts["outlines"]),
        "changes": dict(result.facts["changes"]),
    }
    if result.radar is not None:
        told["classes"] = dict(result.facts["classes"])
        told["without_class"] = result.facts["without_class"]
        told["change_by_class"] = change_by_class(result.stability).to_dict("index")
    if result.histograms is not None:
        told["histograms"] = [
            {str(name): _plain(value) for name, value in row.items()} for row in result.histograms.to_dict("records")
        ]
    return told


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
