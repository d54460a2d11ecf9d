"""Outlines of a date: of a scene that is mapped in the store, or of a file, brought to longitude and latitude."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_optical_change import FILES, ChangeConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.laying import short
from slidecloud.optical.change import Groups, check_polygons, compare
from slidecloud.optical.change_doubts import doubted, parts_of, share_unmapped
from slidecloud.optical.change_tables import Dates
from slidecloud.pipeline.optical_unmapped import unmapped
from slidecloud.stack.map_files import MapFile
from slidecloud.stack.map_stores import open_stored
from slidecloud.stack.shapes import ShapeFile, open_shapes
from slidecloud.store import records, tables
from slidecloud.store.location import Location
from slidecloud.store.optical_specs import MAP_STAGE, outlines_key, outlines_unit, scene_group
from slidecloud.types import DataError, Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


_LONGEST: Final = 50


@dataclass(frozen=True)
class Outlines:
    """Outlines of one date.

    Attributes
    ----------
    date
        Its name.
    fingerprint
        Changes when they do.
    source
        Where they are: the store with the key of a table, or a file.
    mask
        Of the scene: 0 where it was mapped; None for files, which do not tell.
    count, bounds
        How many they are, and their west, south, east and north; None without any.
    """

    date: str
    fingerprint: str
    source: tuple[Location, str] | ShapeFile
    mask: MapFile | None = None
    count: int = 0
    bounds: tuple[float, float, float, float] | None = None

    def counted(self) -> Outlines:
        """The same, read and checked, with their number and bounds."""
        frame = self.read()
        bounds = tuple(map(float, frame.total_bounds)) if len(frame) else None
        return replace(self, count=len(frame), bounds=bounds)  # type: ignore[arg-type]

    def read(self) -> GeoDataFrame:
        """Polygons in longitude and latitude with a unique text ``id``, and ``score`` where there is one.

        Raises
        ------
        DataError
            If they cannot be read, are no valid polygons, or two have one id.
        """
        if isinstance(self.source, ShapeFile):
            frame, name = _numbered(self.source.read()), self.source.name
        else:
            location, key = self.source
            name = f"{location}/{key}"
            frame = tables.decode((name, location.read(key) or b""))
        check_polygons(frame, name)
        twice = frame["id"].duplicated()
        if twice.any():
            raise DataError(f"{name}: the id {frame.loc[twice, 'id'].iloc[0]!r} is that of several outlines; expected "
                            "one of its own for each")  # fmt: skip
        return frame.to_crs(tables.CRS)


@dataclass(frozen=True)
class Compared:
    """Two dates held against each other.

    Attributes
    ----------
    before, after
        Outlines.
    groups
        Which are one landslide, and what it has done.
    unmapped
        (groups,), share of the ground in one date alone that the other did not map; NaN where not known.
    """

    before: GeoDataFrame
    after: GeoDataFrame
    groups: Groups
    unmapped: Float64


def compared(before: Outlines, after: Outlines, config: ChangeConfig) -> Compared:
    """Two dates, read and compared; what one did not map is no change."""
    old, young = before.read(), after.read()
    groups = compare(old, young, least_overlap=config.least_overlap, least_growth=config.least_growth)
    parts = parts_of(groups, old, young)
    missing = share_unmapped(groups, _unmapped(after, parts.before), _unmapped(before, parts.after))
    return Compared(old, young, doubted(groups, missing, most=config.most_unmapped), missing)


def _unmapped(date: Outlines, shapes: NDArray[np.object_]) -> Float64:
    """Share of each polygon that a date did not map; NaN where there is no polygon, or the date does not tell."""
    import shapely

    shares = np.full(len(shapes), np.nan)
    there = ~shapely.is_empty(shapes)
    if date.mask is not None and there.any():
        shares[there] = unmapped(date.mask, shapes[there])
    return shares


def outlines_of(
    config: ChangeConfig, location: Location, options: Mapping[str, Any] | None = None
) -> tuple[Outlines, Outlines]:
    """Outlines of the earlier and of the later date.

    Raises
    ------
    ConfigError
        If a scene is not mapped, or a file is in another CRS and it is not said to bring it over; names the key.
    FileNotFoundError
        If there is no such file.
    DataError
        If they cannot be read, are no valid polygons, or two have one id.
    """
    dates = _dates(config.before, config.after)
    one = _outlines("change.before", config.before, dates.before, config.reproject, location, options)
    other = _outlines("change.after", config.after, dates.after, config.reproject, location, options)
    return one.counted(), other.counted()


def _dates(before: str, after: str) -> Dates:
    """Names that a scene could have: those of the scenes, or of the files without what is no letter or digit."""
    stems = [re.sub("[^a-z0-9]+", "_", PurePosixPath(one).stem.lower()).strip("_") for one in (before, after)]
    names = [
        given if not given.lower().endswith(FILES) else stem[:_LONGEST] or "outlines"
        for given, stem in zip((before, after), stems, strict=True)
    ]
    return Dates(*names) if names[0] != names[1] else Dates(f"{names[0]}_before", f"{names[1]}_after")


def _outlines(
    key: str, given: str, date: str, reproject: bool, location: Location, options: Mapping[str, Any] | None
) -> Outlines:
    if not given.lower().endswith(FILES):
        table = outlines_key(given)
        data = location.read(table)
        if data is None:
            raise ConfigError(
                f"{key} is {given!r}, of which {location} has no outlines; map it with 'slidecloud optical map', or "
                f"give a file that ends in {', '.join(FILES)}."
            )
        _check_whole(location, given, table, data)
        mask = _mask(location, given)
        seen = [records.checksum(data), None if mask is None else mask.fingerprint]
        return Outlines(date, records.digest(seen), (location, table), mask)
    shapes = open_shapes(given, options=options, may_be_empty=True)
    found = shapes.read().crs
    if not reproject and found != tables.CRS and not found.equals(tables.CRS, ignore_axis_order=True):
        raise ConfigError(
            f"{key}: {shapes.name} is in {short(found.to_string())}, and outlines are in longitude and latitude "
            f"({tables.CRS}); nothing is reprojected unasked. Say 'reproject: true', or give such outlines."
        )
    return Outlines(date, shapes.fingerprint, shapes)


def _check_whole(location: Location, scene: str, table: str, data: bytes) -> None:
    """Raise DataError where outlines are not those of their record: damaged bytes may still read as polygons."""
    for key in records.done(location, stage=MAP_STAGE):
        record = records.read(location, key) if key.unit == outlines_unit(scene) else None
        if record is not None and record.objects[table] != records.checksum(data):
            raise DataError(
                f"{location}/{table} is not what was written. Run 'slidecloud verify {location} --repair' and then "
                "'slidecloud optical map' again"
            )


def _mask(location: Location, scene: str) -> MapFile | None:
    """What kept a scene from being mapped; None where the store has the outlines alone."""
    place = location / scene_group(scene)
    if place.read("mask/zarr.json") is None:
        return None
    stored = open_stored(place, "mask")
    return MapFile(f"{place}/mask", stored.grid, stored.fingerprint, stored)


def _numbered(frame: GeoDataFrame) -> GeoDataFrame:
    """The columns that count: ids as texts, numbers of rows from 1 where there are none, scores, and whether open."""
    import geopandas

    known = "id" in frame.columns and frame["id"].notna().all()
    names = [str(one) for one in frame["id"]] if known else [str(number) for number in range(1, len(frame) + 1)]
    kept = [name for name in ("score", "open") if name in frame and (name == "score" or frame[name].dtype == bool)]
    columns = {"id": np.array(names, object)} | {name: frame[name] for name in kept}
    return geopandas.GeoDataFrame(columns, geometry=list(frame.geometry), crs=frame.crs)
