"""What each part of the detector is worth: trained alike but for one thing, and judged on the family held out.

Hours of training in all; tiles and trainings stay in pytest's cache, and the same command goes on where it stopped.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slidecloud.kernels import blobs
from slidecloud.kernels.matching import match
from slidecloud.kernels.precision import Outcomes, working
from slidecloud.models.evaluation import evaluate
from slidecloud.models.predict import load
from slidecloud.models.recipes import Recipe
from slidecloud.models.scenery.supply import missing
from slidecloud.models.scenery.tile_maker import build, plans
from slidecloud.models.training import train

pytestmark = pytest.mark.long

LEVELS = (1.0, 0.5, 0.2, 0.1, 0.05)
LEAST = 0.01
QUICK = {"precision": "bfloat16", "threads": 1}
TINY = QUICK | {"tile_steps": 20_000}
WHOLE = QUICK | {"tile_steps": 30_000}
VARIANTS = {
    "shipped": WHOLE,
    "seed 1": WHOLE | {"seed": 1},
    "seed 2": WHOLE | {"seed": 2},
    "all": {},
    "no attention": {"attention": False},
    "DropBlock": {"dropblock": True},
    "no motion": {"inputs": {"motion": False}},
    "sigma units alone": {"inputs": {"scaling": "sigma", "motion": False}},
    "physical units alone": {"inputs": {"scaling": "physical", "motion": False}},
    "range alone": {"inputs": {"axes": "range", "motion": False}},
    "the publication's input": {"inputs": {"scaling": "phase", "axes": "range", "motion": False}},
    "published stacks": {"tiles": "sum"},
}
WIDTH = {"width": 0.125, "tile_steps": 8_000}
NETWORKS = ("yolov3", "a-yolov3-r", "a-yolov3-t")
PAIRS = (25, 50, 100, 250, 400)
REGIMES = {"comes and goes": (0.4, 0.03, 0.03, 0.03), "steady 0.1": (0.1,), "the world's": ()}


@pytest.fixture(scope="module")
def cache(request):
    return request.config.cache.mkdir("detector")


def trained(cache: Path, name: str, changes: dict) -> Path:
    """Weights of a recipe, trained or taken up where they were."""
    changes = dict(changes)
    estimator = changes.pop("tiles", "coherent")
    folders = {part: (str(cache / f"tiles-{estimator}-{part}"),) for part in ("train", "validation")}
    recipe = Recipe(**{**TINY, **changes, "tiles": {**folders, "make": {"estimator": estimator}}})
    for folder, wanted in missing(recipe.tiles):
        build(folder, wanted, workers=2)
    outcome = train(recipe, cache / name.replace(" ", "-"))
    assert outcome.weights is not None
    return outcome.weights


def judged(cache: Path, name: str, detect, *, estimator: str = "coherent", calibration=None) -> dict:
    """Figures on the family held out, kept as JSON beside the tiles."""
    wanted = [plan for level in LEVELS for plan in plans("ridged", "test", 300, level=level, estimator=estimator)]
    scores = evaluate(detect, build(cache / f"ridged-{estimator}", wanted, workers=2), calibration=calibration)
    (cache / f"{name.replace(' ', '-')}.json").write_text(json.dumps(scores.as_json(), indent=1))
    return scores.as_json()


@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant_of_the_tiny_network(cache, name):
    detector = load(trained(cache, name, VARIANTS[name]))
    estimator = VARIANTS[name].get("tiles", "coherent")
    found = judged(
        cache,
        name,
        lambda view: detector.detect(view, threshold=LEAST),
        estimator=estimator,
        calibration=detector.card.calibration,
    )
    plain = judged(cache, f"classical {estimator}", lambda view: blobs.detect(view, threshold=2.0), estimator=estimator)
    # Whatever it lacks, a network that has learnt finds more than half of what the classical method finds.
    assert found["all"]["ap30"] > 0.5 * plain["all"]["ap30"], found["all"]


@pytest.mark.parametrize("network", NETWORKS)
def test_the_three_networks_at_one_width(cache, network):
    name = f"{network} width 0.125"
    detector = load(trained(cache, name, WIDTH | {"network": network}))
    found = judged(
        cache, name, lambda view: detector.detect(view, threshold=LEAST), calibration=detector.card.calibration
    )
    assert found["all"]["ap30"] > 0.3, found["all"]


@pytest.mark.parametrize("regime", REGIMES)
def test_pairs_that_coherent_and_published_stacks_need(cache, regime):
    recall = {}
    for estimator, name in (("coherent", "shipped"), ("sum", "published stacks")):
        detector = load(trained(cache, name, VARIANTS[name]))
        for pairs in PAIRS:
            wanted = plans(
                "ridged", "test", 50, kind="slides", geometry="radar", level=0.3, pairs=pairs, estimator=estimator,
                coherence=REGIMES[regime],
            )  # fmt: skip
            tiles = build(cache / f"pairs-{regime}-{pairs}-{estimator}".replace(" ", "-"), wanted, workers=2)
            recall[estimator, pairs] = all_slides_found(detector, tiles)
    (cache / f"pairs-{regime}.json").write_text(json.dumps({" ".join(map(str, k)): v for k, v in recall.items()}))
    if regime == "comes and goes":
        best = recall["sum", PAIRS[-1]]
        enough = [pairs for pairs in PAIRS if recall["coherent", pairs] >= best]
        assert enough, recall
        assert enough[0] <= PAIRS[-1] / 5, recall


def all_slides_found(detector, tiles) -> float:
    """Share of all slides, visible in this stack or not, that are found at the network's own threshold."""
    matches = []
    for view, boxes, _ in tiles:
        found = detector.detect(view)
        matches.append(match(found.boxes, found.scores, boxes, iou=0.3))
    return working(Outcomes.of(matches), 0.0).recall
