"""The stage ``hazard_units``: slope units of the hazard grid, their map, and their table with all factors.

The flow is found once over the whole grid, because what drains through a cell may come from anywhere, and with it the
first basins. Units are then cut tile by tile, each basin by itself and whole, also where it reaches into other tiles;
so they are the same whatever the tiles. Figures of a unit are those of the tile in which its basin begins.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_units import UnitsConfig
from slidecloud.hazard.factors import grid_of
from slidecloud.pipeline import hazard_made
from slidecloud.pipeline.drive import check_memory, drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.hazard_unit_cuts import CutWork, FlowWork
from slidecloud.pipeline.hazard_unit_table import Layer, TableWork, ZonesWork
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.side_store import check_store, ensure_store, withdraw_stale
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, records, templates
from slidecloud.store.arrays import reader
from slidecloud.store.hazard_specs import FACTORS, HAZARD
from slidecloud.store.location import Location, locate
from slidecloud.store.specs import SPATIAL_CHUNK
from slidecloud.store.unit_specs import FLOW, FLOW_GROUP, UNITS, UNITS_GROUP, LayerKind
from slidecloud.types import Grid

STAGE: Final = "hazard_units"
FLOW_UNIT: Final = (STAGE, "flow")
_PROCESS: Final = BASE_MEMORY + 100_000_000
"""Bytes of a process that has also loaded what tables of outlines need."""
_FLOW_BYTES: Final = 65
"""Bytes of memory for a cell of the whole grid while the flow is found; 54 were measured at 4,000 x 4,000."""
_CELL_BYTES: Final = 150
"""The same for a cell of a window while units are cut; up to 67 were measured, and more where windows are small."""
_TABLE_BYTES: Final = 30
"""The same for a cell of the grid while the table is put together; up to 24 were measured."""
_KINDS: Final[dict[str, LayerKind]] = {"aspect": "angle", "category": "category"}
"""Kinds of factors whose values are no plain numbers."""


def compute(
    config: HazardConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> Summary:
    """Cut the grid into slope units and describe each by all factors that are made, where that is not done yet.

    Parameters
    ----------
    config
        Grid, settings of the units, and the run or store that holds the factors.
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
        If the store holds something else, or other factors than the configuration.
    KeyError
        If the elevation is no factor.
    LeaseError
        If another process is writing the store, or takes it over.
    MemoryError
        If a worker has too little memory for a tile, or for the flow over the whole grid.
    """
    location = locate(config.place, config.storage_options)
    check_store(location, HAZARD, in_run=config.run is not None)
    hazard_made.check_made(location, config, config.factors)
    resources, grid = config.resources, grid_of(config.grid)
    units, groups = plan(
        location, config.units, grid, layers_of(location), memory=resources.memory_bytes, tile=resources.tile
    )
    done = records.done(location)
    todo = [unit for unit in units if unit.key not in done]
    if any(unit.name == FLOW_UNIT for unit in todo):
        check_flow(grid, resources.memory_bytes)
    check_memory(todo, resources.memory_bytes)
    with lease.hold(location, takeover=takeover) as token:
        withdraw_stale(location, STAGE, units)
        ensure_store(location, HAZARD, in_run=config.run is not None)
        for path, objects in groups.items():
            templates.ensure(location, path, objects)
        return drive(
            units, location=location, token=token, executor=executor, memory=resources.memory_bytes,
            retries=resources.retries, retry_quarantined=retry_quarantined, progress=progress, label="units",
        )  # fmt: skip


def layers_of(location: Location) -> list[Layer]:
    """Every factor of a store of which something is made, in the order in which they were asked for."""
    made: dict[str, list[list[str]]] = {}
    for key in sorted(records.done(location, stage=hazard_made.STAGE), key=lambda key: key.unit):
        record = records.read(location, key)
        for name in () if record is None else record.facts["known"]:
            made.setdefault(name, []).append([key.unit, key.digest])
    if not made:
        return []
    group, layers = reader(location, FACTORS), []
    for name in map(str, group.attrs["factors"]):  # type: ignore[arg-type]
        about = group[name].attrs
        if name in made:
            kind = _KINDS.get(str(about["kind"]), "number")
            layers.append(Layer(name, kind, str(about["units"]), records.digest(made[name])))
    return layers


def sizes(location: Location) -> Mapping[str, Any]:
    """Number and areas (m2) of the units that a store holds, by the record of their table; empty where none is."""
    for key in records.done(location, stage=STAGE):
        if key.unit == "table" and (record := records.read(location, key)) is not None:
            return record.facts
    return {}


def plan(
    location: Location,
    config: UnitsConfig,
    grid: Grid,
    layers: Sequence[Layer],
    *,
    memory: int,
    tile: tuple[int, int] | None = None,
) -> tuple[list[Unit], Mapping[str, Mapping[str, bytes]]]:
    """Units that make the map and the table, and the templates of what they write.

    Parameters
    ----------
    location
        The store, whose factors are done.
    config
        The settings.
    grid
        The hazard grid, in metres.
    layers
        The factors, the elevation among them, in the order of the table's columns.
    memory
        Bytes of a worker.
    tile
        Rows and columns of a tile, multiples of the chunks; None chooses by memory.

    Raises
    ------
    KeyError
        If the elevation is no factor.
    ValueError
        If the grid has more cells than a unit's number can name.
    """
    by_name = {layer.name: layer for layer in layers}
    if config.elevation not in by_name:
        raise KeyError(
            f"units.elevation is {config.elevation!r}, which is no factor; expected one of {', '.join(sorted(by_name))}"
        )
    cells = grid.height * grid.width
    if cells >= 2**31:
        raise ValueError(f"the grid has {cells} cells, expected fewer than 2^31; take a coarser grid, or parts of it")
    place = [grid.crs, grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width]
    cut_by = records.digest(["hazard_units/2", place, config.model_dump(), by_name[config.elevation].digest])
    shape = (grid.height, grid.width)
    tiles = cut(
        shape, SPATIAL_CHUNK, read_per_pixel=17 + 4 * len(layers), memory_per_pixel=4 * _CELL_BYTES, memory=memory,
        tile=tile,
    )  # fmt: skip
    water = Unit(
        records.Key(*FLOW_UNIT, cut_by), FlowWork(location, grid, config), bytes_read=4 * cells,
        bytes_written=13 * cells, peak_memory=_flow_memory(grid),
    )  # fmt: skip
    cuts = [
        Unit(
            records.Key(STAGE, f"tiles/{one}", cut_by), CutWork(location, grid, config, one), requires=(water.name,),
            bytes_read=17 * one.pixels, bytes_written=4 * one.pixels, peak_memory=_memory(one, config, grid),
        )
        for one in tiles
    ]  # fmt: skip
    described = records.digest([cut_by, [[layer.name, layer.kind, layer.units, layer.digest] for layer in layers]])
    zones = [
        Unit(
            records.Key(STAGE, f"zones/{one}", described), ZonesWork(location, grid, config, tuple(layers), one),
            requires=tuple(unit.name for unit in cuts), bytes_read=(12 + 4 * len(layers)) * one.pixels,
            bytes_written=one.pixels, peak_memory=_memory(one, config, grid),
        )
        for one in tiles
    ]  # fmt: skip
    table = Unit(
        records.Key(STAGE, "table", records.digest([described, [str(one) for one in tiles]])),
        TableWork(location, config, tuple(layers), tuple(tiles)), requires=tuple(unit.name for unit in zones),
        bytes_read=cells, bytes_written=cells, peak_memory=_PROCESS + _TABLE_BYTES * cells,
    )  # fmt: skip
    nothing: dict[str, Any] = {"attributes": {}, "coordinates": {}}
    groups = {
        path: templates.group(specs, {"y": shape[0], "x": shape[1]}, path=path, grid=grid, **nothing)
        for path, specs in ((FLOW_GROUP, FLOW), (UNITS_GROUP, UNITS))
    }
    return [water, *cuts, *zones, table], groups


def check_flow(grid: Grid, memory: int) -> None:
    """Refuse a grid whose flow does not fit a worker's bytes: it is found at once, for it may come from anywhere.

    Raises
    ------
    MemoryError
        With what is needed, and the spacing that would do.
    """
    needed = _flow_memory(grid)
    if needed <= memory:
        return
    room = (memory - _PROCESS) // _FLOW_BYTES
    coarser = math.ceil(grid.dx * math.sqrt(grid.height * grid.width / room)) if room > 0 else 0
    raise MemoryError(
        f"The flow over the whole grid is found at once: {grid.height} x {grid.width} cells of {_FLOW_BYTES} bytes "
        f"need {needed / 2**30:.2f} GiB, and a worker has {memory / 2**30:.2f} GiB. Give one worker that much with "
        f"'--workers 1 --memory \"{math.ceil(needed / 2**30)} GiB\"' or in resources; "
        + (f"take a grid of {coarser} m, which would fit; " if coarser else "")
        + "or cut the grid along divides, into a store for each part."
    )


def _flow_memory(grid: Grid) -> int:
    return _PROCESS + _FLOW_BYTES * grid.height * grid.width


def _memory(tile: Tile, config: UnitsConfig, grid: Grid) -> int:
    """Bytes for a tile with the basins that reach out of it; a basin is hardly longer than four times its breadth."""
    reach = 2 * math.ceil(math.sqrt(config.first_stream / abs(grid.dx * grid.dy)))
    return _PROCESS + _CELL_BYTES * tile.padded((reach, reach), (reach, reach), (grid.height, grid.width)).pixels
