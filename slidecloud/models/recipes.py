"""The one YAML that describes a training: strict, commented, enough to repeat it."""

from __future__ import annotations

import os
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from slidecloud.config_yaml import Section, beside, dumped, opened, parsed, template_lines
from slidecloud.models.architecture import Network
from slidecloud.models.features import Axes, Inputs, Scaling
from slidecloud.models.scenery.pair_weights import Estimator
from slidecloud.models.training_folder import TrainingRecipe


class MakeConfig(Section):
    """Tiles to simulate into folders that are not there yet."""

    train: int = Field(3200, ge=1, description="Tiles to learn from.")
    validation: int = Field(200, ge=1, description="Tiles to watch and calibrate with.")
    estimator: Estimator = Field("coherent", description="coherent, or sum (the publication's running sum).")
    dem: str | None = Field(None, description="Elevation model to cut the mountains from; null simulates them.")


class TilesConfig(Section):
    """Where the tiles are."""

    make: MakeConfig = Field(default_factory=MakeConfig, description="What to simulate where a folder is not there.")

    train: tuple[str, ...] = Field(min_length=1, description="Folders of tiles to learn from.")
    validation: tuple[str, ...] = Field(
        min_length=1, description="Folders of tiles to watch progress on and to calibrate with; never learnt from."
    )


class InputsConfig(Section):
    """What the network sees."""

    scaling: Scaling = Field(
        "both",
        description="both (sigma and physical units, sigma, coherence), sigma, physical, or phase (the publication's).",
    )
    axes: Axes = Field("both", description="both, range or azimuth.")
    motion: bool = Field(True, description="Also motion put together from both gradients.")

    def inputs(self) -> Inputs:
        """As the features know it."""
        return Inputs(self.scaling, self.axes, self.motion)


class Recipe(TrainingRecipe):
    """Everything a training needs; with the same tiles it gives the same weights on the same machine."""

    BESIDE: ClassVar = frozenset({"threads", "validate_every", "validation_tiles"})

    seed: int = Field(0, ge=0, description="Of the first weights, the order of tiles, and what DropBlock drops.")
    network: Network = Field("a-yolov3-t", description="yolov3, a-yolov3-r or a-yolov3-t (tiny).")
    width: float = Field(0.25, gt=0, le=2, description="Factor on the channels of every layer; 1 is the publication's.")
    attention: bool | None = Field(None, description="Attention (CBAM); null has it where the network has it.")
    dropblock: bool | None = Field(None, description="DropBlock; null has it where the network has it.")
    inputs: InputsConfig = Field(default_factory=InputsConfig, description="What the network sees.")
    tiles: TilesConfig = Field(description="Where the tiles are, from this file's folder.")
    tile_steps: int = Field(30_000, ge=1, description="Tiles to learn from in all, repeats included.")
    batch: int = Field(8, ge=1, description="Tiles of one step.")
    mosaic: float = Field(0.5, ge=0, le=1, description="Share of tiles put together from parts of four.")
    adam_share: float = Field(1 / 3, ge=0, le=1, description="Share of the steps with Adam; the rest with SGD.")
    adam_rate: float = Field(2e-3, gt=0, description="Learning rate of Adam.")
    sgd_rate: float = Field(1e-2, gt=0, description="Learning rate that SGD begins with.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of SGD.")
    decay: Literal["cosine", "step", "constant"] = Field(
        "cosine", description="How SGD's rate falls to a fiftieth: cosine, step (at 2/3 and 9/10), or constant."
    )
    weight_decay: float = Field(5e-4, ge=0, description="Pull of the weights of convolutions towards 0.")
    warmup: float = Field(0.03, ge=0, lt=1, description="Share of the steps in which the first rate rises from 0.")
    smoothing: float = Field(0.01, ge=0, lt=1, description="Label smoothing: what is asked for is so far from 1.")
    drop: float = Field(0.1, ge=0, lt=1, description="Share of cells that DropBlock drops at the end.")
    average: float = Field(0.998, ge=0, lt=1, description="Memory of the running average of weights that is kept.")
    precision: Literal["float32", "bfloat16"] = Field("float32", description="float32 or bfloat16 (mixed).")
    threads: int | None = Field(None, ge=1, description="Threads on a CPU; null takes its cores.")
    validate_every: int = Field(4_000, ge=1, description="Tile steps between looks at the validation tiles.")
    validation_tiles: int = Field(100, ge=1, description="Tiles of each such look; the last one takes all.")

    @field_validator("tiles")
    @classmethod
    def _apart(cls, tiles: TilesConfig) -> TilesConfig:
        shared = set(tiles.train) & set(tiles.validation)
        if shared:
            raise ValueError(f"{', '.join(sorted(shared))} is given for training and for validation; keep them apart")
        return tiles

    @property
    def steps(self) -> int:
        """Steps of one batch each."""
        return -(-self.tile_steps // self.batch)

    @property
    def has_attention(self) -> bool:
        """Whether the network gets attention."""
        return self.network != "yolov3" if self.attention is None else self.attention

    @property
    def has_dropblock(self) -> bool:
        """Whether the network gets DropBlock, which the publication has in its larger network alone."""
        return self.network == "a-yolov3-r" if self.dropblock is None else self.dropblock


def load(path: str | os.PathLike[str]) -> Recipe:
    """Read a recipe; relative folders are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    text, base = opened(path, what="recipe", command="slidecloud train --print-recipe > recipe.yaml")
    recipe = parse(text, name=str(path))
    folders = {
        part: tuple(beside(base, folder) for folder in getattr(recipe.tiles, part)) for part in ("train", "validation")
    }
    return recipe.model_copy(update={"tiles": recipe.tiles.model_copy(update=folders)})


def parse(text: str, *, name: str = "recipe") -> Recipe:
    """A recipe from YAML text; ``name`` stands in messages."""
    return parsed(text, Recipe, name=name, example="'seed: 0'.")


def dump(recipe: Recipe) -> str:
    """A recipe as YAML without comments."""
    return dumped(recipe)


def template() -> str:
    """A commented recipe with every key at its default."""
    lines = ["# A training of the detector. Relative folders are taken from this file's folder.", ""]
    examples = {"tiles": {"train": ["./tiles/train"], "validation": ["./tiles/validation"]}}
    return "\n".join([*lines, *template_lines(Recipe, examples)]) + "\n"
