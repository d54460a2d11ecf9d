"""Detectors that know the truth, know nothing, or are wrong in a known way."""

from __future__ import annotations

import json
import math
import subprocess
import sys

import moving
import numpy as np
import pytest

from slidecloud.kernels.boxes import Detections
from slidecloud.kernels.calibration import Calibration
from slidecloud.models.evaluation import evaluate
from slidecloud.models.tile_sets import open_tiles, write
from slidecloud.models.tiles import Tile

LEVELS = [1.0, 1.0, 0.2, 0.2]
KINDS = ["slides", "empty", "slides", "slides"]
GEOMETRY = ["radar", "map", "map", "radar"]
LEFT_OUT = 13_000


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    """Three tiles of five slides, the last of each too weak to be asked for, and one without; a corner is unknown."""
    made = []
    for seed, kind in enumerate(KINDS):
        scene = moving.scene(seed, count=0 if kind == "empty" else 5)
        scene.view.x[:100, :130] = np.nan
        visible = np.arange(len(scene.boxes)) < 4
        made.append(Tile(scene.view, scene.boxes, visible))
    return write(tmp_path_factory.mktemp("tiles"), made, level=LEVELS, family=["a"] * 4, kind=KINDS, geometry=GEOMETRY)


def _teller(tiles, tell):
    """A detector that is asked for the tiles in order and answers from their truth."""
    turn = iter(range(len(tiles)))
    return lambda view: tell(*tiles.truth(next(turn)))


def _all(boxes, visible):
    return Detections.of(boxes, np.full(len(boxes), 0.9))


def test_the_truth_scores_one(tiles):
    found = evaluate(_teller(tiles, _all), tiles)
    assert found.whole.slides == 12
    for figures in (found.whole, *found.levels, found.kinds[1]):
        assert figures.ap50 == figures.ap30 == figures.ten_confidence_mean == 1.0
        assert figures.precision == figures.recall == 1.0
    assert found.whole.false_alarms == found.levels[0].false_alarms == 0.0
    assert [figures.name for figures in found.levels] == ["level 1", "level 0.2"]
    assert [figures.name for figures in found.kinds] == ["kind empty", "kind slides"]
    assert [(each.name, each.slides) for each in found.geometries] == [("geometry map", 4), ("geometry radar", 8)]
    assert math.isnan(found.levels[1].false_alarms)


def test_silence_scores_nothing(tiles):
    found = evaluate(lambda view: Detections.of([], []), tiles)
    assert found.whole.ap50 == found.whole.recall == found.whole.false_alarms == 0.0
    assert math.isnan(found.whole.precision)
    assert math.isnan(found.calibration_error)


def test_false_alarms_count_on_empty_tiles_from_the_threshold_on(tiles):
    alarms = Detections.of([[0, 0, 9, 9], [20, 20, 29, 29], [50, 50, 59, 59]], [0.6, 0.5, 0.4])
    found = evaluate(_teller(tiles, lambda boxes, visible: alarms if not len(boxes) else _all(boxes, visible)), tiles)
    square_km = (416**2 - LEFT_OUT) * 0.04**2
    assert found.whole.false_alarms == pytest.approx(2 * 1000 / square_km)
    assert found.levels[0].false_alarms == found.whole.false_alarms


def test_boxes_that_are_too_large_count_at_the_lower_overlap_only(tiles):
    """Sides 1.6 times as long: intersection over union 0.39."""

    def widen(boxes, visible):
        half = np.tile((boxes[:, 2:] - boxes[:, :2]) / 2 * 0.6, 2) * [-1, -1, 1, 1]
        return Detections.of(boxes + half, np.linspace(0.5, 0.9, len(boxes)))

    found = evaluate(_teller(tiles, widen), tiles)
    assert found.whole.ap50 == 0.0
    assert found.whole.ap30 == 1.0
    assert found.whole.ten_confidence_mean == 0.0


def test_calibration_error_is_that_of_the_promised_probability(tiles):
    """Scores are all 0.9, all are right: off by 0.1, unless the score is turned into another probability."""
    assert evaluate(_teller(tiles, _all), tiles).calibration_error == pytest.approx(0.1)
    line = Calibration(np.array([0.0, 1.0]), np.array([0.7, 0.7]))
    assert evaluate(_teller(tiles, _all), tiles, calibration=line).calibration_error == pytest.approx(0.3)


def test_table_and_json(tiles):
    found = evaluate(_teller(tiles, _all), tiles)
    text = "\n".join(found.lines())
    assert len(found.lines()) == 1 + 1 + 2 + 2 + 2 + 1
    assert "level 0.2" in text
    stored = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert stored["all"]["ap50"] == 1.0
    assert [row["name"] for row in stored["kinds"]] == ["kind empty", "kind slides"]
    assert stored["kinds"][0]["ap50"] is None


def test_many_levels_are_put_into_five_ranges(tmp_path):
    view = moving.scene(0, count=0).view
    made = [Tile(view, np.zeros((0, 4), np.float32), np.zeros(0, bool))] * 12
    many = write(
        tmp_path, made, level=np.linspace(0.1, 1.2, 12), family=["a"] * 12, kind=["empty"] * 12, geometry=["map"] * 12
    )
    found = evaluate(lambda _: Detections.of([], []), many)
    assert [figures.tiles for figures in found.levels] == [3, 2, 2, 2, 3]
    assert found.levels[0].name == "level 0.98-1.2"


def test_no_tile_is_refused(tmp_path):
    empty = write(tmp_path, [], level=[], family=[], kind=[], geometry=[])
    with pytest.raises(ValueError, match="tiles: found none"):
        evaluate(lambda view: Detections.of([], []), open_tiles(empty.folder))


def test_torch_is_not_imported():
    program = "import sys, slidecloud.models.evaluation, slidecloud.kernels.blobs; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
