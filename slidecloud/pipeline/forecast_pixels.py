"""Pixels of a map of displacement that stand for its landslides: those whose series are to be trusted most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.point_choice import beyond_noise, chosen
from slidecloud.store.arrays import MissingChunkError
from slidecloud.store.velocity_maps import Pixels, VelocityMap
from slidecloud.types import Float64

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


class Seen(NamedTuple):
    """Points of one map: for each its landslide, place in the burst, coherence and series, mm (point, date)."""

    burst: str
    dates: NDArray[np.datetime64]
    values: Float64
    sigma: Float64
    landslide: NDArray[np.object_]
    row: NDArray[np.int32]
    column: NDArray[np.int32]
    coherence: NDArray[np.float32]
    longitude: Float64
    latitude: Float64


def of_map(one: VelocityMap, inventory: GeoDataFrame, config: ForecastConfig) -> Seen | None:
    """The best points of a map in each landslide; None where it has none, or is not finished."""
    outlines, names = inventory.geometry.to_numpy(), inventory["id"].to_numpy()
    near = one.near(outlines)
    if not len(near):
        return None
    try:
        quality = _Quality(one, config)
        best = [(names[number], quality.best(pixels)) for number, pixels in _inside(one, outlines, near)]
        if not sum(len(pixels.rows) for _, (pixels, _) in best):
            return None
        pixels = Pixels(*(np.concatenate([getattr(own, axis) for _, (own, _) in best]) for axis in Pixels._fields))
        landslide = np.concatenate([np.full(len(own.rows), name, object) for name, (own, _) in best])
        coherence = np.concatenate([found for _, (_, found) in best])
        # A pixel in two outlines is a point of the first.
        _, first = np.unique(np.column_stack(pixels), axis=0, return_index=True)
        kept = np.sort(first)
        pixels = Pixels(pixels.rows[kept], pixels.columns[kept])
        series = series_of(one, pixels)
    except MissingChunkError:
        return None
    top, left = corner_of(one)
    return Seen(
        one.header.id, *series, landslide[kept], (pixels.rows + top).astype(np.int32),
        (pixels.columns + left).astype(np.int32), coherence[kept].astype(np.float32), *one.place(pixels),
    )  # fmt: skip


def _inside(one: VelocityMap, outlines: NDArray[np.object_], near: NDArray[np.intp]) -> Iterator[tuple[int, Pixels]]:
    """Pixels with a velocity in each outline, by its number."""
    known = np.isfinite(one.map("velocity"))
    for number, pixels in zip(near.tolist(), one.inside(list(outlines[near])), strict=True):
        seen = known[pixels]
        if seen.any():
            yield number, Pixels(pixels.rows[seen], pixels.columns[seen])


class _Quality:
    """How far the series of a map are to be trusted."""

    def __init__(self, one: VelocityMap, config: ForecastConfig) -> None:
        self._map, self._config = one, config
        self._coherence, self._redundancy = (one.map(name) for name in ("temporal_coherence", "redundancy"))

    def best(self, pixels: Pixels) -> tuple[Pixels, Float64]:
        """The pixels of the highest coherence beyond that of noise, in row-major order, and their coherence."""
        moved, subsets = self._map.series("displacement", pixels).T, self._map.series("subset", pixels).max(axis=0)
        coherence, redundancy = self._coherence[pixels], self._redundancy[pixels]
        good = chosen(
            moved, coherence, redundancy, subsets=subsets, least_coherence=self._config.least_coherence
        )  # fmt: skip
        rank = np.maximum(np.isfinite(moved).sum(axis=1) - subsets.astype(np.int64), 0)
        quality = beyond_noise(coherence, redundancy, rank)
        at = np.flatnonzero(good)
        kept = np.sort(at[np.argsort(-quality[at], kind="stable")[: self._config.per_landslide]])
        return Pixels(pixels.rows[kept], pixels.columns[kept]), quality[kept]


def series_of(one: VelocityMap, pixels: Pixels) -> tuple[NDArray[np.datetime64], Float64, Float64]:
    """Days of the passes, displacement and its standard error (point, date), mm."""
    moved, sigma = (1000.0 * one.series(f"displacement{end}", pixels).T.astype(np.float64) for end in ("", "_sigma"))
    return one.time.astype("datetime64[D]"), moved, sigma


def corner_of(one: VelocityMap) -> tuple[int, int]:
    """First row and column of a map in its burst."""
    window = one.window()
    return (0, 0) if window is None else (window[0].start, window[1].start)
