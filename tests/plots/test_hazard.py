"""Pictures of hazard: what is drawn is what the index holds, and the page says what speaks against it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import risky

from slidecloud.hazard.risk import Risk, RiskSettings, fit, histogram, index, level_breaks
from slidecloud.hazard.risk_scores import caveats, held_out
from slidecloud.hazard.scores import rate_curve, roc
from slidecloud.plots import hazard
from slidecloud.plots.figures import save
from slidecloud.plots.maps import Canvas
from slidecloud.plots.risk import information_figure, weight_figure
from slidecloud.plots.risk_page import risk_page
from slidecloud.types import Grid

GRID = Grid("EPSG:32650", 500_000, 3_200_000, 30, -30, 100, 100)
CANVAS = Canvas.on(GRID, (30, 30))
JUDGED = ((1.0, 2.0, 4.0), (0.5, 1.0, 2.0), (0.25, 0.5, 1.0))


@pytest.fixture(scope="module")
def region():
    return risky.region(6, side=100, density=0.05)


@pytest.fixture(scope="module")
def seen(region):
    """A radar sees no slope that faces north."""
    return ~np.isin(region.codes[2], [0, 7])


@pytest.fixture(scope="module")
def points(region, seen):
    at = seen[region.row, region.column]
    return region.row[at], region.column[at]


@pytest.fixture(scope="module")
def risk(region, seen, points) -> Risk:
    settings = RiskSettings(judgements=JUDGED)
    return fit(risky.CLASSES, region.tallies(seen), region.codes[:, *points], settings=settings)


def test_classes_are_drawn_with_their_share_of_the_ground(region, risk, points) -> None:
    values = index(risk, region.codes)
    values[:10] = np.nan
    level = level_breaks(risk, histogram(risk, values)).level(values)
    x, y = GRID.x[points[1]] / 1000, GRID.y[points[0]] / 1000
    figure = hazard.level_figure(values, level, CANVAS, points=(x, y))
    texts = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    share = np.bincount(level.ravel(), minlength=5)[1:] / 9000
    assert texts == [f"{name}  {one:.1%}" for name, one in zip(hazard.LEVELS.values(), share, strict=True)]
    assert figure.axes[1].get_title(loc="right") == f"{len(x)} landslides"
    image = np.asarray(figure.axes[1].images[0].get_array())
    # Without a hillshade colours are even, but for their light, and unknown ground is grey.
    assert len(np.unique(image[level == 4], axis=0)) == 1
    assert np.ptp(image[0, 0, :3]) == 0


def test_a_map_of_nothing_can_be_drawn(tmp_path: Path) -> None:
    nothing = np.full((100, 100), np.nan)
    figure = hazard.level_figure(nothing, np.zeros((100, 100), np.uint8), CANVAS)
    assert save(figure, tmp_path / "none.png").is_file()


@pytest.mark.parametrize("kind", ["roc", "rate"])
def test_curves_carry_their_area(tmp_path: Path, kind) -> None:
    random = np.random.default_rng(1)
    value, slid = random.normal(size=400), np.arange(400) < 200
    value[slid] += 1
    curve = roc(value, slid) if kind == "roc" else rate_curve(value, value[slid])
    figure = hazard.curve_figure({"spatial": curve}, kind=kind, note="A caveat.")
    assert figure.axes[0].get_legend().get_texts()[0].get_text() == f"spatial: {curve.area:.3f}"
    assert figure.get_supxlabel() == "A caveat."
    np.testing.assert_array_equal(figure.axes[0].lines[1].get_ydata(), curve.up)
    assert save(figure, tmp_path / "curve.png").is_file()


def test_bars_are_information_values_and_say_where_they_are_missing(risk) -> None:
    figure = information_figure(risk)
    for axes, table in zip(figure.axes, risk.tables, strict=True):
        np.testing.assert_allclose([bar.get_width() for bar in axes.patches], table.information.value)
        assert axes.get_title(loc="left") == table.classes.name
    texts = [text.get_text() for text in figure.axes[2].texts]
    assert (texts[0], texts[7]) == ("masked", "masked")
    assert texts[1] == str(risk.tables[2].points[1])


@pytest.mark.parametrize(
    ("settings", "sets", "says"),
    [
        (RiskSettings(judgements=JUDGED), 3, "consistency ratio 0.0000 (random index 0.52), 0."),
        (RiskSettings(weighting="entropy"), 2, "entropy weights"),
        (RiskSettings(weighting="equal"), 1, "equal weights"),
    ],
)
def test_weights_are_drawn_as_used(region, settings, sets, says) -> None:
    found = fit(risky.CLASSES, region.tallies(), region.at_points, settings=settings)
    axes = weight_figure(found).axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert len(widths) == 3 * sets
    np.testing.assert_allclose(widths[:3], found.weights)
    assert axes.get_title(loc="left").startswith(says)


def test_the_page_warns_before_it_shows(tmp_path: Path, region, seen, risk, points) -> None:
    others = np.unravel_index(np.random.default_rng(2).choice(np.flatnonzero(seen), len(points[0])), seen.shape)
    codes = np.concatenate([region.codes[:, *points], region.codes[:, *others]], axis=1)
    slid = np.arange(codes.shape[1]) < len(points[0])
    halves = [np.flatnonzero(np.arange(slid.size) % 2 == k) for k in range(2)]
    splits = [SimpleNamespace(train=halves[k], test=halves[1 - k]) for k in range(2)]
    scores = held_out(risk, codes, slid, splits, picked_by=["visibility"])
    values = index(risk, region.codes)
    level = level_breaks(risk, histogram(risk, values)).level(values)
    page = risk_page(
        risk, tmp_path, index=values, level=level, canvas=CANVAS,
        points=(GRID.x[points[1]] / 1000, GRID.y[points[0]] / 1000),
        levels=(np.bincount(level.ravel(), minlength=5), np.bincount(level[points], minlength=5)),
        scores=scores, caveats=caveats(risk, scores),
    )  # fmt: skip
    text = page.read_text()
    assert text.index("Before you use this map") < text.index("picked by visibility") < text.index("<img")
    assert f"{scores.auc:.3f}" in text
    assert "holds none because the mask took its ground" in text
    assert text.count("<img") == 4
    assert text.count("<table>") == 4
    assert "matplotlib.pyplot" not in sys.modules
