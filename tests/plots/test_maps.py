"""Maps: where things lie, what the colours mean, how long the scale bar is."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud import simulate
from slidecloud.kernels import colours
from slidecloud.plots import maps
from slidecloud.plots.figures import new_figure
from slidecloud.types import Grid, StackHeader


def _header(grid: Grid | None, spacing: tuple[float, float]) -> StackHeader:
    made = simulate.scene(0, shape=(20, 40), dates=2, slides=[]).header
    values = {name: getattr(made, name) for name in made.__dataclass_fields__} | {"grid": grid, "spacing": spacing}
    return StackHeader(**{**values, "shape": (20, 40)})


UTM = Grid("EPSG:32648", 500_000.0, 3_400_000.0, 40.0, -40.0, 20, 40)
DEGREES = Grid("EPSG:4326", 100.0, 60.0, 0.001, -0.001, 20, 40)


def test_canvas_of_a_projected_grid_is_in_kilometres() -> None:
    canvas = maps.Canvas.of(_header(UTM, (40.0, 40.0)))
    assert canvas.extent == pytest.approx((500.0, 501.6, 3399.2, 3400.0))
    assert canvas.metres == 1000.0
    assert canvas.position(0, 0, (20, 40)) == pytest.approx((UTM.x[0] / 1000, UTM.y[0] / 1000))
    assert canvas.position(19, 39, (20, 40)) == pytest.approx((UTM.x[-1] / 1000, UTM.y[-1] / 1000))


def test_canvas_of_degrees_is_not_stretched() -> None:
    """At 60 degrees north a degree of longitude is half as long as one of latitude."""
    canvas = maps.Canvas.of(_header(DEGREES, (111.4, 55.8)))
    assert canvas.aspect == pytest.approx(2.0, rel=0.01)
    assert canvas.metres == pytest.approx(55_800)


def test_canvas_of_radar_geometry_keeps_metres_square() -> None:
    canvas = maps.Canvas.of(_header(None, (14.0, 7.0)))
    assert canvas.extent == (0, 40, 20, 0)
    assert canvas.aspect == pytest.approx(2.0)
    assert canvas.x_label.startswith("range")


def test_light_comes_from_the_north_west() -> None:
    """Slopes that fall to the north-west are bright, to the south-east dark, flat ground between."""
    rows, columns = np.mgrid[:10, :10].astype(np.float32) * 40
    north_west, south_east = (maps.hillshade(sign * (rows + columns), (40.0, 40.0)) for sign in (1, -1))
    flat = maps.hillshade(np.zeros((10, 10), np.float32), (40.0, 40.0))
    assert south_east.max() < flat.min() == flat.max() < north_west.min()
    assert flat[0, 0] == pytest.approx(np.sqrt(0.5))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_symmetric_limits_hold_the_values(values: list[float]) -> None:
    low, high = colours.symmetric(values, share=100)
    assert low == -high < 0
    assert max(map(abs, values)) <= high * (1 + 1e-9) or high == 1.0
    assert high == 1.0 or high <= 2 * max(map(abs, values))


def test_limits_of_nothing_are_usable() -> None:
    assert colours.symmetric(np.full(3, np.nan)) == (-1.0, 1.0)
    assert colours.positive(np.full(3, np.nan)) == (0.0, 1.0)


@pytest.mark.parametrize(("pixels", "text"), [(4000, "20 km"), (400, "2 km"), (40, "200 m"), (12, "100 m")])
def test_scale_bar_is_as_long_as_it_says(pixels: int, text: str) -> None:
    canvas = maps.Canvas((0.0, pixels * 0.04, 0.0, 1.0), 1.0, "", "", 1000.0, None, 1)
    axes = new_figure(4, 4).subplots()
    maps.scale_bar(axes, canvas)
    assert [label.get_text() for label in axes.texts] == [text]
    corners = axes.collections[-1].get_paths()[0].vertices
    number, unit = text.split()
    assert 1000 * np.ptp(corners[:, 0]) == pytest.approx(float(number) * (1000 if unit == "km" else 1))


def test_no_data_shows_the_hillshade_and_values_their_colour() -> None:
    values = np.array([[np.nan, -10.0], [0.0, 10.0]])
    axes = new_figure(4, 4).subplots()
    canvas = maps.Canvas((0, 2, 2, 0), 1.0, "", "", 1.0, None, 1)
    maps.draw(axes, values, canvas, title="t", label="mm/yr", limits=(-5, 5), colours=maps.DIVERGING)
    image: Any = axes.images[0].get_array()
    assert image[0, 0, 0] == image[0, 0, 1] == image[0, 0, 2]
    assert image[0, 1, 0] > image[0, 1, 2], "away from the satellite is red"
    assert image[1, 1, 2] > image[1, 1, 0], "towards it is blue"
    bar: Any = axes.child_axes[0]
    assert bar.get_ylabel() == "mm/yr"


def test_pictures_touch_no_global_state() -> None:
    before = set(sys.modules)
    new_figure(1, 1)
    assert "matplotlib.pyplot" not in set(sys.modules) - before


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ImportError, match=r"slidecloud\[viz\]"):
        new_figure(1, 1)
