"""Work of mapping: the scores of a tile, and the outlines of a scene from the tiles that are done."""

from __future__ import annotations

import datetime
import hashlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.places import geohashes
from slidecloud.optical.lattice import Lattice
from slidecloud.optical.outlines import join, smoothed
from slidecloud.optical.pieces import Figures, Pieces, Shapes, find_pieces
from slidecloud.pipeline.optical_network import Network
from slidecloud.pipeline.optical_scenes import Scene
from slidecloud.pipeline.tiles import Tile
from slidecloud.store import records, tables
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.optical_specs import COVERS, LEVELS, OUTLINES, UNKNOWN, outlines_key, scene_group
from slidecloud.types import Float32, Grid

_MILLION: Final = 1_000_000
_SURELY: Final = 0.5
"""Share of the least area below which a piece need not be measured exactly to be left out."""


@dataclass(frozen=True, slots=True)
class TileWork:
    """Score the pixels of a tile, and say why others have no score."""

    scene: Scene
    tile: Tile
    lattice: Lattice
    network: Network

    def __call__(self, writer: Writer) -> dict[str, Any]:
        covers = self.scene.covers(self.tile.rows, self.tile.columns)
        levels = np.full(covers.shape, UNKNOWN, np.uint8)
        open_ground = covers == 0
        if open_ground.any():
            scores = self._scores(open_ground)
            levels[open_ground] = np.rint(scores[open_ground] * LEVELS).astype(np.uint8)
        corner = self.tile.top, self.tile.left
        writer.write(f"{scene_group(self.scene.name)}/score", levels, corner)
        writer.write(f"{scene_group(self.scene.name)}/mask", covers, corner)
        return {"pixels": self.tile.pixels, "mapped": int(open_ground.sum())}

    def _scores(self, wanted: NDArray[np.bool_]) -> Float32:
        """Scores of the tile from all looks that touch it; a look at nothing that is wanted is left out."""
        found = np.zeros(wanted.shape, np.float32)
        side = self.lattice.side
        for look in self.lattice.looks(self.tile.rows, self.tile.columns):
            inside = _within(look.rows, self.tile.top), _within(look.columns, self.tile.left)
            if wanted[inside].any():
                scores = self.network.scores(self.scene.read(look.top, look.left, side, side))
                seen = scores[_within(look.rows, look.top), _within(look.columns, look.left)]
                found[inside] += look.weight * np.nan_to_num(seen, nan=0.0)
        return found


def _within(part: slice, start: int) -> slice:
    return slice(part.start - start, part.stop - start)


