"""Training: interrupted or not the same, and what it leaves behind."""

from __future__ import annotations

import json

import dipoles
import numpy as np
import pytest
import torch

from slidecloud.models import predict, training, weights
from slidecloud.models.learning import Learner
from slidecloud.models.recipes import Recipe
from slidecloud.models.training import architecture, train
from slidecloud.models.training_folder import read_record
from slidecloud.types import DataError


class Stopper:
    """A clock for `minutes` that runs out after so many looks."""

    def __init__(self, monkeypatch, steps):
        self.left = steps
        monkeypatch.setattr(training.time, "monotonic", self)

    def __call__(self):
        self.left -= 1
        return 0.0 if self.left > 0 else 1e9


def test_an_interrupted_training_gives_the_same_weights_bit_for_bit(recipe, tmp_path, monkeypatch):
    """8 steps, Adam then SGD, DropBlock, mosaic and running average, in one piece and in three."""
    whole = train(recipe, tmp_path / "whole")
    assert whole.finished
    pieces = []
    while not pieces or not pieces[-1].finished:
        with monkeypatch.context() as patch:
            Stopper(patch, 5)
            pieces.append(train(recipe, tmp_path / "parts", minutes=1))
    assert len(pieces) > 2
    assert (tmp_path / "parts/record.jsonl").read_text() == (tmp_path / "whole/record.jsonl").read_text()
    weights_of = [(tmp_path / name / "weights.safetensors").read_bytes() for name in ("whole", "parts")]
    assert weights_of[0] == weights_of[1]
    states = [torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "parts")]
    for part in ("network", "average"):
        for name, value in states[0][part].items():
            assert torch.equal(value, states[1][part][name]), name


def test_the_results_are_there(recipe, tmp_path, tiles):
    seen = []
    outcome = train(recipe, tmp_path, watch=lambda done, wanted, row: seen.append((done, wanted)))
    assert outcome.tile_steps == 16
    assert seen[-1] == (16, 16)
    record = read_record(tmp_path)
    assert [row["tile_steps"] for row in record] == list(range(2, 17, 2))
    assert [row["tile_steps"] for row in record if "ap50" in row] == [8]
    assert record[-1]["total"] < record[0]["total"]
    assert json.loads((tmp_path / "figures.json").read_text()) == outcome.scores.as_json()
    assert outcome.scores.whole.tiles == 8
    found = predict.load(outcome.weights)
    assert found.card.record["recipe"]["tiles"]["train"] == [tiles.folder.name]
    assert str(tiles.folder.parent) not in json.dumps(found.card.record)
    assert not list(tmp_path.glob(".*"))


def test_a_finished_training_is_not_done_again(recipe, tmp_path):
    train(recipe, tmp_path)
    before = (tmp_path / "weights.safetensors").read_bytes()
    again = train(recipe, tmp_path)
    assert again.finished
    assert (tmp_path / "weights.safetensors").read_bytes() == before


def test_a_folder_is_of_one_recipe(recipe, tmp_path):
    train(recipe, tmp_path, minutes=1e-9)
    with pytest.raises(DataError, match="another seed, width; give another folder"):
        train(recipe.model_copy(update={"seed": 3, "width": 0.25}), tmp_path)
    train(recipe.model_copy(update={"threads": None}), tmp_path, minutes=1e-9)


def test_a_damaged_checkpoint_is_named(recipe, tmp_path):
    train(recipe, tmp_path, minutes=1e-9)
    (tmp_path / "checkpoint.pt").write_bytes(b"no longer")
    with pytest.raises(DataError, match=r"checkpoint\.pt' cannot be read .*Remove it"):
        train(recipe, tmp_path)


def test_a_loss_that_runs_away_ends_the_training(recipe, tmp_path):
    with pytest.raises(DataError, match=r"The loss is (nan|inf) after .*give a lower learning rate"):
        train(recipe.model_copy(update={"adam_rate": 1e30, "warmup": 0.0}), tmp_path)


def test_missing_tiles_are_named_before_anything_is_written(recipe, tmp_path):
    nowhere = recipe.tiles.model_copy(update={"train": (str(tmp_path / "nowhere"),)})
    with pytest.raises(FileNotFoundError, match=r"no tile set in .*nowhere"):
        train(recipe.model_copy(update={"tiles": nowhere}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_mixed_precision_learns_too(recipe, tmp_path):
    train(recipe.model_copy(update={"precision": "bfloat16"}), tmp_path)
    record = read_record(tmp_path)
    assert record[-1]["total"] < record[0]["total"]


def test_the_average_follows_the_network(recipe, tiles):
    """After one step, memory 1/11: an eleventh of the start and ten of the network."""
    learner = Learner(recipe, architecture(recipe, [tiles]), torch.device("cpu"))
    start = {name: value.clone() for name, value in learner.network.state_dict().items()}
    learner.learn(next(training._batches(0, recipe, [tiles])))
    for name, value in learner.average.state_dict().items():
        if value.is_floating_point():
            expected = start[name] / 11 + learner.network.state_dict()[name] * 10 / 11
            torch.testing.assert_close(value, expected, atol=1e-7, rtol=1e-5)


def test_inputs_and_network_are_those_of_the_recipe(recipe, tmp_path):
    changes = {
        "network": "yolov3",
        "inputs": {"scaling": "phase", "axes": "azimuth", "motion": False},
        "tile_steps": 1,
        "batch": 1,
    }
    outcome = train(Recipe.model_validate(recipe.model_dump() | changes), tmp_path)
    _, card = weights.load(outcome.weights)
    assert card.architecture.network == "yolov3"
    assert card.architecture.channels == 1
    assert len(card.architecture.anchors) == 3


@pytest.mark.long
def test_a_network_learns_dipoles_and_finds_them_where_they_are_moved_to(tmp_path):
    """Minutes of training (1,600 steps do without the motion channel, and do not with it): AP50 above 0.9 on tiles not
    seen, calibrated to 0.05, and when the ground moves by 1 to 31 pixels, 95 % of the boxes above the threshold are
    found again (IoU >= 0.5) above half of it. (What the shipped network promises is stricter, and is tested with its
    weights.)"""
    for name, seed, count in (("train", 1, 120), ("validation", 2, 40)):
        dipoles.dipole_set(tmp_path / name, seed=seed, count=count, slides=8, sizes=(6, 30))
    recipe = Recipe.model_validate(
        {
            "tiles": {name: [str(tmp_path / name)] for name in ("train", "validation")},
            "tile_steps": 4000,
            "threads": 1,
        }
    )
    outcome = train(recipe, tmp_path / "out")
    assert outcome.scores.whole.ap50 > 0.9
    assert outcome.scores.calibration_error < 0.05
    detector = predict.load(outcome.weights)
    kept = total = 0
    for step in (1, 5, 12, 19, 31):
        view, _ = dipoles.dipole_view(np.random.default_rng(step), (600, 600), 25, sizes=(6, 30))
        moved = view._replace(**{name: getattr(view, name)[step:, step:] for name in view._fields[:5]})
        here, there = detector.detect(view), detector.detect(moved, threshold=detector.card.threshold / 2)
        inside = (here.boxes[:, :2] > step + 8).all(1)
        match = dipoles.best_overlap(here.boxes[inside] - step, there.boxes)
        kept, total = kept + int((match >= 0.5).sum()), total + len(match)
    assert total > 80
    assert kept >= 0.95 * total
