"""Pictures and the page of what changed: what is drawn is what the tables say."""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
import xarray as xr
from matplotlib.backends.backend_agg import FigureCanvasAgg

from slidecloud.optical.change import KINDS, compare
from slidecloud.optical.change_tables import Dates, change_table
from slidecloud.optical.histograms import Counted, histogram_table
from slidecloud.plots.figures import new_figure, save
from slidecloud.plots.optical_change import COLOURS, change_figure, histogram_figure
from slidecloud.plots.optical_change_page import change_page
from slidecloud.plots.outline_maps import draw_map

DATES = Dates("old", "young")


def frame(*places: tuple[float, float]) -> geopandas.GeoDataFrame:
    shapes = [shapely.Point(x, y).buffer(0.01).difference(shapely.Point(x, y).buffer(0.004)) for x, y in places]
    return geopandas.GeoDataFrame({"id": [f"s{n}" for n in range(len(shapes))]}, geometry=shapes, crs="EPSG:4326")


def changes(before: geopandas.GeoDataFrame, after: geopandas.GeoDataFrame) -> geopandas.GeoDataFrame:
    return change_table(compare(before, after, least_overlap=0.1, least_growth=0.2), before, after, DATES)


def density() -> xr.Dataset:
    x, y = 99.9 + 0.01 * np.arange(50), 30.4 - 0.01 * np.arange(50)
    values = np.exp(-((x[None] - 100.1) ** 2 + (y[:, None] - 30.1) ** 2) / 0.01).astype(np.float32)
    return xr.Dataset({"density_after": (("y", "x"), values)}, coords={"x": x, "y": y})


def counted() -> list[Counted]:
    columns = [[60, 30, 10], [0, 6, 2], [0, 3, 1], [0, 1, 0]], [[100, 0], [8, 0], [4, 0], [1, 0]]
    return [Counted(*(np.array(column, np.int64) for column in one)) for one in columns]


def test_bars_count_the_landslides(tmp_path: Path) -> None:
    table = changes(frame((100.0, 30.0), (100.1, 30.1)), frame((100.0, 30.0), (100.2, 30.0), (100.2, 30.2)))
    figure = change_figure(table, density()["density_after"], dates=DATES)
    drawn, bars = figure.axes[0], figure.axes[1]
    numbers = dict(zip(KINDS, (int(patch.get_width()) for patch in bars.patches), strict=True))
    assert numbers == dict.fromkeys(KINDS, 0) | {"new": 2, "unchanged": 1, "vanished": 1}
    assert set(COLOURS) == set(KINDS)
    assert len(drawn.patches) == len(table)
    # A ring is drawn with its hole.
    assert drawn.patches[0].get_path().to_polygons()[1:]
    assert save(figure, tmp_path / "change.png").read_bytes().startswith(b"\x89PNG")
    assert "matplotlib.pyplot" not in sys.modules


def test_holes_are_empty_whichever_way_they_turn() -> None:
    def square(reach: float) -> list[tuple[float, float]]:
        return [(100.1 - reach, 30.1 - reach), (100.1 + reach, 30.1 - reach), (100.1 + reach, 30.1 + reach),
                (100.1 - reach, 30.1 + reach)]  # fmt: skip

    nothing = density()["density_after"] * 0.0
    for hole in (square(0.005), square(0.005)[::-1]):
        ring = geopandas.GeoDataFrame(geometry=[shapely.Polygon(square(0.01), [hole])], crs="EPSG:4326")
        figure = new_figure(4.0, 4.0)
        axes = figure.subplots()
        draw_map(axes, ring, ["new"], COLOURS, nothing)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[::-1, :, :3]
        inside, between = (axes.transData.transform((100.1 + east, 30.1)).astype(int) for east in (0.0, 0.0075))
        assert pixels[inside[1], inside[0]].tolist() == [255, 255, 255]
        assert pixels[between[1], between[0]].tolist() == [165, 0, 38]


def test_histograms_show_shares_beside_all_ground() -> None:
    table = histogram_table(["slope", "land_cover"], [["flat", "steep", "cliff"], ["wood", "water"]], counted())
    figure = histogram_figure(table)
    slope = figure.axes[0]
    assert slope.get_title(loc="left") == "slope"
    assert figure.axes[1].get_title(loc="left") == "land cover"
    widths = [patch.get_width() for patch in slope.patches]
    assert widths == pytest.approx([0.6, 0.3, 0.1, 0.0, 0.75, 0.25])
    assert [text.get_text() for text in slope.texts] == ["0 (0)", "3 (1)", "1 (0)"]


def test_a_page_without_radar_and_one_of_nothing(tmp_path: Path) -> None:
    table = histogram_table(["slope", "land_cover"], [["flat", "steep", "cliff"], ["wood", "water"]], counted())
    before, after = frame((100.0, 30.0)), frame((100.0, 30.0), (100.2, 30.0))
    page = change_page(
        tmp_path, dates=DATES, changes=changes(before, after), density=density(), histograms=table
    ).read_text()  # fmt: skip
    assert page.count("<img") == 2
    assert "new: in the later date alone" in page
    assert "How the ground inside moves" not in page
    assert "<td>land_cover: water</td><td>0.0%</td>" in page
    assert "nan" not in page.replace("data:image/png;base64", "").split("<table>", 1)[1].split("<img")[0]
    none = change_page(tmp_path / "none", dates=DATES, changes=changes(frame(), frame()), density=None).read_text()
    assert "<img" not in none
