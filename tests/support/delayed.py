"""Pairs of ground at rest with one slide, delayed by air whose delays GACOS files tell: all of it is known exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import steady
import ztd
from pyproj import Transformer

from slidecloud.stack import ArraySource
from slidecloud.types import StackHeader

BURST, SHAPE = "t026_000001_iw2", (64, 64)
SLIDE = steady.velocity(SHAPE, (32, 32))
INCIDENCE = 0.65
GROWTH = 0.003
"""Metres of zenith delay by which each date adds to the one before, where the pattern is 1."""
YEARS = (steady.DATES - steady.DATES[0]) / steady.YEAR
_STEP = 0.00083333
_LEFT, _TOP = steady.position(steady.header(SHAPE), 0, 0)


def place(head: StackHeader) -> tuple[np.ndarray, np.ndarray]:
    """Longitude and latitude (y, x) of the pixel centres."""
    turn = Transformer.from_crs(head.grid.crs, "EPSG:4326", always_xy=True)
    return turn.transform(*np.meshgrid(head.grid.x, head.grid.y))


def pattern(longitude: np.ndarray, latitude: np.ndarray) -> np.ndarray:
    """How much of the delay is where: from about -1 to 1 over the burst."""
    return 50.0 * (longitude - _LEFT - 0.0134) - 30.0 * (latitude - _TOP + 0.0115)


def feigned() -> np.ndarray:
    """Velocity (y, x), m/yr, that the delays feign."""
    rate = GROWTH * (len(YEARS) - 1) / YEARS[-1]
    return -rate * pattern(*place(steady.header(SHAPE))) / np.cos(INCIDENCE)


def source(*, geometry: str = "map", **options: Any) -> ArraySource:
    """Its wrapped pairs with their view, in map or radar geometry; options as `steady.source` takes them."""
    head = steady.header(SHAPE)
    static = {"incidence": np.full(SHAPE, INCIDENCE, np.float32)}
    if geometry == "radar":
        head, where = steady.in_radar(head)
        static |= where
    settings = {"seed": 1, "noise": 0.1, **options}
    return steady.source(head, SLIDE + feigned(), static=static, **settings)


def gacos(folder: Path, **changed: Any) -> Path:
    """Files of all dates.

    ``changed`` maps ``dNUMBER`` of a date to what it is in place of what it should be: None (no file), an array of
    zenith delays, or a dict of fields of its header.
    """
    west, north = _LEFT - 0.01, _TOP + 0.01
    x = west + _STEP * (np.arange(60) + 0.5)
    y = north - _STEP * (np.arange(54) + 0.5)
    part = pattern(*np.meshgrid(x, y))
    for number, date in enumerate(steady.DATES):
        told = changed.get(f"d{number}", {})
        zenith = (2.3 + GROWTH * number * part).astype("<f4")
        if told is None:
            continue
        if isinstance(told, np.ndarray):
            zenith, told = told.astype("<f4"), {}
        day = str(date.astype("datetime64[D]")).replace("-", "")
        ztd.write(folder, day, zenith, left=west, top=north, step=_STEP, **told)
    return folder


def lines(folder: Path, air: Path | str | None, *, where: str | None = None, reference: str = "") -> tuple[str, ...]:
    """A configuration of series, in a polygon unless ``where`` says otherwise; nothing is looked for."""
    place = where or str(steady.polygons(folder / "places.geojson", steady.header(SHAPE), (18, 18, 46, 46)))
    series = [f"where: {place}", "halo: 400", "integrate: false", "recovered: false"]
    series += [f"atmosphere: {{gacos: {air}}}"] if air is not None else []
    series += [f"reference: {{{reference}}}"] if reference else []
    resources = "resources: {executor: serial, memory: 2 GiB}"
    return "stages: [timeseries]", f"timeseries: {{{', '.join(series)}}}", resources


def corner(row: float, column: float) -> tuple[float, float]:
    """Longitude and latitude of the middle of a pixel."""
    return steady.position(steady.header(SHAPE), row + 0.5, column + 0.5)


__all__ = ["BURST", "SHAPE", "SLIDE", "corner", "feigned", "gacos", "lines", "place", "source"]
