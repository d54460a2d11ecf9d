"""Work of the stage ``optical_change``: what changed, where it lies thickest, and how the ground inside moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_optical_change import ChangeConfig
from slidecloud.optical import change, radar_join
from slidecloud.optical.change_tables import Dates, asked, change_table
from slidecloud.pipeline.landslide_rain import rain_table
from slidecloud.pipeline.optical_outlines import Outlines, compared
from slidecloud.pipeline.velocities_inside import Seen, classified
from slidecloud.products.density import density
from slidecloud.products.stability import class_counts
from slidecloud.store import open_run, tables
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.optical_change_specs import (
    CHANGES,
    DENSITY_GROUP,
    OUTLINES,
    RAIN,
    STABILITY,
    folder,
)
from slidecloud.types import Float32, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class Radar(NamedTuple):
    """How to sort outlines by motion, and the bursts whose velocities are read."""

    config: ClassifyConfig
    bursts: tuple[str, ...]


@dataclass(frozen=True)
class ChangeWork:
    """Compare two dates, ask the radar about them, and write tables and maps.

    Attributes
    ----------
    location
        The store that is written, and read where there is a radar.
    before, after
        Outlines.
    config
        Thresholds and radius.
    grid
        Of the maps of density; None where no date has an outline.
    radar
        None: without.
    """

    location: Location
    before: Outlines
    after: Outlines
    config: ChangeConfig
    grid: Grid | None
    radar: Radar | None

    def __call__(self, writer: Writer) -> dict[str, Any]:
        dates = Dates(self.before.date, self.after.date)
        held = compared(self.before, self.after, self.config)
        before, after = held.before, held.after
        found = change_table(held.groups, before, after, dates, unmapped=held.unmapped)
        outlines = asked(found, held.groups, before, after, dates)
        place = folder(*dates)
        for key, table in ((CHANGES, found), (OUTLINES, outlines)):
            writer.write_object(f"{place}/{key}", tables.encode(table))
        if self.grid is not None:
            for name, values in self._densities(before, after, found, self.grid).items():
                writer.write(f"{place}/{DENSITY_GROUP}/{name}", values)
        facts: dict[str, Any] = {"outlines": [len(before), len(after)], "changes": change.counts(found["change"])}
        if self.radar is None:
            return facts
        return facts | self._joined(writer, outlines, self.radar, place)

    def _densities(
        self, before: GeoDataFrame, after: GeoDataFrame, found: GeoDataFrame, grid: Grid
    ) -> Mapping[str, Float32]:
        fresh = found[found["change"] == change.NEW]
        frames = {"density_before": before, "density_after": after, "density_new": fresh}
        return {
            name: density(frame.geometry.bounds.set_axis(_BOX, axis=1), grid, radius=self.config.radius)
            for name, frame in frames.items()
        }

    def _joined(self, writer: Writer, outlines: GeoDataFrame, radar: Radar, place: str) -> dict[str, Any]:
        run = open_run(self.location)
        stability, seen = classified(run, outlines, radar.config, bursts=radar.bursts)
        joined = radar_join.joined(stability, outlines, least_points=radar.config.least_points)
        rain = rain_table(run, stability, radar.config)
        for name, table in ((STABILITY, joined), (RAIN, rain)):
            writer.write_object(f"{place}/{name}", tables.encode(table))
        without = joined.loc[joined["deciding"] & (joined["note"] != "")]
        facts = {"classes": class_counts(joined), "without_class": len(without)}
        return facts | _note(seen)


_BOX = ("west", "south", "east", "north")


def _note(seen: Seen) -> dict[str, Any]:
    if not seen.unfinished:
        return {}
    return {"note": f"{len(seen.unfinished)} velocity maps are not finished and were left out: {seen.unfinished[0]}."}
