"""How many tiles the shipped kind of network looks at, and learns from, in a second on one core; reported."""

from __future__ import annotations

import dipoles
import numpy as np
import pytest
import torch

from slidecloud.models.architecture import Architecture
from slidecloud.models.batches import batch
from slidecloud.models.features import Inputs
from slidecloud.models.learning import Learner
from slidecloud.models.predict import Detector
from slidecloud.models.prepared import prepare
from slidecloud.models.recipes import Recipe
from slidecloud.models.tile_sets import SIDE
from slidecloud.models.training import architecture
from slidecloud.models.weights import Card
from slidecloud.models.yolo import Yolo
from slidecloud.pipeline.bench_timing import PROCESSOR, race

SIZES = ((8.0, 8.0), (14.0, 10.0), (10.0, 18.0)), ((20.0, 20.0), (30.0, 24.0), (28.0, 40.0))


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.long
@pytest.mark.parametrize("motion", [False, True])
def test_tiles_a_second(record_property, capsys, motion):
    inputs = Inputs(motion=motion)
    card = Card(Architecture("a-yolov3-t", 0.25, inputs.channels, True, False, SIZES), inputs)
    detector = Detector(Yolo(card.architecture), card)
    view, _ = dipoles.dipole_view(np.random.default_rng(0), (2 * SIDE - 64, 2 * SIDE - 64), 20)
    best = race({"four tiles": lambda: detector.detect(view, threshold=0.3, batch=4)}, 5.0, clock=PROCESSOR)
    rate = 4 / best["four tiles"]
    record_property("tiles_per_second", rate)
    with capsys.disabled():
        print(f"\ntiny network, motion {motion}: {rate:.0f} tiles of 416 x 416 pixels/s on one core")  # noqa: T201


@pytest.mark.long
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_tile_steps_a_second(record_property, capsys, tmp_path, precision):
    tiles = dipoles.dipole_set(tmp_path, seed=0, count=8)
    recipe = Recipe.model_validate({"tiles": {"train": ["a"], "validation": ["b"]}, "precision": precision})
    learner = Learner(recipe, architecture(recipe, [tiles]), torch.device("cpu"))
    made = batch([prepare(tiles, recipe.inputs.inputs())], size=recipe.batch, seed=0, step=0, mosaic=0.5)
    best = race({"a step": lambda: learner.learn(made)}, 10.0, clock=PROCESSOR)
    rate = recipe.batch / best["a step"]
    record_property("tile_steps_per_second", rate)
    with capsys.disabled():
        print(f"\ntiny network, {precision}: {rate:.0f} tile steps of training/s on one core")  # noqa: T201
