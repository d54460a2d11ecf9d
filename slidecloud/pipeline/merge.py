"""The inventory of a run: detections of all bursts, those of one landslide merged, with their density."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.places import geohashes, same_slides
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.products.density import area_fraction, density
from slidecloud.store import records, tables
from slidecloud.store.arrays import Writer
from slidecloud.store.inventory_specs import DENSITY_GROUP, INVENTORY, LANDSLIDES, detections
from slidecloud.store.location import Location
from slidecloud.store.templates import SOFTWARE
from slidecloud.types import DataError, Grid

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

STAGE: Final = "merge"
UNIT: Final = "inventory"
_BURST_BYTES: Final = 1_000_000
_CELL_BYTES: Final = 60
_OF_BEST: Final = (
    "pair_count", "effective_pairs", "peak_gradient", "mean_gradient", "gradient_sigma", "peak_velocity", "strongest",
    "method", "weights",
)  # fmt: skip
"""What a landslide takes from its best detection."""


@dataclass(frozen=True, slots=True)
class MergeWork:
    """Read the detections of every burst that is done, merge them, and write the inventory and its density.

    ``units`` are the keys of the bursts' detections, ``refused`` the bursts that have none.
    """

    run: Location
    units: tuple[records.Key, ...]
    refused: tuple[str, ...]
    distance: float
    radius: float
    grid: Grid
    configuration: str

    def __call__(self, writer: Writer) -> dict[str, Any]:
        stored, missing = self._read()
        every = tables.decode(*stored) if stored else None
        found = merged(every, distance=self.distance, configuration=self.configuration)
        writer.write_object(INVENTORY, tables.encode(found))
        writer.write(f"{DENSITY_GROUP}/density", density(found, self.grid, radius=self.radius))
        writer.write(f"{DENSITY_GROUP}/area_fraction", area_fraction(found.geometry.values, self.grid))
        facts: dict[str, Any] = {
            "landslides": len(found),
            "detections": 0 if every is None else len(every),
            "bursts": len(stored),
            "missing": missing,
        }
        return facts | ({"note": _note(missing)} if missing else {})

    def _read(self) -> tuple[list[tuple[str, bytes]], list[str]]:
        """Names and tables of the bursts that are done, and the bursts that are not."""
        stored, missing = [], list(self.refused)
        for key in self.units:
            burst = key.unit.split("/")[0]
            if records.read(self.run, key) is None:
                missing.append(burst)
                continue
            name = detections(burst)
            data = self.run.read(name)
            if data is None:
                raise DataError(
                    f"{name} is missing from {self.run} though its record is there. "
                    f"Run 'slidecloud verify {self.run} --repair' and then 'slidecloud run' again."
                )
            stored.append((name, data))
        return stored, sorted(missing)


def merged(every: GeoDataFrame | None, *, distance: float, configuration: str) -> GeoDataFrame:
    """One row a landslide, best score first, from the detections of all bursts in any order.

    Parameters
    ----------
    every
        Detections of all bursts; None where there are none.
    distance
        Metres between centres up to which detections of several bursts are one landslide.
    configuration
        Digest of the run's configuration, for the table.
    """
    if every is None or not len(every):
        return tables.table(LANDSLIDES, {spec.name: [] for spec in LANDSLIDES}, [])
    every = every.sort_values(["burst", "top", "left", "bottom", "right"], ignore_index=True)
    boxes = every[["south", "west", "north", "east"]].to_numpy()
    source = every["burst"].astype("category").cat.codes.to_numpy()
    label = same_slides(boxes, source, distance=distance)
    # The best detection of each landslide comes first.
    order = np.lexsort((np.arange(len(every)), -every["score"].to_numpy(), label))
    every, label = every.iloc[order].reset_index(drop=True), label[order]
    first = np.flatnonzero(np.diff(label, prepend=-1))
    geometry, area = _united(every, first)
    text = _joined(every, first)
    columns: dict[str, Any] = {name: every[name].to_numpy()[first] for name in _OF_BEST}
    columns |= {"bursts": text["burst"], "tracks": text["track"], "seasons": text["seasons"], "area": area}
    columns["detections"] = np.diff(first, append=len(every))
    for name, edge in (("west", np.minimum), ("south", np.minimum), ("east", np.maximum), ("north", np.maximum)):
        columns[name] = _reduce(edge, every[name].to_numpy(), first)
    for name in ("score", "probability"):
        columns[name] = _reduce(np.fmax, every[name].to_numpy(), first)
    columns["id"] = _ids(columns, geometry)
    columns["software"] = [SOFTWARE] * len(first)
    columns["configuration"] = [configuration] * len(first)
    ranked = np.lexsort((columns["id"], -columns["score"]))
    return tables.table(
        LANDSLIDES, {name: np.asarray(values)[ranked] for name, values in columns.items()}, list(geometry[ranked])
    )


def _reduce(how: np.ufunc, values: NDArray[Any], first: NDArray[np.intp]) -> NDArray[Any]:
    """A figure of each landslide from those of its detections."""
    reduced: NDArray[Any] = how.reduceat(values, first) if len(first) else values
    return reduced


def _united(every: GeoDataFrame, first: NDArray[np.intp]) -> tuple[NDArray[np.object_], NDArray[np.float64]]:
    """Outline and area, m2, of each landslide; ground that several detections cover counts once."""
    import shapely
    from pyproj import Geod

    shapes, areas = every.geometry.values, every["area"].to_numpy()
    geometry, area = np.array(shapes[first], dtype=object), areas[first].copy()
    globe = Geod(ellps="WGS84")
    for number, (start, stop) in enumerate(zip(first, [*first[1:], len(every)], strict=True)):
        if stop - start > 1:
            geometry[number] = shapely.orient_polygons(shapely.union_all(np.asarray(shapes[start:stop])))
            area[number] = abs(globe.geometry_area_perimeter(geometry[number])[0])
    return geometry, area


def _joined(every: GeoDataFrame, first: NDArray[np.intp]) -> dict[str, list[str]]:
    """Bursts, tracks and seasons of each landslide, each once and in order."""
    joined: dict[str, list[str]] = {}
    for name in ("burst", "track", "seasons"):
        values = every[name].to_list()
        joined[name] = [
            values[start] if stop - start == 1 else _listed(values[start:stop])
            for start, stop in zip(first, [*first[1:], len(every)], strict=True)
        ]
    return joined


def _listed(texts: Sequence[str]) -> str:
    parts = {part for text in texts for part in text.split(",")}
    return ",".join(sorted(parts, key=lambda part: (part.isdigit(), int(part) if part.isdigit() else 0, part)))


def _ids(columns: dict[str, Any], geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    """A name for each landslide that depends on where it lies alone."""
    import shapely

    places = geohashes((columns["west"] + columns["east"]) / 2, (columns["south"] + columns["north"]) / 2)
    outlines = shapely.to_wkb(geometry, byte_order=1)
    names = [f"{place}-{hashlib.sha256(o).hexdigest()[:6]}" for place, o in zip(places, outlines, strict=True)]
    return np.array(names, dtype=object)


def _note(missing: Sequence[str]) -> str:
    shown = ", ".join(missing[:5]) + (", …" if len(missing) > 5 else "")
    return f"The inventory lacks {len(missing)} bursts that were set aside: {shown}."


def plan(
    run: Location,
    found: Sequence[Unit],
    *,
    refused: Sequence[str],
    distance: float,
    radius: float,
    grid: Grid,
    configuration: str,
) -> Unit:
    """The one unit that merges.

    Parameters
    ----------
    run
        The run store.
    found
        The units that detect, one a burst.
    refused
        Bursts that cannot take part.
    distance, radius, grid, configuration
        As `merged` and `slidecloud.products.density` take them.
    """
    keys = tuple(unit.key for unit in found)
    work = MergeWork(run, keys, tuple(sorted(refused)), distance, radius, grid, configuration)
    place = [grid.left, grid.top, grid.dx, grid.dy, grid.height, grid.width]
    parts = [
        "merge/1", [[key.unit, key.digest] for key in keys], sorted(refused), distance, radius, place, configuration,
    ]  # fmt: skip
    cells = grid.height * grid.width
    return Unit(
        records.Key(STAGE, UNIT, records.digest(parts)),
        work,
        after=tuple(unit.name for unit in found),
        bytes_written=8 * cells,
        peak_memory=BASE_MEMORY + len(found) * _BURST_BYTES + cells * _CELL_BYTES,
    )
