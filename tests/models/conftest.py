"""Tiles and networks that several tests share."""

from __future__ import annotations

import dipoles
import pytest
import torch

from slidecloud.models.architecture import Architecture
from slidecloud.models.features import Inputs
from slidecloud.models.recipes import Recipe
from slidecloud.models.tile_sets import TileSet
from slidecloud.models.weights import Card
from slidecloud.models.yolo import Yolo


@pytest.fixture(scope="session")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> TileSet:
    """Eight tiles of dipoles, two of them empty."""
    return dipoles.dipole_set(tmp_path_factory.mktemp("tiles") / "train", seed=1, count=8)


@pytest.fixture
def recipe(tiles: TileSet) -> Recipe:
    """A training of a few seconds: 8 steps of two tiles with a network of an eighth of the width."""
    return Recipe.model_validate(
        {
            "tiles": {"train": [str(tiles.folder)], "validation": [f"{tiles.folder}/"]},
            "width": 0.125,
            "dropblock": True,
            "tile_steps": 16,
            "batch": 2,
            "threads": 1,
            "validate_every": 8,
            "validation_tiles": 2,
        }
    )


@pytest.fixture
def card() -> Card:
    """Of a tiny network with all inputs."""
    inputs = Inputs()
    sizes = ((8.0, 9.0), (14.0, 10.0), (12.0, 18.0)), ((20.0, 22.0), (30.0, 20.0), (28.0, 36.0))
    return Card(Architecture("a-yolov3-t", 0.125, inputs.channels, True, False, sizes), inputs, record={"seed": 0})


@pytest.fixture
def network(card: Card) -> Yolo:
    """The network of the card, untrained, but with statistics of its own and strong beliefs."""
    with torch.random.fork_rng():
        torch.manual_seed(5)
        made = Yolo(card.architecture).train()
        with torch.no_grad():
            for _ in range(30):
                made(torch.randn(2, card.inputs.channels, 64, 64) * 0.3)
            for head in made.heads:
                head.weight.normal_(std=0.3)
                head.bias[4::5] = -4.0
    return made.eval()
