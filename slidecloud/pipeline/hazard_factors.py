"""The stage ``hazard_factors``: every factor of hazard on one grid, a tile at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from slidecloud.config_hazard import HazardConfig
from slidecloud.hazard.factors import grid_of
from slidecloud.hazard.opening import opened
from slidecloud.hazard.sources import Source, known_pixels
from slidecloud.pipeline.drive import check_memory, drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.hazard_made import STAGE, made_from
from slidecloud.pipeline.hazard_motion import Motion, inventory_places, motions
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.side_store import check_store, ensure_store, withdraw_stale
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.hazard_specs import FACTORS, HAZARD, arrays_of, factor_specs
from slidecloud.store.location import Location, locate
from slidecloud.store.specs import SPATIAL_CHUNK
from slidecloud.types import Grid

_READ_BYTES: Final = 8


@dataclass(frozen=True, slots=True)
class FactorWork:
    """Make the factors of one source in a tile, and write those that are wanted."""

    source: Source
    tile: Tile

    def __call__(self, writer: Writer) -> dict[str, Any]:
        made = self.source.make(self.tile.rows, self.tile.columns)
        for name, values in made.items():
            writer.write(f"{FACTORS}/{name}", values, (self.tile.top, self.tile.left))
        return {"pixels": self.tile.pixels, "known": {name: known_pixels(values) for name, values in made.items()}}


def compute(
    config: HazardConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> Summary:
    """Make all factors of a configuration that are not made yet, in the group ``hazard/factors``.

    Parameters
    ----------
    config
        Grid, factors, and the run or store that is written.
    executor
        Where tiles are made.
    progress
        Told about every tile.
    retry_quarantined
        Try tiles again whose data was bad.
    takeover
        Take the store from a driver that may still be at work.

    Returns
    -------
    Summary

    Raises
    ------
    ConfigError
        If a source does not go with the grid, or the store holds something else.
    DataError, FileNotFoundError, ConnectionError
        If a source cannot be read.
    LeaseError
        If another process is writing the store, or takes it over.
    MemoryError
        If a tile needs more memory than a worker has.
    """
    location = locate(config.place, config.storage_options)
    check_store(location, HAZARD, in_run=config.run is not None)
    grid = grid_of(config.grid)
    sources = sources_of(config, location, grid)
    units = plan(sources, grid, memory=config.resources.memory_bytes, tile=config.resources.tile)
    done = records.done(location)
    check_memory([unit for unit in units if unit.key not in done], config.resources.memory_bytes)
    with lease.hold(location, takeover=takeover) as token:
        withdraw_stale(location, STAGE, units)
        ensure_store(location, HAZARD, in_run=config.run is not None)
        templates.ensure(location, FACTORS, _template(config, sources, grid))
        return drive(
            units, location=location, token=token, executor=executor, memory=config.resources.memory_bytes,
            retries=config.resources.retries, retry_quarantined=retry_quarantined, progress=progress, label="factors",
        )  # fmt: skip


def sources_of(config: HazardConfig, location: Location, grid: Grid) -> list[Source]:
    """Sources of all factors, opened and checked."""
    asked = any(one.kind == "density" and one.path is None for one in config.factors.values())
    places = inventory_places(location, grid) if asked else None
    found = opened(config.factors, grid, options=config.storage_options, inventory=places)
    return [*found, *motions(config.factors, location, grid)]


def plan(sources: Sequence[Source], grid: Grid, *, memory: int, tile: tuple[int, int] | None = None) -> list[Unit]:
    """Units of all sources and tiles.

    Parameters
    ----------
    sources
        Of all factors.
    grid
        The one grid.
    memory
        Bytes of a worker.
    tile
        Rows and columns of a tile, whole chunks; None chooses by memory. Other tiles give the same bits.
    """
    units = []
    place = [grid.crs, grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width]
    for source in sources:
        per_pixel, fixed = source.memory()
        digest = records.digest(["factors/1", place, type(source).__name__, source.parts()])
        tiles = cut(
            (grid.height, grid.width), SPATIAL_CHUNK, read_per_pixel=_READ_BYTES, memory_per_pixel=int(per_pixel),
            memory=max(memory - fixed, 0), tile=tile,
        )  # fmt: skip
        units += [
            Unit(
                records.Key(STAGE, f"{source.name}/{one}", digest),
                FactorWork(source, one),
                bytes_read=_READ_BYTES * one.pixels,
                bytes_written=4 * one.pixels,
                peak_memory=BASE_MEMORY + fixed + int(per_pixel * one.pixels),
            )
            for one in tiles
        ]
    return units


def _template(config: HazardConfig, sources: Sequence[Source], grid: Grid) -> dict[str, bytes]:
    factors = config.factors
    classes = {source.name: source.classes() for source in sources}
    arrays = [array for name, one in factors.items() for array in arrays_of(name, one)]
    ends = {source.name: source.ends for source in sources if isinstance(source, Motion)}
    about = {"factors": list(factors), "arrays": arrays, "deformation_ends": ends, "made_from": made_from(config)}
    return templates.group(
        factor_specs(factors, classes), {"y": grid.height, "x": grid.width}, path=FACTORS, attributes=about,
        coordinates={}, grid=grid,
    )  # fmt: skip
