"""Outlines of two dates as they are mapped, or as files, and the stage that compares them."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import shapely
import sliding
import small

from slidecloud.config_optical import OpticalConfig
from slidecloud.config_optical_change import ChangeConfig
from slidecloud.config_resources import ResourcesConfig
from slidecloud.pipeline import optical_change
from slidecloud.pipeline.executors import serial
from slidecloud.store import tables

RESOURCES = ResourcesConfig(executor="serial", memory="2 GiB")


def put(store: Path, scene: str, shapes, ids=None) -> None:
    """Outlines as they are mapped."""
    names = [f"{scene}{number}" for number in range(len(shapes))] if ids is None else list(ids)
    frame = geopandas.GeoDataFrame(
        {"id": np.array(names, object), "score": np.full(len(names), 0.8, np.float32)},
        geometry=list(shapes), crs="EPSG:4326",
    )  # fmt: skip
    (store / "optical").mkdir(exist_ok=True)
    (store / "optical" / f"{scene}.parquet").write_bytes(tables.encode(frame))


def made(store: Path, **options):
    summary, result = computed(store, **options)
    assert result is not None, summary.lines()
    return result


def computed(store: Path, *, resources=RESOURCES, **options):
    key = "run" if (store / "bursts").is_dir() else "store"
    section = ChangeConfig(**({"before": "old", "after": "young"} | options))
    config = OpticalConfig(**{key: str(store)}, change=section, resources=resources)
    return optical_change.compute(config, executor=serial())


def ring(row: float, column: float, size: float):
    """A square of so many pixels around a pixel of the scene."""
    longitude, latitude = sliding.positions(small.scene())
    shape = longitude.shape
    at = np.clip([row, column], 0, np.array(shape) - 1).astype(int)
    step = abs(longitude[0, 1] - longitude[0, 0]), abs(latitude[1, 0] - latitude[0, 0])
    x, y = longitude[*at], latitude[*at]
    reach = (size / 2 + 0.25) * np.array(step)
    return shapely.box(x - reach[0], y - reach[1], x + reach[0], y + reach[1])


def squares_file(path: Path, shapes, crs="EPSG:4326", **columns) -> Path:
    frame = geopandas.GeoDataFrame(columns, geometry=list(shapes), crs="EPSG:4326")
    frame.to_crs(crs).to_file(path)
    return path
