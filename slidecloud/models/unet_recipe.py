"""The one YAML that describes a training of outlines: strict, commented, enough to repeat it."""

from __future__ import annotations

import os
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section, beside, opened, parsed, template_lines
from slidecloud.models.training_folder import TrainingRecipe
from slidecloud.models.unet_shape import DEEPEST
from slidecloud.simulate.optical import Band, Name, both_dates

PARTS = ("train", "validation", "test")


class SimulateConfig(Section):
    """Images to simulate into folders that are not there yet."""

    wanted: bool = Field(False, description="Whether to; else a folder that is not there is an error.")
    families: tuple[Name, ...] = Field(
        ("humid", "dry", "terraces"), min_length=1, description="Landscapes of train and validation."
    )
    held_out: tuple[Name, ...] = Field(("alpine",), min_length=1, description="Landscapes of test.")
    train: int = Field(120, ge=1, le=4000, description="Scenes to learn from.")
    validation: int = Field(20, ge=1, le=4000, description="Scenes to watch and to calibrate with.")
    test: int = Field(30, ge=1, le=4000, description="Scenes to judge by.")
    bands: tuple[Band, ...] = Field(("blue", "green", "red", "nir"), min_length=1, description="Bands of each date.")
    dates: Literal["apart", "together"] = Field(
        "together", description="together: the bands of both dates in one image; apart: an image of each date."
    )
    side: int = Field(256, ge=64, le=4096, description="Pixels along each side of a scene.")
    spacing: float = Field(5.0, ge=1, le=30, description="Metres per pixel.")
    clouds: float = Field(0.03, ge=0, le=0.9, description="Share of each image under clouds.")

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the bands of an image."""
        return both_dates(self.bands) if self.dates == "together" else tuple(self.bands)


class DataConfig(Section):
    """Where the patches are, and which belong together."""

    train: tuple[str, ...] = Field(min_length=1, description="Folders of images and masks to learn from.")
    validation: tuple[str, ...] | None = Field(
        None, description="Folders to watch progress on and to calibrate with; null takes a share of train."
    )
    test: tuple[str, ...] | None = Field(None, description="Folders to judge by; null takes a share of train.")
    shares: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="Shares of train, validation and test, where they are divided here."
    )
    bands: tuple[str, ...] | None = Field(
        None, description="Names of the bands of every image, in order; null takes as many as the first has."
    )
    source: str | None = Field(
        None, description="Pattern with one group: the image that a file was made from, in its path below its folder."
    )
    place: str | None = Field(
        None, description="The same for the place; null takes coordinates, and without them each source is one."
    )
    near: float = Field(2000.0, ge=0, description="Metres between middles up to which patches are of one place.")
    empty_without_mask: bool = Field(False, description="Whether an image without a mask shows no landslide.")
    simulate: SimulateConfig = Field(
        default_factory=SimulateConfig, description="What to simulate where the one folder of a part is not there."
    )

    @property
    def names(self) -> tuple[str, ...] | None:
        """Names of the bands of every image, where they are known."""
        return self.simulate.names if self.bands is None and self.simulate.wanted else self.bands

    @model_validator(mode="after")
    def _apart(self) -> DataConfig:
        given = [set(getattr(self, part) or ()) for part in PARTS]
        shared = (given[0] & given[1]) | (given[0] & given[2]) | (given[1] & given[2])
        if shared:
            raise ValueError(f"{', '.join(sorted(shared))} is given for several parts; keep them apart")
        several = [part for part in PARTS if len(getattr(self, part) or ()) != 1]
        if self.simulate.wanted and several:
            raise ValueError(f"simulate.wanted is true, and {several[0]} is not one folder; name one for each part")
        if (self.validation is None) != (self.test is None):
            raise ValueError("expected folders for both of validation and test, or for neither")
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-9:
            raise ValueError(f"shares are {list(self.shares)}; expected three numbers above 0 that add up to 1")
        return self


class AugmentConfig(Section):
    """How patches are changed while they are learnt from; brightness and noise in standard deviations."""

    turn: bool = Field(True, description="Turn by quarters, and mirror.")
    share: float = Field(0.5, ge=0, le=1, description="Of patches that each of the changes below is made to.")
    brightness: float = Field(0.3, ge=0, le=3, description="Added to all bands, up or down by at most so much.")
    contrast: float = Field(0.2, ge=0, lt=1, description="All bands stretched or shrunk by at most such a share.")
    blur: float = Field(1.0, ge=0, le=10, description="Largest sigma of the blur, pixels.")
    noise: float = Field(0.15, ge=0, le=3, description="Largest sigma of the noise.")


class UnetRecipe(TrainingRecipe):
    """Everything a training needs; with the same patches it gives the same weights on the same machine."""

    BESIDE: ClassVar = frozenset({"threads", "validate_every", "validation_patches"})

    seed: int = Field(0, ge=0, description="Of the first weights, the order of patches and their changes, the split.")
    width: float = Field(0.25, gt=0, le=2, description="Factor on the channels of every layer; 1 is the publication's.")
    depth: int = Field(4, ge=1, le=DEEPEST, description="How often maps are halved; 4 is the publication's.")
    data: DataConfig = Field(description="Where the patches are, from this file's folder.")
    augment: AugmentConfig = Field(default_factory=AugmentConfig, description="How patches are changed.")
    side: int = Field(256, ge=16, description="Pixels along each side of what a step sees; a multiple of 2^depth.")
    patch_steps: int = Field(20_000, ge=1, description="Patches to learn from in all, repeats included.")
    batch: int = Field(8, ge=1, description="Patches of one step.")
    rate: float = Field(1e-3, gt=0, description="Learning rate of Adam after the warm-up.")
    decay: Literal["cosine", "step", "constant"] = Field(
        "cosine", description="How it falls to a fiftieth: cosine, step (at 2/3 and 9/10), or constant."
    )
    warmup: float = Field(0.03, ge=0, lt=1, description="Share of the steps in which the rate rises from 0.")
    weight_decay: float = Field(1e-4, ge=0, description="Pull of the weights of convolutions towards 0.")
    dice: float = Field(0.5, ge=0, le=1, description="Share of the Dice loss; the rest is cross-entropy.")
    average: float = Field(0.995, ge=0, lt=1, description="Memory of the running average of weights that is kept.")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="float32 or bfloat16 (mixed).")
    threads: int | None = Field(None, ge=1, description="Threads on a CPU; null takes its cores.")
    validate_every: int = Field(2_000, ge=1, description="Patch steps between looks at the validation patches.")
    validation_patches: int = Field(50, ge=1, description="Patches of each such look; the last one takes all.")

    @model_validator(mode="after")
    def _halved(self) -> UnetRecipe:
        if self.side % 2**self.depth:
            raise ValueError(f"side is {self.side} and depth {self.depth}; expected a multiple of {2**self.depth}")
        return self

    @property
    def steps(self) -> int:
        """Steps of one batch each."""
        return -(-self.patch_steps // self.batch)


def load(path: str | os.PathLike[str]) -> UnetRecipe:
    """Read a recipe; relative folders are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    text, base = opened(path, what="recipe", command="slidecloud optical train --print-recipe > recipe.yaml")
    recipe = parse(text, name=str(path))
    given = {part: getattr(recipe.data, part) for part in PARTS}
    folders = {
        part: None if names is None else tuple(beside(base, name) for name in names) for part, names in given.items()
    }
    return recipe.model_copy(update={"data": recipe.data.model_copy(update=folders)})


def parse(text: str, *, name: str = "recipe") -> UnetRecipe:
    """A recipe from YAML text; ``name`` stands in messages."""
    return parsed(text, UnetRecipe, name=name, example="'seed: 0'.")


def template() -> str:
    """A commented recipe with every key at its default, for simulated images."""
    lines = ["# A training of outlines in images. Relative folders are taken from this file's folder.", ""]
    folders = {part: [f"./patches/{part}"] for part in PARTS}
    return "\n".join([*lines, *template_lines(UnetRecipe, {"data": folders | {"simulate": {"wanted": True}}})]) + "\n"
