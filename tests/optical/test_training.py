"""From a recipe to judged weights: parts that share nothing, pieces that add up, and a network that learns."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pictured
import pytest
import yaml

pytest.importorskip("torch")

from slidecloud.config_yaml import ConfigError
from slidecloud.models import training_folder, unet_predict, unet_training
from slidecloud.models.unet_recipe import UnetRecipe, load, parse, template
from slidecloud.optical import simulated
from slidecloud.optical.preparing import Normalised, divided, prepare
from slidecloud.optical.sets import open_sets
from slidecloud.optical.training import train
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Patches with bright squares, in three parts."""
    root = tmp_path_factory.mktemp("patches")
    for part, first, count in (("train", 0, 8), ("validation", 20, 3), ("test", 30, 3)):
        pictured.tiffs(root / part, count, first=first)
    return root


@pytest.fixture
def recipe(folders):
    return UnetRecipe.model_validate(
        {
            "width": 0.125,
            "depth": 1,
            "side": 32,
            "batch": 2,
            "patch_steps": 12,
            "threads": 1,
            "validate_every": 8,
            "data": {part: [str(folders / part)] for part in ("train", "validation", "test")},
        }
    )


def test_an_interrupted_training_gives_the_same_weights_bit_for_bit(recipe, tmp_path, monkeypatch):
    prepared = prepare(recipe.data, seed=0)
    whole = train(recipe, tmp_path / "whole", prepared)
    pieces = []
    while not pieces or pieces[-1].weights is None:
        left = iter([0.0] * 3)
        with monkeypatch.context() as patch:
            patch.setattr(unet_training.time, "monotonic", lambda left=left: next(left, 1e9))
            pieces.append(train(recipe, tmp_path / "parts", prepared, minutes=1))
    assert len(pieces) > 2
    assert whole.patch_steps == 12
    for name in ("record.jsonl", "weights.safetensors", "figures.json"):
        assert (tmp_path / "parts" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_the_results_are_there(recipe, tmp_path, folders):
    seen = []
    prepared = prepare(recipe.data, seed=0)
    outcome = train(recipe, tmp_path, prepared, watch=lambda done, wanted, row: seen.append((done, wanted)))
    assert seen[-1] == (12, 12)
    record = training_folder.read_record(tmp_path)
    assert [row["patch_steps"] for row in record] == [2, 4, 6, 8, 10, 12]
    assert [row["patch_steps"] for row in record if "iou" in row] == [8]
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["test"] == outcome.test.as_json()
    assert set(figures) == {"validation", "test"}
    kept = unet_predict.load(outcome.weights).card
    assert kept.threshold == outcome.test.threshold
    assert kept.record["recipe"]["data"]["train"] == ["train"]
    assert str(folders) not in json.dumps(kept.record)
    assert kept.normalisation == prepared.normalisation
    assert not list(tmp_path.glob(".*"))
    assert list(outcome.judged) == ["validation patches", "test patches"]


def test_a_network_learns_bright_squares(recipe, tmp_path):
    longer = recipe.model_copy(update={"patch_steps": 320, "batch": 4, "rate": 1e-2, "average": 0.9})
    outcome = train(longer, tmp_path, prepare(recipe.data, seed=0))
    assert outcome.test.counts.iou > 0.8
    assert outcome.test.things.recall == 1.0
    assert outcome.test.calibration_error < 0.1


def test_mixed_precision_learns_too(recipe, tmp_path):
    train(recipe.model_copy(update={"precision": "bfloat16"}), tmp_path, prepare(recipe.data, seed=0))
    record = training_folder.read_record(tmp_path)
    assert record[-1]["total"] < record[0]["total"]


def test_a_loss_that_is_lost_is_told(recipe, tmp_path):
    with pytest.raises(DataError, match=r"The loss is (nan|inf) after \d+ patch steps; give a lower learning rate"):
        train(recipe.model_copy(update={"rate": 1e30}), tmp_path, prepare(recipe.data, seed=0))


def test_a_folder_is_of_one_recipe_and_a_damaged_checkpoint_is_named(recipe, tmp_path):
    prepared = prepare(recipe.data, seed=0)
    stopped = train(recipe, tmp_path, prepared, minutes=1e-9)
    assert stopped.weights is None
    assert stopped.patch_steps == 2
    with pytest.raises(DataError, match="another seed, width; give another folder"):
        train(recipe.model_copy(update={"seed": 3, "width": 0.25}), tmp_path, prepared)
    (tmp_path / "checkpoint.pt").write_bytes(b"no longer")
    with pytest.raises(DataError, match=r"checkpoint\.pt' cannot be read"):
        train(recipe, tmp_path, prepared)


@pytest.mark.parametrize("change", ["added", "mask"])
def test_a_training_goes_on_with_the_same_patches_alone(recipe, folders, tmp_path, change):
    """A picture more in a folder, or an outline that was drawn anew, is no change of the recipe."""
    mine = shutil.copytree(folders, tmp_path / "mine")
    data = recipe.data.model_copy(update={part: (str(mine / part),) for part in ("train", "validation", "test")})
    recipe = recipe.model_copy(update={"data": data})
    train(recipe, tmp_path / "out", prepare(data, seed=0), minutes=1e-9)
    assert train(recipe, tmp_path / "out", prepare(data, seed=0), minutes=1e-9).patch_steps == 4
    if change == "added":
        image, mask = pictured.picture(9)
        at = {"crs": "EPSG:32648", "origin": (390_000.0, 3_300_000.0)}
        pictured.write_tiff(mine / "train/image/p9.tif", image, **at)
        pictured.write_tiff(mine / "train/mask/p9.tif", mask, **at)
    else:
        at = {"crs": "EPSG:32648", "origin": (500_000.0, 3_300_000.0)}
        pictured.write_tiff(mine / "validation/mask/p0.tif", np.eye(32, dtype=np.uint8), **at)
    with pytest.raises(DataError, match=r"out' holds a training that was begun with other data.*another folder"):
        train(recipe, tmp_path / "out", prepare(data, seed=0))
    assert not (tmp_path / "out/weights.safetensors").exists()


def test_a_training_that_stopped_between_rows_of_its_record_says_how_far_it_came(recipe, tmp_path, monkeypatch):
    longer = recipe.model_copy(update={"patch_steps": 2000, "validate_every": 2000})
    left = iter([0.0] * 8)
    monkeypatch.setattr(unet_training.time, "monotonic", lambda: next(left, 1e9))
    assert train(longer, tmp_path, prepare(recipe.data, seed=0), minutes=1).patch_steps == 14
    assert training_folder.read_record(tmp_path)[-1]["patch_steps"] == 10


def test_bands_are_normalised_by_the_training_part_alone(recipe, folders, tmp_path):
    before = prepare(recipe.data, seed=0).normalisation
    values = np.stack([patch.read().image for patch in open_sets([folders / "train"])])
    np.testing.assert_allclose(before.mean, values.mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(before.deviation, values.std((0, 2, 3)), rtol=1e-6)
    other = shutil.copytree(folders, tmp_path / "other")
    for part in ("validation", "test"):
        for number in range(3):
            image, _ = pictured.picture(100 * number + ord(part[0]))
            at = (300_000.0 + 10_000.0 * (200 + 10 * number + ord(part[0])), 3_300_000.0)
            pictured.write_tiff(
                other / part / f"image/p{number}.tif", image.astype(np.int16) * 9, crs="EPSG:32648", origin=at
            )
            pictured.write_tiff(
                other / part / f"mask/p{number}.tif", np.zeros((32, 32), np.uint8), crs="EPSG:32648", origin=at
            )
    moved = recipe.data.model_copy(update={part: (str(other / part),) for part in ("train", "validation", "test")})
    assert prepare(moved, seed=0).normalisation == before


def test_examples_are_normalised_patches(recipe):
    prepared = prepare(recipe.data, seed=0)
    examples = Normalised(prepared.parts.train, prepared.normalisation)
    images = np.stack([examples[number].image for number in range(len(examples))])
    np.testing.assert_allclose(images.mean((0, 2, 3)), 0.0, atol=1e-5)
    assert all(examples[number].known.all() for number in range(len(examples)))


@pytest.mark.parametrize(("train", "test"), [("", "test"), ("train", "train/../train"), ("test", "linked")])
def test_folders_that_hold_one_another_are_refused(folders, tmp_path, train, test):
    (tmp_path / "linked").symlink_to(folders / "test")
    place = tmp_path / test if test == "linked" else f"{folders}/{test}"
    data = {"train": [str(folders / train)], "validation": [str(folders / "validation")], "test": [str(place)]}
    with pytest.raises(DataError, match=r"is .* or lies in it: give folders beside each other"):
        divided(UnetRecipe.model_validate({"data": data}).data, seed=0)


def test_one_set_is_divided_by_place(folders):
    data = UnetRecipe.model_validate({"data": {"train": [str(folders / "train")]}}).data
    parts = divided(data, seed=1)
    assert [len(part) for part in parts] == [6, 1, 1]
    assert len({patch.place for part in parts for patch in part}) == 8


def test_parts_that_lie_in_one_place_are_refused(recipe, folders, tmp_path):
    """The test part 100 m beside the training part."""
    near = pictured.tiffs(tmp_path / "near", 1, first=2, apart=10_010.0)
    with pytest.raises(DataError, match=r"\(train\) and .*near.*\(test\) are of the same place"):
        prepare(recipe.data.model_copy(update={"test": (str(near),)}), seed=0)


def test_copies_are_refused_whatever_their_names_and_places(recipe, folders, tmp_path):
    """The published way: images are augmented first and divided then."""
    image, mask = pictured.picture(3)
    at = {"crs": "EPSG:32648", "origin": (900_000.0, 3_900_000.0)}
    pictured.write_tiff(tmp_path / "image/new.tif", np.ascontiguousarray(image[:, ::-1]), **at)
    pictured.write_tiff(tmp_path / "mask/new.tif", np.ascontiguousarray(mask[::-1]), **at)
    with pytest.raises(DataError, match=r"new\.tif \(test\) shows the same as .*train/image/p3\.tif \(train\)"):
        prepare(recipe.data.model_copy(update={"test": (str(tmp_path),)}), seed=0)


def test_simulated_parts_are_made_once_and_share_nothing(tmp_path):
    text = yaml.safe_dump(
        {
            "data": {part: [f"./{part}"] for part in ("train", "validation", "test")}
            | {"simulate": {"wanted": True, "train": 2, "validation": 1, "test": 1, "side": 64, "held_out": ["dry"]}}
        }
    )
    (tmp_path / "r.yaml").write_text(text)
    recipe = load(tmp_path / "r.yaml")
    told = []
    for folder, plans in simulated.missing(recipe.data):
        simulated.make(folder, plans, how=recipe.data.simulate, tell=told.append)
    assert told == [1, 2, 1, 1]
    assert not list(simulated.missing(recipe.data))
    assert not list(tmp_path.glob(".*"))
    parts = prepare(recipe.data, seed=0).parts
    assert [len(part) for part in parts] == [2, 1, 1]
    assert "dry" in parts.test[0].name
    assert parts.train.bands == 8
    assert recipe.data.names[:2] == ("before_blue", "before_green")
    scene = simulated.optical_scene(0, family="humid", shape=(64, 64))
    sample = next(patch for patch in parts.train if "humid" in patch.name).read()
    np.testing.assert_allclose(sample.image / 1e4, scene.images.reshape(8, 64, 64), atol=1e-6)
    np.testing.assert_array_equal(sample.mask, scene.mask(1))


def test_scenes_simulated_for_another_recipe_are_refused(tmp_path):
    """What does not concern a part may change; a folder that was not simulated is taken as it is."""
    (tmp_path / "validation").mkdir()
    data = {part: [str(tmp_path / part)] for part in ("train", "validation", "test")}

    def missing(**how):
        how = {"wanted": True, "train": 1, "test": 1, "side": 64, "families": ["dry"], "held_out": ["dry"]} | how
        return simulated.missing(UnetRecipe.model_validate({"data": data | {"simulate": how}}).data)

    how = UnetRecipe.model_validate({"data": {"train": ["a"], "simulate": {"side": 64}}}).data.simulate
    folder, plans = next(missing())
    simulated.make(folder, plans, how=how)
    assert [folder.name for folder, _ in missing(validation=7, test=5)] == ["test"]
    for change in (
        {"bands": ["blue", "green", "red", "swir1"]},
        {"clouds": 0.5},
        {"train": 2},
        {"families": ["humid"]},
    ):
        with pytest.raises(DataError, match=r"train holds scenes that were simulated in another way.*remove it"):
            list(missing(**change))


def test_dates_apart_are_patches_of_one_place(tmp_path):
    how = parse("data: {train: [a], validation: [b], test: [c], simulate: {wanted: true, dates: apart, side: 64}}").data
    simulated.make(tmp_path / "a", [(5, "dry")], how=how.simulate)
    found = open_sets([tmp_path / "a"], bands=how.names)
    assert [patch.shape[0] for patch in found] == [4, 4]
    assert len({patch.place for patch in found}) == 1


def test_the_template_is_a_recipe():
    assert parse(template()).data.simulate.wanted


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "key 'data' is missing"),
        ("data: {train: [a]}\npatch_step: 3", "did you mean 'patch_steps'"),
        ("data: {train: [a], validation: [a], test: [b]}", "a is given for several parts"),
        ("data: {train: [a], validation: [b]}", "for both of validation and test, or for neither"),
        ("data: {train: [a], shares: [0.5, 0.5, 0.5]}", "three numbers above 0 that add up to 1"),
        ("data: {train: [a], simulate: {wanted: true}}", "validation is not one folder"),
        ("data: {train: [a]}\nside: 100\ndepth: 3", "side is 100 and depth 3; expected a multiple of 8"),
        ("data: {train: [a], simulate: {families: [lunar]}}", "humid"),
    ],
)
def test_recipes_that_make_no_sense_are_refused(text, words):
    with pytest.raises(ConfigError, match=words):
        parse(text)