@dataclass(frozen=True, slots=True)
class OutlinesWork:
    """Draw the outlines of a scene, and write their table; tiles that were set aside are told in the maps as well.

    Attributes
    ----------
    location
        The store.
    scene, date, grid
        The scene.
    tiles
        Keys of its tiles with where they lie; those that are not done are left out.
    threshold
        Score from which a pixel belongs to an outline.
    calibration
        From scores to probabilities.
    least_area, simplify
        As configured.
    """

    location: Location
    scene: str
    date: datetime.date | None
    grid: Grid
    tiles: tuple[tuple[records.Key, Tile], ...]
    threshold: float
    calibration: Calibration | None
    least_area: float
    simplify: float

    def __call__(self, writer: Writer) -> dict[str, Any]:
        done = records.done(self.location, stage=self.tiles[0][0].stage)
        present = [tile for key, tile in self.tiles if key in done]
        missing = [tile for key, tile in self.tiles if key not in done]
        for tile in missing:
            self._empty(writer, tile)
        values = level_values(self.calibration)
        shapes, figures = join(self._pieces(tile, values) for tile in present)
        area = self._areas(shapes)
        large = area >= self.least_area
        shapes, area, figures = shapes[large], area[large], figures.chosen(large)
        frame = self._table(smoothed(shapes, self.simplify), area, figures)
        writer.write_object(outlines_key(self.scene), tables.encode(frame))
        facts: dict[str, Any] = {"outlines": len(frame), "area": float(area.sum()), "threshold": self.threshold}
        if missing:
            of = f"{len(missing)} of {len(self.tiles)} tiles"
            facts["note"] = f"The outlines of {self.scene} lack {of}, which were set aside."
        return facts

    def _empty(self, writer: Writer, tile: Tile) -> None:
        """Say that nothing is known of a tile: its chunks hold nothing yet, or what another image had there."""
        shape = (tile.bottom - tile.top, tile.right - tile.left)
        for name, value in (("score", UNKNOWN), ("mask", COVERS["no_data"])):
            path = f"{scene_group(self.scene)}/{name}"
            writer.write(path, np.full(shape, value, np.uint8), (tile.top, tile.left))

    def _pieces(self, tile: Tile, values: NDArray[np.int64]) -> Pieces:
        score = reader(self.location, scene_group(self.scene))["score"]
        levels: NDArray[np.uint8] = read(score, (tile.rows, tile.columns))  # type: ignore[arg-type]
        return find_pieces(
            levels, origin=(tile.top, tile.left), least=least_level(self.threshold), unknown=UNKNOWN, values=values,
            least_pixels=_SURELY * self.least_area / self._pixel_area(tile),
        )  # fmt: skip

    def _pixel_area(self, tile: Tile) -> float:
        """m2 of the largest pixel among the tile's corners."""
        import shapely

        corners = [(row, column) for row in (tile.top, tile.bottom - 1) for column in (tile.left, tile.right - 1)]
        pixels = np.array([shapely.box(column, row, column + 1, row + 1) for row, column in corners], object)
        return float(self._areas(pixels).max())

    def _areas(self, shapes: Shapes) -> NDArray[np.float64]:
        """m2 on the globe."""
        from pyproj import Geod

        globe = Geod(ellps="WGS84")
        return np.array([abs(globe.geometry_area_perimeter(shape)[0]) for shape in self._on_globe(shapes)], np.float64)

    def _on_globe(self, shapes: Shapes) -> Shapes:
        """Polygons in pixels as polygons in longitude and latitude."""
        import geopandas
        import shapely

        step, corner = np.array([self.grid.dx, self.grid.dy]), np.array([self.grid.left, self.grid.top])
        placed = shapely.transform(shapes, lambda points: corner + step * points)
        found: Shapes = geopandas.GeoSeries(placed, crs=self.grid.crs).to_crs(tables.CRS).to_numpy()
        return found

    def _table(self, shapes: Shapes, area: NDArray[np.float64], figures: Figures) -> Any:
        import shapely

        placed = shapely.orient_polygons(self._on_globe(shapes))
        west, south, east, north = shapely.bounds(placed).T
        hashes = geohashes((west + east) / 2, (south + north) / 2)
        digests = (hashlib.sha256(data).hexdigest()[:6] for data in shapely.to_wkb(placed, byte_order=1))
        calibrated = self.calibration is not None
        count = np.maximum(figures.pixels, 1)
        columns = {
            "id": [f"{place}-{said}" for place, said in zip(hashes, digests, strict=True)],
            "scene": [self.scene] * len(placed),
            "date": ["" if self.date is None else self.date.isoformat()] * len(placed),
            "score": figures.level_sum / (LEVELS * count),
            "peak_score": figures.peak / LEVELS,
            "probability": figures.value_sum / (_MILLION * count) if calibrated else np.full(len(placed), np.nan),
            "area": area,
            "pixels": figures.pixels,
            "open": figures.open,
        }
        return tables.table(OUTLINES, columns, list(placed))


def least_level(threshold: float) -> int:
    """Level from which a pixel belongs to an outline: the lowest whose score is not below the threshold."""
    levels = np.arange(LEVELS + 1) / LEVELS
    return int(np.searchsorted(levels, threshold - 1e-9))


def level_values(calibration: Calibration | None) -> NDArray[np.int64]:
    """Calibrated probability of each level in millionths, int64 (256,): whole numbers add up alike in any order."""
    found = np.zeros(256, np.int64)
    if calibration is not None:
        found[: LEVELS + 1] = np.rint(_MILLION * calibration.apply(np.arange(LEVELS + 1) / LEVELS)).astype(np.int64)
    return found
