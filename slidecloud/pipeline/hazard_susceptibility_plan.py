"""Units of the stage ``hazard_susceptibility``: what is drawn, learnt and mapped, each with its digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from slidecloud.config_hazard import HazardConfig
from slidecloud.hazard.assessment import INSAR
from slidecloud.pipeline.hazard_draw import DrawWork, Marks, PlacesWork, UnitPlacesWork
from slidecloud.pipeline.hazard_land import Land
from slidecloud.pipeline.hazard_learn import LearnWork
from slidecloud.pipeline.hazard_maps import ClassWork, MapWork, PaintWork, UnitMapWork
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.specs import SPATIAL_CHUNK

STAGE: Final = "hazard_susceptibility"
_CELL_BYTES: Final = 90
"""Bytes of a cell beside its factors and maps, while absences are drawn."""
_FACTOR_BYTES: Final = 12
_MAP_BYTES: Final = 16
_ROW_BYTES: Final = 400_000_000
"""Bytes for a block of rows that models are asked about."""
_PLACE_BYTES: Final = 4000
"""Bytes of a place while models learn from it."""
_UNIT_BYTES: Final = 4000
"""Bytes of a mapping unit with its outline and factors."""
_LATER: Final = {
    "slides",
    "layer",
    "coordinates",
    "crs",
    "reproject",
    "date",
    "polygons",
    "models",
    "classes",
    "borders",
}
"""Settings that do not change how a model learns from given places."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made.

    Attributes
    ----------
    land, marks
        Factors, and the slides of the whole grid.
    inputs
        Digests of the factors that are read, and of the mapping units where these are learnt from.
    tiles
        Of the grid.
    units
        Mapping units; 0 where cells are learnt from.
    """

    land: Land
    marks: Marks
    inputs: tuple[str, ...]
    tiles: tuple[Tile, ...]
    units: int = 0

    @property
    def on_units(self) -> bool:
        """Whether mapping units are learnt from."""
        return self.land.settings.on == "units"

    @property
    def models(self) -> tuple[str, ...]:
        """Names of all models, each with deformation after the same without."""
        endings = ("", INSAR) if self.land.settings.deformation else ("",)
        return tuple(model + ending for model in self.land.settings.models for ending in endings)

    def draws(self) -> list[Unit]:
        """Units that find what is learnt from; the last makes the table of places."""
        if self.on_units:
            alone = UnitPlacesWork(self.land, self.marks, self.tiles)
            return [Unit(self._key("places", self._drawn), alone, peak_memory=self._unit_memory)]
        margin = self.land.settings.absences.distance or 0.0
        found = [
            Unit(
                self._key(f"draw/{tile}", self._drawn),
                DrawWork(self.land, tile, self.marks.within(tile, self.land.grid, margin=margin)),
                bytes_read=4 * len(self.land.layers) * tile.pixels, peak_memory=self._memory(tile),
            )
            for tile in self.tiles
        ]  # fmt: skip
        gathered = records.digest([self._drawn, [str(tile) for tile in self.tiles]])
        work = PlacesWork(self.land, self.tiles, self.marks.most)
        places = Unit(
            self._key("places", gathered), work, requires=tuple(unit.name for unit in found),
            peak_memory=self._learn_memory,
        )  # fmt: skip
        return [*found, places]

    def lessons(self) -> list[Unit]:
        """Units that learn the models, one for a model without and with deformation."""
        return [
            Unit(self._key(f"learn/{model}", self._learnt), LearnWork(self.land, model), peak_memory=self._learn_memory)
            for model in self.land.settings.models
        ]

    def maps(self) -> list[Unit]:
        """Units that map all models, after they are learnt."""
        needs = tuple(unit.name for unit in self.lessons())
        table = []
        if self.on_units:
            work = UnitMapWork(self.land, self.models)
            table = [Unit(self._key("units", self._mapped), work, requires=needs, peak_memory=self._unit_memory)]
            needs = (table[0].name,)
        make = PaintWork if self.on_units else MapWork
        return table + [
            Unit(
                self._key(f"maps/{tile}", self._mapped), make(self.land, tile, self.models), requires=needs,
                bytes_read=4 * len(self.land.layers) * tile.pixels, bytes_written=12 * len(self.models) * tile.pixels,
                peak_memory=self._memory(tile) + (self._unit_memory if self.on_units else _ROW_BYTES),
            )
            for tile in self.tiles
        ]  # fmt: skip

    def classes(self, limits: Mapping[str, tuple[float, ...]]) -> list[Unit]:
        """Units that cut the maps into classes by the borders of each model."""
        cut_by = records.digest([self._mapped, sorted([name, *borders] for name, borders in limits.items())])
        return [
            Unit(
                self._key(f"classes/{tile}", cut_by), ClassWork(self.land, tile, limits),
                bytes_read=4 * len(limits) * tile.pixels, bytes_written=len(limits) * tile.pixels,
                peak_memory=self._memory(tile),
            )
            for tile in self.tiles
        ]  # fmt: skip

    @property
    def _drawn(self) -> str:
        land, settings = self.land, self.land.settings
        grid = land.grid
        place = [grid.crs, grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width]
        layers = [[one.name, one.units, one.category, one.scale] for one in land.layers]
        wanted = settings.model_dump(mode="json", include={"absences", "seed", "on"})
        wanted["factors"] = settings.needed(())
        return records.digest(["susceptibility/1", place, layers, wanted, list(self.inputs), _sum(self.marks)])

    @property
    def _learnt(self) -> str:
        told = self.land.settings.model_dump(mode="json", exclude=_LATER)
        return records.digest([self._drawn, told, self.land.series_end])

    @property
    def _mapped(self) -> str:
        return records.digest([self._learnt, list(self.models)])

    @property
    def _learn_memory(self) -> int:
        settings = self.land.settings
        places = self.marks.slide.size + self.marks.most + self.marks.other.size
        widest = len(settings.factors) + 20
        return BASE_MEMORY + 500_000_000 + places * (_PLACE_BYTES + 100 * widest)

    @property
    def _unit_memory(self) -> int:
        return BASE_MEMORY + _ROW_BYTES + self.units * (_UNIT_BYTES + 40 * (len(self.land.layers) + len(self.models)))

    def _memory(self, tile: Tile) -> int:
        return BASE_MEMORY + cell_bytes(len(self.land.layers), len(self.models)) * tile.pixels

    def _key(self, unit: str, digest: str) -> records.Key:
        return records.Key(STAGE, unit, digest)


def cell_bytes(layers: int, models: int) -> int:
    """Bytes that a cell of a tile needs."""
    return _CELL_BYTES + _FACTOR_BYTES * layers + _MAP_BYTES * models


def tiles_of(config: HazardConfig, land: Land, models: int) -> tuple[Tile, ...]:
    """Tiles of the grid that fit a worker, beside a block of rows."""
    resources = config.resources
    found: Sequence[Tile] = cut(
        (land.grid.height, land.grid.width), SPATIAL_CHUNK, read_per_pixel=4 * len(land.layers),
        memory_per_pixel=cell_bytes(len(land.layers), models), memory=max(resources.memory_bytes - 2 * _ROW_BYTES, 0),
        tile=resources.tile,
    )  # fmt: skip
    return tuple(found)


def _sum(marks: Marks) -> list[Any]:
    """Checksums of the slides."""
    arrays = (marks.slide, marks.date.astype(np.int64), marks.other, marks.barred)
    return [marks.most, *(records.checksum(np.ascontiguousarray(each).tobytes()) for each in arrays)]
