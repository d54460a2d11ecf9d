"""Recipes are strict, and their template is one."""

from __future__ import annotations

import pytest

from slidecloud.config_yaml import ConfigError
from slidecloud.models import recipes

GOOD = "tiles: {train: [a], validation: [b]}\n"


def test_the_template_is_a_recipe_with_every_default():
    made = recipes.parse(recipes.template())
    assert made == recipes.parse("tiles: {train: [./tiles/train], validation: [./tiles/validation]}")


def test_a_recipe_survives_being_written():
    made = recipes.parse(GOOD + "width: 0.5\ninputs: {scaling: phase, axes: range}\n")
    assert recipes.parse(recipes.dump(made)) == made


FAULTS = {
    "unknown key 'widht'; did you mean 'width'": GOOD + "widht: 1",
    "unknown key 'inputs.axis'; did you mean 'axes'": GOOD + "inputs: {axis: range}",
    "key 'tiles' is missing": "seed: 1",
    "network: Input should be": GOOD + "network: yolov9",
    "a is given for training and for validation": "tiles: {train: [a], validation: [b, a]}",
    "is not valid YAML": "a: [",
    "holds list; expected keys": "[1]",
}


@pytest.mark.parametrize("message", FAULTS)
def test_faults_are_named(message):
    with pytest.raises(ConfigError, match=message):
        recipes.parse(FAULTS[message])


def test_folders_are_beside_the_recipe(tmp_path):
    (tmp_path / "recipe.yaml").write_text(GOOD)
    assert recipes.load(tmp_path / "recipe.yaml").tiles.train == (str(tmp_path / "a"),)


def test_no_recipe(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no recipe .*--print-recipe"):
        recipes.load(tmp_path / "recipe.yaml")


@pytest.mark.parametrize(
    ("network", "attention", "dropblock"),
    [("yolov3", False, False), ("a-yolov3-r", True, True), ("a-yolov3-t", True, False)],
)
def test_networks_have_what_the_publication_gives_them(network, attention, dropblock):
    made = recipes.parse(GOOD + f"network: {network}")
    assert (made.has_attention, made.has_dropblock) == (attention, dropblock)
    other = recipes.parse(GOOD + f"network: {network}\nattention: {not attention}\ndropblock: {not dropblock}")
    assert (other.has_attention, other.has_dropblock) == (not attention, not dropblock)
