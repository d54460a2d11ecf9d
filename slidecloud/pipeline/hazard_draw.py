"""Slides and absences that susceptibility learns from: drawn tile by tile, put together, and stored as a table."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from slidecloud.hazard.drawing import RANK, Part, part, whole
from slidecloud.hazard.slides import Cells, Dates, earliest
from slidecloud.pipeline.hazard_land import Land
from slidecloud.pipeline.hazard_windows import read_window
from slidecloud.pipeline.tiles import Tile
from slidecloud.store import tables
from slidecloud.store.arrays import Writer
from slidecloud.store.susceptibility_specs import PARTS, PLACES, SAMPLE, place_columns
from slidecloud.store.unit_specs import UNITS_GROUP
from slidecloud.types import DataError, Float64, Grid


@dataclass(frozen=True, slots=True)
class Marks:
    """Slides of a tile, or of the whole grid: cells as in `slidecloud.hazard.slides.SlideCells`.

    ``near`` (m, 2) is x and y of slides that absences must keep away from; ``most`` the absences wanted of the land.
    """

    slide: Cells
    date: Dates
    other: Cells
    barred: Cells
    near: Float64
    most: int

    def within(self, tile: Tile, grid: Grid, *, margin: float) -> Marks:
        """Those in a tile, and slides within so many metres around it."""
        chosen = _inside(self.slide, tile, grid.width)
        x, y = self.near.T
        west, east = grid.left + tile.left * grid.dx - margin, grid.left + tile.right * grid.dx + margin
        north, south = grid.top + tile.top * grid.dy + margin, grid.top + tile.bottom * grid.dy - margin
        near = self.near[(x >= west) & (x <= east) & (y >= south) & (y <= north)]
        other, barred = (cells[_inside(cells, tile, grid.width)] for cells in (self.other, self.barred))
        return Marks(self.slide[chosen], self.date[chosen], other, barred, near, self.most)


@dataclass(frozen=True, slots=True)
class DrawWork:
    """Find the slides of a tile and its likeliest absences."""

    land: Land
    tile: Tile
    marks: Marks

    def __call__(self, writer: Writer) -> dict[str, Any]:
        marks, number = self.marks, self.land.numbers(self.tile)
        slid, other, barred = (np.isin(number, cells) for cells in (marks.slide, marks.other, marks.barred))
        date = np.full(number.size, "NaT", "datetime64[s]")
        date[slid] = marks.date
        ground = self.land.ground(self.land.table(self.tile), *self.land.centres(self.tile), slid, date)
        found = part(ground, number, self.land.settings, most=marks.most, slides=marks.near, other=other, barred=barred)
        writer.write_object(part_key(self.tile), _encoded(found))
        return {"eligible": found.eligible, "unknown": found.unknown, "rows": len(found.rows)}


@dataclass(frozen=True, slots=True)
class PlacesWork:
    """Put the slides and absences of all tiles together."""

    land: Land
    tiles: tuple[Tile, ...]
    most: int

    def __call__(self, writer: Writer) -> dict[str, Any]:
        return _written(writer, self.land, (self._part(tile) for tile in self.tiles), self.most)

    def _part(self, tile: Tile) -> Part:
        key = part_key(tile)
        data = self.land.location.read(key)
        if data is None:
            raise DataError(
                f"{key} is missing from {self.land.location} though its tile is done. Run 'slidecloud verify "
                f"{self.land.location} --repair', and then 'slidecloud hazard susceptibility' again."
            )
        return _decoded(data)


@dataclass(frozen=True, slots=True)
class UnitPlacesWork:
    """Find the mapping units with slides, and draw absences among the others."""

    land: Land
    marks: Marks
    tiles: tuple[Tile, ...]

    def __call__(self, writer: Writer) -> dict[str, Any]:
        table, factors = self.land.units()
        names = table["unit"].to_numpy()
        centre = table.geometry.to_crs(self.land.grid.crs).centroid
        slid, date = self._slides(names)
        other, barred = (np.isin(names, self._units(cells)) for cells in (self.marks.other, self.marks.barred))
        ground = self.land.ground(factors, centre.x.to_numpy(), centre.y.to_numpy(), slid, date)
        settings = self.land.settings
        found = part(
            ground, names, settings, most=self.marks.most, slides=self.marks.near, other=other & ~slid, barred=barred
        )
        return _written(writer, self.land, [found], self.marks.most)

    def _slides(self, names: NDArray[np.int32]) -> tuple[NDArray[np.bool_], Dates]:
        """Units that hold a slide, with the earliest day, not known where one is not."""
        unit = self._units(self.marks.slide)
        held, first = earliest(unit[unit > 0], self.marks.date[unit > 0])
        date = np.full(names.size, "NaT", "datetime64[s]")
        slid = np.isin(names, held)
        date[slid] = first[np.isin(held, names)]
        return slid, date

    def _units(self, cells: Cells) -> NDArray[np.int32]:
        """Unit of each cell, 0 where there is none."""
        width = self.land.grid.width
        found = np.zeros(cells.size, np.int32)
        for tile in self.tiles:
            inside = np.flatnonzero(_inside(cells, tile, width))
            if inside.size:
                row, column = np.divmod(cells[inside], width)
                window = read_window(self.land.location, UNITS_GROUP, "unit", tile)
                found[inside] = window[row - tile.top, column - tile.left]
        return found


def part_key(tile: Tile) -> str:
    """Key of what a tile gives to learn from."""
    return f"{PARTS}/{tile}.parquet"


def _written(writer: Writer, land: Land, parts: Iterable[Part], most: int) -> dict[str, Any]:
    import shapely
    from pyproj import Transformer

    rows, eligible, unknown = whole(parts, land.settings, most=most)
    turn = Transformer.from_crs(land.grid.crs, tables.CRS, always_xy=True)
    points = shapely.points(*turn.transform(rows["x"].to_numpy(), rows["y"].to_numpy()))
    told = rows["date"].to_numpy().astype("datetime64[s]")
    days = np.where(np.isnat(told), "", np.datetime_as_string(told, unit="s"))
    columns = {str(name): rows[name] for name in rows.columns if name != RANK} | {"date": days.astype(object)}
    specs = place_columns([(layer.name, "rad" if layer.scale != 1 else layer.units) for layer in land.layers])
    writer.write_object(PLACES, tables.encode(tables.table(specs, columns, list(points))))
    facts = {"eligible": eligible, "unknown": unknown, "places": len(rows), "slides": int(rows["slide"].sum())}
    writer.write_object(SAMPLE, json.dumps(facts, sort_keys=True).encode())
    return facts


def _encoded(found: Part) -> bytes:
    buffer = io.BytesIO()
    rows = found.rows.copy(deep=False)
    rows.attrs = {"eligible": found.eligible, "unknown": found.unknown}
    rows.to_parquet(buffer, index=False)
    return buffer.getvalue()


def _decoded(data: bytes) -> Part:
    rows = pd.read_parquet(io.BytesIO(data))
    counts = dict(rows.attrs)
    rows.attrs = {}
    return Part(rows, counts["eligible"], counts["unknown"])


def _inside(cells: Cells, tile: Tile, width: int) -> NDArray[np.bool_]:
    row, column = np.divmod(cells, width)
    found: NDArray[np.bool_] = (row >= tile.top) & (row < tile.bottom) & (column >= tile.left) & (column < tile.right)
    return found
