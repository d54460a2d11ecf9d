"""Many bursts like one, without pixels of their own, and detections in them as if a run had made them."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, NamedTuple

import geopandas
import numpy as np
import pandas as pd
import runs
import shapely

from slidecloud.config import RunConfig
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.typical import typical_header, typical_pairs
from slidecloud.stack import ArraySource
from slidecloud.store import locate, records, tables
from slidecloud.store.inventory_specs import detections

SHAPE = (768, 2816)
"""Rows and columns of a burst at 40 m."""
HALO = 1500.0
BOX = (24, 30)
"""Rows and columns of a detection."""


class Box(NamedTuple):
    """A detection: its first row and column on the detectors' grid, which counts rows from the south here."""

    top: int
    left: int


def boxes(number: int) -> list[Box]:
    """What is found in a burst: none to three landslides, of which two are near to each other in each fifth burst."""
    found = [Box(100 + 7 * (number % 11), 200 + 800 * slide) for slide in range(number % 4)]
    if number % 5 == 1 and found:
        found.append(Box(found[0].top + 10, found[0].left + BOX[1] + 20))
    return found


def pixels(number: int) -> tuple[int, int]:
    """Patches of a burst and their pixels, by hand: boxes and the ground around them, joined where they meet."""
    reach = math.ceil(HALO / 40.0)
    # Detections of an even window lie half a pixel behind the pixels they were found at.
    rows = BOX[0] + 1 + 2 * reach
    columns = BOX[1] + 1 + 2 * reach
    found = boxes(number)
    near = len(found) > number % 4
    single = len(found) - 2 * near
    joined = (rows + 10) * (columns + BOX[1] + 20) if near else 0
    return single + near, single * rows * columns + joined


def stacks(folder: Path, count: int, *, images: int = 4, pairs: int = 4) -> None:
    """Stacks of so many bursts: the first one ingested, the rest with its pixels under names of their own."""
    header = dataclasses.replace(typical_header(SHAPE), heading=0.0, id=name(0))
    values = [np.broadcast_to(np.array(value, dtype), (pairs, *SHAPE)) for value, dtype in ((0, "<i2"), (128, "u1"))]
    source = ArraySource(header, typical_pairs(images=images, pairs=pairs), *values, None, {})
    assert runs.ingest(source, str(folder)).exit_code == 0
    first = folder / f"{name(0)}.zarr"
    text = (first / "zarr.json").read_text()
    for number in range(1, count):
        other = folder / f"{name(number)}.zarr"
        other.mkdir()
        for path in first.iterdir():
            if path.name != "zarr.json":
                (other / path.name).symlink_to(path)
        (other / "zarr.json").write_text(text.replace(name(0), name(number)))


def name(number: int) -> str:
    """Id of a burst."""
    return f"t{1 + number // 9:03d}_{number:06d}_iw{1 + number % 3}"


def detect(config: RunConfig, count: int) -> None:
    """Leave tables of detections, and the records of all that comes before series."""
    run = locate(config.run)
    for number in range(count):
        run.write(detections(name(number)), tables.encode(_table(boxes(number))))
    for unit in planning.make(config, with_templates=False).units:
        if unit.key.stage in ("gradients", "detect"):
            records.write(run, records.Record(unit.key, {}, "none"))


def _table(found: list[Box]) -> Any:
    rows = pd.DataFrame(found, columns=["top", "left"], dtype=np.float32)
    rows["bottom"], rows["right"] = rows["top"] + np.float32(BOX[0]), rows["left"] + np.float32(BOX[1])
    places = [shapely.box(0, 0, 1, 1)] * len(found)
    return geopandas.GeoDataFrame(rows, geometry=places, crs="EPSG:4326")
