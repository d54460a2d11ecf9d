"""Points to forecast: of every landslide of a run, track by track, or of a table."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.series import Displacement
from slidecloud.pipeline.forecast_demixed import without_air
from slidecloud.pipeline.forecast_pixels import Seen, corner_of, of_map, series_of
from slidecloud.store import Run, tables
from slidecloud.store.arrays import MissingChunkError
from slidecloud.store.forecast_specs import FORECAST_POINTS
from slidecloud.store.velocity_maps import Pixels, velocity_maps
from slidecloud.types import DataError, Float64, track_of

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

TABLE: Final = "points"
"""Name of the part that the points of a table are."""


@dataclass(frozen=True)
class Part:
    """The points of one track, or of a table.

    Attributes
    ----------
    name
        Of its group in the store.
    title
        For people.
    displacement
        Of its points.
    table
        A row a point, as `slidecloud.store.forecast_specs.FORECAST_POINTS` has it.
    """

    name: str
    title: str
    displacement: Displacement
    table: GeoDataFrame


class Series(NamedTuple):
    """Series of some points: days of the passes, displacement and its standard error (point, date), mm."""

    points: NDArray[np.intp]
    dates: NDArray[np.datetime64]
    values: Float64
    sigma: Float64 | None


def of_run(run: Run, config: ForecastConfig) -> list[Part]:
    """Points of all landslides of a run that have displacement, a part for each track.

    A landslide has on each track the pixels of its outline with the highest temporal coherence beyond that of noise.

    Raises
    ------
    KeyError
        If the run has no inventory.
    DataError
        If no landslide has displacement that is coherent enough.
    """
    inventory = run.inventory
    seen: dict[str, list[Seen]] = {}
    for burst in run.bursts:
        header = run.header(burst)
        for one in velocity_maps(run.location, header):
            found = of_map(one, inventory, config)
            if found is not None:
                seen.setdefault(track_of(header), []).append(found)
    parts = [_part(track, maps, config.per_landslide) for track, maps in sorted(seen.items())]
    if config.demix is not None:
        parts = [_calmed(run, part, config) for part in parts]
    if not parts:
        raise DataError(
            f"{run.location} has no pixel in a landslide with most of its dates and a temporal coherence, beyond "
            f"that of noise, of at least {config.least_coherence:g}. Lower least_coherence, or finish "
            "the stage 'timeseries'."
        )
    return parts


def _calmed(run: Run, part: Part, config: ForecastConfig) -> Part:
    """A part without air: learnt from the points that were chosen, as in every night after."""
    given = part.displacement
    unknown = replace(given, values=np.full_like(given.values, np.nan))
    return replace(part, displacement=again(run, part.title, part.table, unknown, config))


def again(run: Run, title: str, table: GeoDataFrame, before: Displacement, config: ForecastConfig) -> Displacement:
    """The series of known points as the run has them now; of a point that it covers no more, as they were."""
    seen: list[Series] = []
    bursts = table["burst"].to_numpy()
    row, column = (table[name].to_numpy(np.intp) for name in ("row", "column"))
    for burst in np.unique(bursts).tolist():
        for one in velocity_maps(run.location, run.header(burst)) if burst in run.bursts else ():
            top, left = corner_of(one)
            height, width = one.shape
            inside = (bursts == burst) & (row >= top) & (row < top + height)
            inside &= (column >= left) & (column < left + width)
            if inside.any():
                pixels = Pixels(row[inside] - top, column[inside] - left)
                try:
                    days, moved, sigma = series_of(one, pixels)
                    if config.demix is not None:
                        moved = without_air(one, days, moved, config)
                except MissingChunkError:  # it is not finished, or in quarantine
                    continue
                seen.append(Series(np.flatnonzero(inside), days, moved, sigma))
    return _brought(before, seen, title)


def same_points(now: Displacement, before: Displacement) -> Displacement:
    """The rows of a table that are known points; of a point that it has no more, what there was."""
    _, place, rows = np.intersect1d(before.ids, now.ids, return_indices=True)
    sigma = None if now.sigma is None else np.broadcast_to(
        now.sigma if now.sigma.ndim == 2 else now.sigma[:, None], now.values.shape
    )[rows]  # fmt: skip
    seen = [Series(place, now.dates, now.values[rows], sigma)] if len(place) else []
    return _brought(before, seen, "the table")


def _brought(before: Displacement, seen: Sequence[Series], title: str) -> Displacement:
    """Points with the passes that they have now, in place of those they had."""
    if not seen:
        raise DataError(
            f"There is no displacement any more of the points of {title} that were forecast before. Give the command "
            "without --nightly, which takes the points anew."
        )
    dates = np.unique(np.concatenate([before.dates, *(one.dates for one in seen)]))
    laid = []
    for name in ("values", "sigma") if before.sigma is not None else ("values",):
        found = np.full((before.points, len(dates)), np.nan)
        found[:, np.searchsorted(dates, before.dates)] = getattr(before, name)
        for one in reversed(seen):  # where maps overlap, a point is of the first that has it
            rows = np.isfinite(one.values).any(axis=1)
            found[one.points[rows]] = np.nan
            if (now := getattr(one, name)) is not None:
                found[np.ix_(one.points[rows], np.searchsorted(dates, one.dates))] = now[rows]
        laid.append(found)
    return replace(before, dates=dates, values=laid[0], sigma=laid[1] if len(laid) > 1 else None)


def of_table(displacement: Displacement) -> Part:
    """The points of a table as a part."""
    count = displacement.points
    nothing: dict[str, Any] = {
        "landslide": [""] * count, "burst": [""] * count, "row": [-1] * count, "column": [-1] * count,
        "coherence": [np.nan] * count,
    }  # fmt: skip
    return Part(TABLE, "points of the table", displacement, _table(displacement, nothing))


def _part(track: str, maps: Sequence[Seen], most: int) -> Part:
    """The maps of a track on common dates, with the best points of each landslide among them."""
    dates = np.unique(np.concatenate([one.dates for one in maps]))
    series = []
    for name in ("values", "sigma"):
        laid = [np.full((len(one.row), len(dates)), np.nan) for one in maps]
        for target, one in zip(laid, maps, strict=True):
            target[:, np.searchsorted(dates, one.dates)] = getattr(one, name)
        series.append(np.concatenate(laid))
    columns = {
        name: np.concatenate([getattr(one, name) for one in maps])
        for name in ("landslide", "row", "column", "coherence", "longitude", "latitude")
    }
    columns["burst"] = np.concatenate([np.full(len(one.row), one.burst, object) for one in maps])
    places = zip(*(columns[name] for name in ("burst", "row", "column")), strict=True)
    ids = np.array([f"{burst}_{row}_{column}" for burst, row, column in places])
    # Where patches of a burst overlap, a pixel is a point once.
    once = np.sort(np.unique(ids, return_index=True)[1])
    kept = once[_best_of_each(columns["landslide"][once], columns["coherence"][once], most)]
    columns = {name: values[kept] for name, values in columns.items()}
    x, y = columns.pop("longitude"), columns.pop("latitude")
    features = np.zeros((len(kept), 0))
    displacement = Displacement(dates, series[0][kept], series[1][kept], ids[kept], x, y, features)
    return Part(re.sub("[^a-z0-9]+", "_", track.lower()), track, displacement, _table(displacement, columns))


def _best_of_each(landslide: NDArray[np.object_], coherence: NDArray[np.float32], most: int) -> NDArray[np.intp]:
    """Points of the highest coherence of each landslide, by landslide and then in the order they came."""
    kept = []
    for name in np.unique(landslide.astype(str)):
        own = np.flatnonzero(landslide == name)
        kept.append(np.sort(own[np.argsort(-coherence[own], kind="stable")[:most]]))
    return np.concatenate(kept)


def _table(displacement: Displacement, columns: Mapping[str, Any]) -> GeoDataFrame:
    import shapely

    x, y = (np.full(displacement.points, np.nan) if axis is None else axis for axis in (displacement.x, displacement.y))
    return tables.table(FORECAST_POINTS, {"id": displacement.ids, **columns}, list(shapely.points(x, y)))
