"""Pictures of susceptibility: drawn also where little is known, and true to their numbers."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.plots.maps import Canvas
from slidecloud.plots.susceptibility import importance_figure, reliability_figure, susceptibility_figure
from slidecloud.types import Grid

GRID = Grid("EPSG:32648", 400_000.0, 3_400_000.0, 100.0, -100.0, height=40, width=50)


def _maps(value: float):
    known = np.full((40, 50), value)
    return {
        "probability": known, "spread": known / 2, "applicability": known * 3,
        "class": np.where(np.isfinite(known), 2, 0).astype(np.uint8),
    }  # fmt: skip


@pytest.mark.parametrize("value", [0.3, 0.0, np.nan])
def test_maps_are_drawn_also_where_all_is_alike_or_unknown(value):
    canvas = Canvas.on(GRID, (100.0, 100.0))
    figure = susceptibility_figure(_maps(value), canvas, model="forest", points=([401.0], [3399.0]))
    panels = [axes for axes in figure.axes if axes.images]
    assert len(panels) == 4
    assert panels[0].get_title("right") == "1 slides"
    share = figure.axes[3].get_legend().get_texts()[1].get_text()
    assert share == ("low  100.0%" if np.isfinite(value) else "low  0.0%")
    figure.canvas.draw()


def test_reliability_lies_where_told_and_found_say():
    figure = reliability_figure({"forest": {"told": [0.1, 0.6], "found": [0.0, 0.5], "places": [10, 40]}})
    line = figure.axes[0].lines[1]
    np.testing.assert_array_equal(line.get_xydata(), [[0.1, 0.0], [0.6, 0.5]])


def test_factors_stand_from_the_heaviest_down():
    model = {
        "factors": ["slope", "rain", "rock"], "weights": [0.2, 0.5, 0.3], "permutation_loss": [0.1, 0.3, 0.0],
        "permutation_loss_spread": [0.0, 0.1, 0.0], "shares": [1.0, 2.0, 0.5],
    }  # fmt: skip
    figure = importance_figure({"forest": model})
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["rock", "slope", "rain"]  # matplotlib counts from below
    widths = [bar.get_width() for bar in figure.axes[1].patches]
    assert widths == [0.0, 0.1, 0.3]
