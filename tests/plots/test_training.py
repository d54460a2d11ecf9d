"""Curves of a training say what they show."""

from __future__ import annotations

from slidecloud.plots.training import training_figure


def test_axes_have_the_names_of_what_is_drawn() -> None:
    record = [
        {"tile_steps": 1, "box": 1.0, "objectness": 0.5, "ap50": 0.1, "ap30": 0.2},
        {"tile_steps": 2, "box": 0.5, "objectness": 0.2},
    ]
    left, right = training_figure(record, title="net").axes
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss", "average precision on validation data")
    assert [list(line.get_ydata()) for line in right.lines] == [[0.1], [0.2]]
    record = [{"patch_steps": 1, "entropy": 1.0, "dice": 0.5, "iou": 0.1, "f1": 0.2}]
    names = {"losses": ("entropy", "dice"), "scores": ("iou", "f1")}
    _, right = training_figure(record, title="net", **names, measure="score", steps="patch steps").axes
    assert (right.get_ylabel(), right.get_xlabel()) == ("score on validation data", "patch steps")
