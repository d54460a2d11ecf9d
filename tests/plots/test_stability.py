"""Pictures of classes and of rain beside motion: what is drawn is what the tables say."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import shapely
import xarray as xr

from slidecloud.config_classify import ClassifyConfig
from slidecloud.pipeline.landslide_rain import Motion, hold
from slidecloud.plots.figures import save
from slidecloud.plots.rain import rain_figure
from slidecloud.plots.stability import COLOURS, stability_figure
from slidecloud.stack.daily_rain import DailyRain
from slidecloud.store import tables
from slidecloud.store.stability_specs import LANDSLIDE_CLASSES

NAMES = ["rapid", "rapid", "active", "potentially unstable", "stable", "stable", "stable", "uplift", "unknown"]


def classified(names) -> SimpleNamespace:
    """What the picture asks of a run."""
    rng = np.random.default_rng(1)
    count = len(names)
    values = {spec.name: np.zeros(count, np.float32) for spec in LANDSLIDE_CLASSES if spec.dtype != "text"}
    values |= {spec.name: [""] * count for spec in LANDSLIDE_CLASSES if spec.dtype == "text"}
    values |= {"id": [f"s{n}" for n in range(count)], "class": names, "deciding": np.ones(count, bool)}
    values |= {"track": ["ascending 026" if name != "unknown" else "" for name in names]}
    values |= {"confidence": rng.uniform(0.6, 1.0, count)}
    shapes = [
        shapely.Point(x, y).buffer(0.004 + 0.008 * rng.random()) if n != 4 else shapely.Point(x, y).buffer(0.0004)
        for n, (x, y) in enumerate(zip(100 + 0.3 * rng.random(count), 30 + 0.3 * rng.random(count), strict=True))
    ]
    x, y = 99.9 + 0.01 * np.arange(50) + 0.005, 30.4 - 0.01 * np.arange(50) - 0.005
    density = np.exp(-((x[None] - 100.1) ** 2 + (y[:, None] - 30.1) ** 2) / 0.01).astype(np.float32)
    maps = xr.Dataset({"density": (("y", "x"), density)}, coords={"x": x, "y": y})
    return SimpleNamespace(stability=tables.table(LANDSLIDE_CLASSES, values, shapes), density=maps)


def test_bars_count_the_landslides(tmp_path: Path) -> None:
    figure = stability_figure(classified(NAMES))  # type: ignore[arg-type]
    drawn, bars = figure.axes[0], figure.axes[1]
    assert [int(patch.get_width()) for patch in bars.patches] == [NAMES.count(name) for name in COLOURS]
    assert "9 landslides" in figure.get_suptitle()
    assert "ascending 026" in figure.get_suptitle()
    assert len(drawn.patches) == len(NAMES)
    # The one that is too small to be seen has a mark.
    assert len(drawn.lines) == 1
    assert save(figure, tmp_path / "stability.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_of_nothing(tmp_path: Path) -> None:
    assert save(stability_figure(classified([])), tmp_path / "none.png").is_file()  # type: ignore[arg-type]


@pytest.mark.parametrize("moves", [True, False])
def test_rain_and_motion(tmp_path: Path, moves: bool) -> None:
    rng = np.random.default_rng(2)
    day = np.datetime64("2020-01-01") + np.arange(900)
    fallen = np.where(rng.random(900) < 0.25, rng.gamma(0.7, 14.0, 900), 0.0)
    fallen[[400, 401, 402, 403]] += 60.0
    index = np.arange(100, 880, 12)
    moved = -1e-4 * np.cumsum(fallen)[index - 10] - 2e-5 * index + rng.normal(0, 1e-3, len(index))
    sigma = np.full(len(index), 1e-3)
    motion = Motion(
        "wm6xk2-a1b2c3", "ascending 026", "t026", shapely.box(0, 0, 1, 1), day[index].astype("datetime64[s]"),
        moved if moves else np.full(len(index), np.nan), sigma,
    )  # fmt: skip
    one = hold(motion, DailyRain(day, fallen, "station"), ClassifyConfig(max_lag=60))
    figure = rain_figure(one)
    assert "wm6xk2-a1b2c3" in figure.get_suptitle()
    titles = " ".join(axes.get_title(loc="left") for axes in figure.axes)
    assert ("largest at 10 days" in titles) == moves
    assert ("too few intervals" in titles) != moves
    assert save(figure, tmp_path / "rain.png").read_bytes().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules
