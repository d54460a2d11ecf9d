"""Pictures of detectors show what they are given."""

from __future__ import annotations

import moving
import numpy as np
import pytest

from slidecloud.kernels.boxes import Detections
from slidecloud.kernels.precision import Outcomes
from slidecloud.models.tiles import Tile
from slidecloud.plots import detection
from slidecloud.plots.figures import save


def _outcomes(seed: int) -> Outcomes:
    random = np.random.default_rng(seed)
    scores = random.uniform(size=200)
    return Outcomes(scores, random.uniform(size=200) < scores, 150)


def test_curves_carry_names_and_average_precision(tmp_path):
    figure = detection.precision_recall({"perfect": Outcomes(np.ones(3), np.ones(3, bool), 3), "poor": _outcomes(1)})
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels[0] == "perfect: 1.000"
    assert labels[1].startswith("poor: 0.")
    assert save(figure, tmp_path / "curve.png").stat().st_size > 1000


def test_reliability_of_true_probabilities_lies_on_the_diagonal(tmp_path):
    random = np.random.default_rng(2)
    probability = random.uniform(size=20_000)
    promise = detection.Probabilities(probability, random.uniform(size=20_000) < probability)
    figure = detection.reliability_diagram({"true": promise})
    points = figure.axes[0].lines[1].get_xydata()
    assert len(points) == 15
    # Five standard errors of a share of 1,333.
    np.testing.assert_allclose(points[:, 0], points[:, 1], atol=5 * 0.5 / np.sqrt(1333))
    save(figure, tmp_path / "reliability.png")


def test_reliability_of_certain_outcomes(tmp_path):
    """Shares of exactly 0 and 1 have intervals that do not leave the range."""
    figure = detection.reliability_diagram({"sure": detection.Probabilities([0.0, 1.0], [False, True])})
    save(figure, tmp_path / "reliability.png")


def test_gallery_tells_right_from_wrong_and_hides_what_is_below_the_threshold(tmp_path):
    scene = moving.scene(3, count=3, holes=0.1)
    tile = Tile(scene.view, scene.boxes, np.array([True, True, False]))
    boxes = np.concatenate([scene.boxes[:1], [[5, 5, 15, 15]], scene.boxes[1:2]])
    figure = detection.gallery(
        [tile, tile], [Detections.of(boxes, [0.9, 0.8, 0.1]), Detections.of([], [])], threshold=0.5
    )
    first, second = figure.axes[:2]
    assert [line.get_color() for line in first.lines] == ["white"] * 3 + [detection.RIGHT, detection.WRONG]
    assert [line.get_linestyle() for line in second.lines] == ["-", "-", ":"]
    assert [text.get_text() for text in first.texts] == ["0.90", "0.80"]
    assert save(figure, tmp_path / "gallery.png").stat().st_size > 10_000


def test_empty_gallery(tmp_path):
    save(detection.gallery([], [], threshold=0.5), tmp_path / "gallery.png")


@pytest.mark.parametrize("name", ["x", "x_sigma"])
def test_what_is_unknown_is_shown_as_such(name):
    view = moving.scene(0, side=64, count=0).view
    getattr(view, name)[:5] = 0 if name == "x_sigma" else np.nan
    shown = detection.significance(view)
    assert np.isnan(shown[:5]).all()
    assert np.isfinite(shown[5:]).all()
