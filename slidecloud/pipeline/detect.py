"""The stage ``detect``: a burst's gradient maps of all pairs and of each season are searched for landslides."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import NetworkConfig
from slidecloud.config_detect import DetectConfig
from slidecloud.config_resources import Device
from slidecloud.kernels.regrid import DetectorGrid, grid_of, half_pixel, nearest, to_detector
from slidecloud.kernels.snow import snow_mask
from slidecloud.kernels.views import SPACING
from slidecloud.pipeline import gradients
from slidecloud.pipeline.detections import Candidate, Frame, Seen, candidates, unite
from slidecloud.pipeline.finders import Finder, finder_of, weights_digest
from slidecloud.pipeline.geocoding import Geocoder
from slidecloud.pipeline.inputs import Selection
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.stack import warped
from slidecloud.store import records, tables
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.inventory_specs import DETECTIONS, detections
from slidecloud.store.location import Location
from slidecloud.types import Float32, StackHeader, track_of

STAGE: Final = "detect"
ALL: Final = "all"
_READ_BYTES: Final = 28
"""Bytes a pixel of a view: seven maps of four bytes."""
_SOURCE_BYTES: Final = 50
_VIEW_BYTES: Final = {"net": 60, "classical": 200}
_NET_BYTES: Final = 500_000_000
_TILE_BYTES: Final = 60_000_000


@dataclass(frozen=True, slots=True)
class ViewPlan:
    """A view to look at: name, index along the dimension season (None: all), and the sum of its spans in years."""

    name: str
    season: int | None
    span: float


@dataclass(frozen=True, slots=True)
class Masks:
    """Rasters by path: what must not be looked at, bands in which snow is found, and the slope of the ground."""

    blocked: tuple[str, ...]
    bands: tuple[str, ...]
    scale: tuple[float, float]
    slope: str | None

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.blocked, *self.bands, *([] if self.slope is None else [self.slope]))


@dataclass(frozen=True, slots=True)
class DetectWork:
    """Find the landslides of a burst and write their table."""

    run: Location
    header: StackHeader
    window: tuple[int, int]
    views: tuple[ViewPlan, ...]
    finder: Finder
    weights: str
    masks: Masks
    outlines: bool
    post_filter: bool
    min_slope: float

    def __call__(self, writer: Writer) -> dict[str, Any]:
        grid, geocoder = grid_of(self.header), self._geocoder()
        blocked = self._blocked(geocoder)
        slope = None if self.masks.slope is None else self._raster(self.masks.slope, geocoder, "bilinear")
        frame = Frame(grid, geocoder, half_pixel(self.window), self._pixel_area(grid))
        found: list[Candidate] = []
        for plan in self.views:
            seen = self._seen(plan, grid, blocked, slope)
            boxes = self.finder.find(seen.view)
            found += candidates(
                seen, boxes, frame, wavelength=self.header.wavelength, outlines=self.outlines,
                post_filter=self.post_filter, min_slope=self.min_slope,
            )  # fmt: skip
        united = unite(found, [plan.name for plan in self.views])
        writer.write_object(detections(self.header.id), tables.encode(self._table(united)))
        return {"detections": len(united), "seen": {p.name: sum(c.name == p.name for c in found) for p in self.views}}

    def _seen(
        self, plan: ViewPlan, grid: DetectorGrid, blocked: NDArray[np.bool_] | None, slope: Float32 | None
    ) -> Seen:
        group = reader(self.run, gradients.group(self.header.id))
        prefix, region = ("", (slice(None),) * 2) if plan.season is None else ("season_", (plan.season, ...))

        def stored(name: str) -> NDArray[Any]:
            return read(group[f"{prefix}{name}"], region)  # type: ignore[arg-type]

        maps = {
            "x": stored("velocity_gradient_x"),
            "y": stored("velocity_gradient_y"),
            "x_sigma": stored("velocity_gradient_x_sigma"),
            "y_sigma": stored("velocity_gradient_y_sigma"),
            "coherence": stored("mean_coherence"),
        }
        if blocked is not None:
            for values in maps.values():
                values[blocked] = np.nan
        return Seen(
            plan.name,
            to_detector(grid, **maps, span=plan.span),
            nearest(grid, stored("pair_count"), outside=0),
            nearest(grid, stored("effective_pairs"), outside=np.nan),
            None if slope is None else nearest(grid, slope, outside=np.nan),
        )

    def _geocoder(self) -> Geocoder:
        if self.header.grid is not None:
            return Geocoder(self.header)
        group = reader(self.run, gradients.group(self.header.id))
        if "latitude" not in group or "longitude" not in group:
            return Geocoder(self.header)
        latitude, longitude = (
            read(group[name], (slice(None), slice(None)))  # type: ignore[arg-type]
            for name in ("latitude", "longitude")
        )
        return Geocoder(self.header, latitude, longitude)

    def _blocked(self, geocoder: Geocoder) -> NDArray[np.bool_] | None:
        """Pixels that must not be looked at; what a mask does not cover is not masked."""
        masks = [self._raster(path, geocoder, "nearest") > 0 for path in self.masks.blocked]
        if self.masks.bands:
            factor, offset = self.masks.scale
            bands = (factor * self._raster(path, geocoder, "nearest") + offset for path in self.masks.bands)
            masks.append(snow_mask(*bands))
        return np.logical_or.reduce(masks) if masks else None

    def _raster(self, path: str, geocoder: Geocoder, how: warped.How) -> Float32:
        if self.header.grid is not None:
            return warped.on_grid(path, self.header.grid, how=how)
        assert geocoder.longitude is not None
        assert geocoder.latitude is not None
        return warped.at_points(path, geocoder.longitude.astype(float), geocoder.latitude.astype(float), how=how)

    def _pixel_area(self, grid: DetectorGrid) -> float:
        return self.header.spacing[0] * self.header.spacing[1] if grid.same else SPACING**2

    def _table(self, united: list[tuple[Candidate, str, str]]) -> Any:
        common = {
            "burst": self.header.id,
            "track": track_of(self.header),
            "method": self.finder.method,
            "weights": self.weights,
        }
        rows = [
            {**one.columns, **common, "score": one.score, "seasons": names, "strongest": strongest}
            for one, names, strongest in united
        ]
        columns = {spec.name: [row[spec.name] for row in rows] for spec in DETECTIONS}
        return tables.table(DETECTIONS, columns, [one.geometry for one, _, _ in united])


@dataclass(frozen=True, slots=True)
class Looking:
    """What the units of all bursts share: the detector, the digest of its weights, and how the rasters are now."""

    finder: Finder
    weights: str
    rasters: tuple[str, ...]


def looking(config: DetectConfig, device: Device) -> Looking:
    """What all bursts share, read once.

    Raises
    ------
    FileNotFoundError
        If weights or a raster that the settings name are not there.
    """
    masks = _masks(config)
    rasters = tuple(warped.fingerprint(path) for path in masks.paths)
    return Looking(finder_of(config, device), weights_digest(config), rasters)


def plan(
    run: Location,
    selection: Selection,
    config: DetectConfig,
    network: NetworkConfig,
    *,
    shared: Looking,
    window: tuple[int, int],
    maps: Unit,
) -> Unit:
    """The unit of a burst.

    Parameters
    ----------
    run, selection, config, network
        The run store, the pairs that were stacked, and the settings.
    shared
        As `looking` finds it.
    window
        Rows and columns of the stacking window.
    maps
        The unit that makes the burst's gradient maps.
    """
    header, finder, weights, rasters = selection.header, shared.finder, shared.weights, shared.rasters
    views, masks = _views(selection, config, network), _masks(config)
    work = DetectWork(
        run, header, window, views, finder, weights, masks, config.outlines, config.post_filter, config.min_slope
    )
    parts = [
        "detect.burst/2", maps.key.digest, header.heading, header.look_direction, header.pass_,
        [(view.name, view.season, view.span) for view in views], finder.method, finder.threshold, weights, rasters,
        config.outlines, config.post_filter, config.min_slope, len(masks.blocked), len(masks.bands), masks.scale,
    ]  # fmt: skip
    pixels, seen = math.prod(header.shape), math.prod(grid_of(header).shape)
    peak = BASE_MEMORY + pixels * _SOURCE_BYTES + seen * _VIEW_BYTES[finder.method]
    return Unit(
        records.Key(STAGE, f"{header.id}/detections", records.digest(parts)),
        work,
        requires=(maps.name,),
        bytes_read=len(views) * _READ_BYTES * pixels,
        bytes_written=0,
        peak_memory=peak + (_NET_BYTES + finder.batch * _TILE_BYTES if finder.method == "net" else 0),
        kernel="net" if finder.method == "net" else "blobs",
        samples=len(views) * seen,
        device=finder.device,
    )


def _masks(config: DetectConfig) -> Masks:
    blocked = tuple(path for path in (config.water_mask, config.snow_mask) if path is not None)
    return Masks(blocked, config.snow_bands or (), config.snow_scale, config.slope)


def _views(selection: Selection, config: DetectConfig, network: NetworkConfig) -> tuple[ViewPlan, ...]:
    spans = selection.spans
    views = [ViewPlan(ALL, None, float(spans.sum()))]
    if config.seasons and len(network.seasons) > 1:
        bins = gradients.bins_of(selection, network)
        season_of = np.asarray(bins.season)[np.asarray(bins.bin)]
        views += [
            ViewPlan(str(month), number, float(spans[season_of == number].sum()))
            for number, month in enumerate(network.seasons)
            if (season_of == number).any()
        ]
    return tuple(views)
