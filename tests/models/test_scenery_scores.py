"""What detectors make of fast and of slow views of the same scenes."""

import numpy as np
import pytest

from slidecloud import simulate
from slidecloud.kernels import blobs
from slidecloud.kernels.matching import match
from slidecloud.kernels.precision import Outcomes, average_precision, working
from slidecloud.models.predict import load
from slidecloud.models.scenery.exact import stacked
from slidecloud.models.scenery.observation import observe
from slidecloud.models.scenery.survey import survey
from slidecloud.models.scenery.tile_maker import slides_of
from slidecloud.models.scenery.world import world_of

pytestmark = pytest.mark.long

SCENES = 12
LEAST = 0.05


@pytest.fixture(scope="module")
def views():
    """For each scene: the slow view, three fast ones, boxes, and which of them are visible."""
    made = []
    for seed in range(100, 100 + SCENES):
        scene = simulate.scene(seed, shape=(256, 256), dates=40, geometry="radar")
        times = survey(scene.dates, baseline=scene.perpendicular_baseline)
        seen = [observe(world_of(scene), times, np.random.default_rng(draw)) for draw in range(3)]
        boxes, visible = slides_of(world_of(scene), seen[0])
        made.append((stacked(scene, times), [one.view for one in seen], boxes, visible))
    return made


@pytest.mark.parametrize("method", ["classical", "net"])
def test_detectors_score_alike_on_both(views, method):
    detector = load()
    find = blobs.detect if method == "classical" else detector.detect
    slow, fast = [], []
    for exact, quick, boxes, visible in views:
        slow.append(judged(find, exact, boxes, visible))
        fast += [judged(find, one, boxes, visible) for one in quick]
    on_slow, on_fast = Outcomes.of(slow), Outcomes.of(fast)
    precision = [average_precision(each) for each in (on_slow, on_fast)]
    recall = [working(each, 0.5).recall for each in (on_slow, on_fast)]
    wrong = [working(each, 0.5).wrong / len(tiles) for each, tiles in ((on_slow, slow), (on_fast, fast))]
    right = [np.median(each.scores[each.right]) for each in (on_slow, on_fast)]
    found = f"slow, fast: AP30 {precision}, recall {recall}, wrong per scene {wrong}, score of the right {right}"
    # Some hundred slides: shares scatter by 5 per cent.
    assert abs(precision[0] - precision[1]) < 0.12, found
    assert abs(recall[0] - recall[1]) < 0.12, found
    assert abs(wrong[0] - wrong[1]) < 1.5, found
    assert abs(right[0] - right[1]) < 0.1, found


def judged(find, view, boxes, visible):
    found = find(view, threshold=LEAST)
    return match(found.boxes, found.scores, boxes, ignored=~visible, iou=0.3)
