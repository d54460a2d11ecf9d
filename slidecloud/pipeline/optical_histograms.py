"""Outlines over the ground: cells and outlines of each class of each factor, a tile at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_optical_change import ChangeConfig, HistogramConfig
from slidecloud.config_risk import RiskFactorConfig
from slidecloud.hazard.factor_classes import MISSING, FactorClasses, tally
from slidecloud.hazard.factors import cell_of, grid_of
from slidecloud.hazard.gathering import gathered
from slidecloud.hazard.opening import opened
from slidecloud.hazard.painting import paint
from slidecloud.hazard.risk_classes import FactorFacts, classes_of
from slidecloud.hazard.sources import Source
from slidecloud.optical.change import NEW
from slidecloud.optical.histograms import Counted, histogram_table
from slidecloud.pipeline.optical_outlines import Outlines
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import records, tables
from slidecloud.store.arrays import Writer
from slidecloud.store.hazard_specs import factor_specs
from slidecloud.store.location import Location
from slidecloud.store.optical_change_specs import OUTLINES, folder
from slidecloud.store.specs import SPATIAL_CHUNK
from slidecloud.types import Float64, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from pandas import DataFrame

_PARTS: Final = RiskFactorConfig(parts=5)
_SAMPLES: Final = 16
"""Blocks, evenly over the grid, that borders of equal ground are taken from."""
_MASK_BYTES: Final = 16
_OUTLINE_BYTES: Final = 4_000


@dataclass(frozen=True)
class Ground:
    """Factors of the ground, opened, and the classes that they are cut into."""

    grid: Grid
    sources: tuple[Source, ...]
    classes: tuple[FactorClasses, ...]


@dataclass(frozen=True)
class HistogramWork:
    """Count cells and outlines of a tile in each class of each factor; ``place`` is the group of the two dates."""

    ground: Ground
    tile: Tile
    location: Location
    place: str
    date: str

    def __call__(self, _writer: Writer) -> dict[str, Any]:
        key = f"{self.place}/{OUTLINES}"
        outlines = tables.decode((f"{self.location}/{key}", self.location.read(key) or b""))
        outlines = outlines[outlines["scene"] == self.date].reset_index(drop=True)
        counted = count(self.ground, self.tile, outlines, new=(outlines["change"] == NEW).to_numpy(bool))
        return {name: [column.tolist() for column in one] for name, one in counted.items()}


def count(ground: Ground, tile: Tile, outlines: GeoDataFrame, *, new: NDArray[np.bool_]) -> dict[str, Counted]:
    """Cells and outlines of a tile in the classes of each factor, by its name.

    A cell is inside where its centre is. An outline counts in the tile and class of one place inside it, and nowhere
    where the factor is not known there.

    Parameters
    ----------
    ground
        The factors.
    tile
        Rows and columns of its grid.
    outlines
        Polygons in longitude and latitude.
    new
        (n,), those that are counted once more by themselves.
    """
    import shapely

    grid = ground.grid
    shapes, places = _laid(outlines, grid)
    nothing = np.zeros(len(shapes), np.int16)
    inside = paint(shapely.STRtree(shapes), nothing, grid, tile.rows, tile.columns, missing=MISSING) != MISSING
    row, column = (np.floor(axis).astype(np.int64) for axis in cell_of(grid, places[:, 0], places[:, 1]))
    here = (row >= tile.top) & (row < tile.bottom) & (column >= tile.left) & (column < tile.right)
    at, fresh = (row[here] - tile.top, column[here] - tile.left), new[here]
    cut_into = {one.name: one for one in ground.classes}
    found = {}
    for source in ground.sources:
        for name, values in source.make(tile.rows, tile.columns).items():
            codes, classes = cut_into[name].codes(values), cut_into[name]
            cells, outlined = tally(classes, codes, open_ground=inside)
            numbers = [tally(classes, codes[at][chosen]).cells for chosen in (np.full(len(fresh), True), fresh)]
            found[name] = Counted(cells, outlined, *numbers)
    return found


def plan(
    config: ChangeConfig,
    location: Location,
    before: Outlines,
    after: Outlines,
    *,
    tables_unit: tuple[str, str],
    memory: int,
    tile: tuple[int, int] | None = None,
    options: Mapping[str, Any] | None = None,
) -> tuple[Ground | None, list[Unit]]:
    """The ground, and a unit for each tile of its grid, which needs the unit of the tables; nothing without histograms.

    Raises
    ------
    ConfigError
        If a factor does not go with the grid or its classes; names the key.
    DataError, FileNotFoundError, ConnectionError
        If a source cannot be read.
    """
    wanted = config.histograms
    if wanted is None:
        return None, []
    grid = grid_of(wanted.grid)
    sources = tuple(opened(wanted.factors, grid, options=options))
    ground = Ground(grid, sources, tuple(_classes(wanted, sources, grid)))
    sizes = [one.memory() for one in sources]
    each, fixed = _MASK_BYTES + max(size for size, _ in sizes), max(beside for _, beside in sizes)
    outlines = _OUTLINE_BYTES * (before.count + after.count)
    tiles = cut(
        (grid.height, grid.width), SPATIAL_CHUNK, read_per_pixel=8 * len(sources), memory_per_pixel=int(each),
        memory=max(memory - fixed - outlines, 0), tile=tile,
    )  # fmt: skip
    place = [grid.crs, grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width]
    thresholds = [config.least_overlap, config.least_growth, config.most_unmapped]
    stage, pair = tables_unit[0], tables_unit[1].partition("/")[0]
    group = folder(before.date, after.date)
    parts = [[type(one).__name__, one.name, one.parts()] for one in sources]
    classes = [asdict(one) for one in ground.classes]
    digest = records.digest(
        ["histograms/1", place, parts, classes, before.fingerprint, after.fingerprint, thresholds]
    )  # fmt: skip
    return ground, [
        Unit(
            records.Key(stage, f"{pair}/{one}", digest),
            HistogramWork(ground, one, location, group, after.date),
            requires=(tables_unit,),
            bytes_read=8 * len(sources) * one.pixels,
            peak_memory=BASE_MEMORY + int(fixed) + outlines + int(each * one.pixels),
        )
        for one in tiles
    ]


def gather(ground: Ground, facts: Sequence[Mapping[str, Any]]) -> DataFrame:
    """The table of all tiles, from the facts of their records."""
    names = [one.name for one in ground.classes]
    whole: dict[str, Counted] = {}
    for one in facts:
        for name in names:
            tile = Counted(*(np.array(column, np.int64) for column in one[name]))
            whole[name] = whole[name].plus(tile) if name in whole else tile
    return histogram_table(names, [one.labels for one in ground.classes], [whole[name] for name in names])


def _laid(outlines: GeoDataFrame, grid: Grid) -> tuple[NDArray[np.object_], Float64]:
    """Outlines, and a place inside each (n, 2), in the CRS of the grid; those of the far side of the globe are none."""
    import shapely

    if not len(outlines):
        return np.empty(0, object), np.empty((0, 2))
    numbered = outlines.assign(_row=np.arange(len(outlines)))
    laid = gathered("change", numbered, "the later date", grid, reproject=True)
    places = np.tile([grid.left - grid.dx, grid.top], (len(outlines), 1))
    shapes = laid.geometry.to_numpy()
    places[laid["_row"].to_numpy()] = shapely.get_coordinates(shapely.point_on_surface(shapes))
    return shapes, places


def _classes(config: HistogramConfig, sources: Sequence[Source], grid: Grid) -> list[FactorClasses]:
    meanings = {source.name: source.classes() for source in sources}
    specs = {spec.name: spec for spec in factor_specs(config.factors, meanings)}
    found = []
    for name, one in config.factors.items():
        facts = FactorFacts(one.kind, specs[name].units, meanings.get(name, {}))
        default = RiskFactorConfig() if one.kind in ("category", "aspect") else _PARTS
        how = config.classes.get(name, default)
        sample = _sample(name, sources, grid) if how.parts is not None else None
        found.append(classes_of(name, how, facts, sample=sample, section="change.histograms.classes"))
    return found


def _sample(name: str, sources: Sequence[Source], grid: Grid) -> NDArray[Any]:
    """Values of a factor in blocks evenly over the grid."""
    height, width = SPATIAL_CHUNK
    corners = [(top, left) for top in range(0, grid.height, height) for left in range(0, grid.width, width)]
    chosen = corners[:: -(-len(corners) // _SAMPLES)]
    parts = []
    for source in sources:
        if name != source.name and name not in dict(getattr(source, "terrain", ())):
            continue
        for top, left in chosen:
            rows = slice(top, min(top + height, grid.height))
            columns = slice(left, min(left + width, grid.width))
            parts.append(source.make(rows, columns)[name].ravel())
    return np.concatenate(parts)
