"""A run store written by hand, in a moment: ground that sinks everywhere, known at every pixel; nothing is computed.

Velocity is negative everywhere, displacement is velocity times the years since the first date, and a corner of each
burst has no data.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import steady

from slidecloud import config
from slidecloud.pipeline import plan_templates
from slidecloud.store import locate, runs, tables, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.inventory_specs import DENSITY_GROUP, INVENTORY, LANDSLIDES
from slidecloud.store.patch_specs import Window, patch_group, patches_group, window_header
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES, POINTS, POTENTIAL_POINTS, STABILITY
from slidecloud.store.stacks import stack_template
from slidecloud.types import Float32, Grid, Pair, StackHeader

BURST = "t026_000001_iw2"
SHAPE = (300, 420)
DATES = np.datetime64("2021-01-05T11:12:13", "s") + np.arange(6) * np.timedelta64(60, "D")
YEARS = (DATES - DATES[0]) / np.timedelta64(31_557_600, "s")
INCIDENCE = 0.68
SLIDE = (80, 120, 60, 140)
"""Top, bottom, left and right of the landslide in pixels of the first burst."""


def velocity(header: StackHeader) -> Float32:
    """Velocity (y, x) in m/yr: between -0.06 and -0.01, fastest in the landslide, NaN in the upper left corner."""
    y, x = np.mgrid[: header.shape[0], : header.shape[1]].astype(np.float64)
    row, column = sum(SLIDE[:2]) / 2, sum(SLIDE[2:]) / 2
    found = -0.01 - 0.05 * np.exp(-(((y - row) / 30) ** 2 + ((x - column) / 50) ** 2))
    found[:20, :30] = np.nan
    return found.astype(np.float32)


def displacement(header: StackHeader) -> Float32:
    """Displacement (time, y, x) in m."""
    return (YEARS[:, None, None] * velocity(header)).astype(np.float32)


def make(
    folder: Path,
    headers: Sequence[StackHeader] | None = None,
    *,
    patches: Sequence[Window] = (),
    sigma: Sequence[float] = (),
) -> Path:
    """Write ``run.zarr``, and the static maps of its bursts in ``stacks``; returns the run store.

    Parameters
    ----------
    folder
        Where.
    headers
        Of the bursts; by default one.
    patches
        Windows of the bursts that have series, in place of the whole burst.
    sigma
        Standard error of velocity of each burst, m/yr; by default 0.002.
    """
    chosen = headers or [steady.header(SHAPE, burst=BURST)]
    location = locate(folder / "run.zarr")
    settings = config.parse(f"run: {folder}/run.zarr\nstacks: {folder}/stacks\n")
    for number, header in enumerate(chosen):
        _ensure(location, f"bursts/{header.id}", runs.burst_template(header))
        error = sigma[number] if sigma else 0.002
        _gradients(location, header)
        _visibility(location, header)
        if patches:
            _ensure(location, patches_group(header.id), _group(patches_group(header.id)))
        for window in patches:
            path = patch_group(header.id, window.name)
            _ensure(location, path, _group(path, {"window": [window.top, window.bottom, window.left, window.right]}))
            _series(location, header, window, path, error)
        if not patches:
            whole = Window(0, header.shape[0], 0, header.shape[1])
            _series(location, header, whole, f"bursts/{header.id}", error)
        _stack(folder / "stacks" / f"{header.id}.zarr", header)
    _tables(location, chosen[0])
    _density(location)
    _ensure(location, "root", plan_templates.root(settings, location, {}))
    return folder / "run.zarr"


def _group(path: str, attributes: Any = None) -> dict[str, bytes]:
    return templates.group((), {}, path=path, attributes=attributes or {}, coordinates={}, grid=None)


def _ensure(location: Any, unit: str, objects: dict[str, bytes]) -> None:
    templates.ensure(location, unit, objects)


def _series(location: Any, header: StackHeader, window: Window, path: str, sigma: float) -> None:
    part = window_header(header, window)
    objects = runs.stage_template(
        part, "timeseries", {"time": len(DATES), "pair": 1},
        {"time": DATES.astype(np.int64), **_position(part, window)}, {}, chunks=(64, 128), path=f"{path}/timeseries",
    )  # fmt: skip
    _ensure(location, f"{path}/timeseries", objects)
    inside = (slice(None), window.rows, window.columns)
    moved, speed = displacement(header)[inside], velocity(header)[inside[1:]]
    known = np.isfinite(speed)
    values: dict[str, Any] = {
        "displacement": moved,
        "displacement_sigma": np.where(np.isfinite(moved), 0.001, np.nan).astype(np.float32),
        "velocity": speed,
        "velocity_sigma": np.where(known, sigma, np.nan).astype(np.float32),
        "temporal_coherence": np.where(known, 0.9, np.nan).astype(np.float32),
        "residual_rms": np.where(known, 0.2, np.nan).astype(np.float32),
        "redundancy": np.where(known, 5, 0).astype(np.int16),
        "stable": (np.abs(speed) < 0.0105).astype(np.uint8),
    }
    _write(location, f"{path}/timeseries", values)


def _gradients(location: Any, header: StackHeader) -> None:
    objects = runs.stage_template(
        header, "gradients", {"bin": 1, "season": 1},
        {"bin_start": DATES[:1].astype(np.int64), "bin_end": DATES[-1:].astype(np.int64), "season": np.array([4]),
         **_position(header)},
        {}, chunks=(64, 128),
    )  # fmt: skip
    _ensure(location, f"bursts/{header.id}/gradients", objects)
    down, right = np.gradient(velocity(header))
    values: dict[str, Any] = {
        "velocity_gradient_x": right / header.spacing[1],
        "velocity_gradient_y": down / header.spacing[0],
        "velocity_gradient_x_sigma": np.full(header.shape, 1e-6),
        "velocity_gradient_y_sigma": np.full(header.shape, 1e-6),
        "mean_coherence": np.full(header.shape, 0.5),
        "effective_pairs": np.full(header.shape, 9.0),
    }
    values = {name: array.astype(np.float32) for name, array in values.items()}
    values["pair_count"] = np.arange(np.prod(header.shape), dtype=np.int32).reshape(header.shape)
    values["season_mean_coherence"] = np.full((1, *header.shape), 0.5, np.float32)
    _write(location, f"bursts/{header.id}/gradients", values)


def _visibility(location: Any, header: StackHeader) -> None:
    objects = runs.stage_template(header, "visibility", {}, _position(header), {}, chunks=(64, 128))
    _ensure(location, f"bursts/{header.id}/visibility", objects)
    kinds = (np.arange(header.shape[1]) % 5).astype(np.uint8)
    values = {
        "class": np.broadcast_to(kinds, header.shape),
        "sensitivity": np.full(header.shape, 0.7, np.float32),
    }
    _write(location, f"bursts/{header.id}/visibility", values)


def _position(header: StackHeader, window: Window | None = None) -> dict[str, Any]:
    """Latitude and longitude of a burst without a grid, or of a window of it."""
    if header.grid is not None:
        return {}
    shape = header.shape if window is None else (window.bottom, window.right)
    y, x = np.mgrid[: shape[0], : shape[1]]
    rows, columns = (window.rows, window.columns) if window else (slice(None), slice(None))
    latitude, longitude = 31 - 1e-4 * y - 1e-5 * x, 103 + 1e-4 * x
    return {
        "latitude": latitude[rows, columns].astype(np.float32),
        "longitude": longitude[rows, columns].astype(np.float32),
    }


def _write(location: Any, path: str, values: dict[str, Any]) -> None:
    writer = Writer(location)
    for name, array in values.items():
        writer.write(f"{path}/{name}", np.ascontiguousarray(array))


def _stack(path: Path, header: StackHeader) -> None:
    """A burst stack whose one pair is empty; only its static maps are looked at."""
    heading = np.radians(header.heading)
    look = {
        "los_east": -np.sin(INCIDENCE) * np.cos(heading),
        "los_north": np.sin(INCIDENCE) * np.sin(heading),
        "los_up": np.cos(INCIDENCE),
        "incidence": INCIDENCE,
        "elevation": 1234.5,
    }
    static = {name: np.full(header.shape, value, np.float32) for name, value in look.items()}
    static |= _position(header)
    objects = stack_template(header, [Pair(DATES[0], DATES[-1], 12.0)], static, chunks=(32, 64, 128))
    _ensure(locate(path), "root", objects)


def outline(header: StackHeader) -> shapely.Polygon:
    """The landslide in longitude and latitude."""
    top, bottom, left, right = SLIDE
    corners = [(top, left), (top, right), (bottom, right), (bottom, left)]
    if header.grid is None:
        return shapely.Polygon([(103 + 1e-4 * column, 31 - 1e-4 * row - 1e-5 * column) for row, column in corners])
    return shapely.Polygon([steady.position(header, *corner) for corner in corners])


def _tables(location: Any, header: StackHeader) -> None:
    shape = outline(header)
    centre = shape.centroid
    west, south, east, north = shape.bounds
    text = {"id": "wtest-1", "bursts": header.id, "tracks": "ascending 026", "method": "classical", "burst": header.id}
    text |= {"track": "ascending 026", "class": "rapid", "landslide": "wtest-1", "source": "unwrapped"}
    numbers = {"west": west, "south": south, "east": east, "north": north, "score": 0.9, "probability": 0.85}
    numbers |= {"peak_velocity": -0.06, "velocity": -0.05, "velocity_sigma": 0.002, "pair_count": 30, "detections": 1}
    numbers |= {"area": 80 * 40 * 1600.0, "deciding": True}
    for name, specs, place in (
        (INVENTORY, LANDSLIDES, shape),
        (STABILITY, LANDSLIDE_CLASSES, shape),
        (POINTS, POTENTIAL_POINTS, centre),
    ):
        known = {spec.name: text if spec.dtype == "text" else numbers for spec in specs}
        columns = {spec.name: [known[spec.name].get(spec.name, _nothing(spec))] for spec in specs}
        location.write(name, tables.encode(tables.table(specs, columns, [place])))


def _nothing(spec: tables.ColumnSpec) -> Any:
    return "" if spec.dtype == "text" else float("nan") if spec.dtype.startswith("float") else 0


def _density(location: Any) -> None:
    grid = Grid("EPSG:4326", 102.9, 31.1, 0.01, -0.01, 20, 30)
    found = runs.products_templates(grid, 5000.0)
    for path, objects in found.items():
        _ensure(location, path, objects)
    y, x = np.mgrid[:20, :30]
    cells = (y * x / 1000).astype(np.float32)
    _write(location, DENSITY_GROUP, {"density": cells, "area_fraction": cells / 10})
