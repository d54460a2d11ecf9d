"""Training from a recipe, in pieces of any length: the same weights whether interrupted or not."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from slidecloud import __version__
from slidecloud.models import pieces
from slidecloud.models.anchors import anchors
from slidecloud.models.architecture import PER_HEAD, STRIDES, Architecture
from slidecloud.models.batches import Batch, batch
from slidecloud.models.evaluation import Scores
from slidecloud.models.learning import Learner
from slidecloud.models.memory import keep_freed
from slidecloud.models.place import place
from slidecloud.models.predict import Detector, with_threads
from slidecloud.models.prepared import prepare
from slidecloud.models.recipes import Recipe
from slidecloud.models.tile_sets import Selection, TileSet, open_tiles
from slidecloud.models.training_folder import TrainingFolder
from slidecloud.models.validation import best_threshold, calibrate, validate
from slidecloud.models.weights import Card, load, save

if TYPE_CHECKING:
    from slidecloud.config_resources import Device


class Watch(Protocol):
    """Is told of progress: tile steps done and wanted, and the newest row of the record."""

    def __call__(self, done: int, wanted: int, row: dict[str, Any]) -> None:
        """Say it."""


class Outcome(NamedTuple):
    """What a piece of training came to.

    Attributes
    ----------
    finished
        Whether all steps are done; else the same call goes on.
    tile_steps
        Done so far.
    weights
        The file, when finished.
    scores
        Of the validation tiles, when finished. Threshold and calibration were chosen on the same tiles, so precision
        and calibration error flatter: judge on others.
    """

    finished: bool
    tile_steps: int
    weights: Path | None
    scores: Scores | None


def train(
    recipe: Recipe,
    folder: str | os.PathLike[str],
    *,
    minutes: float | None = None,
    device: Device = "cpu",
    watch: Watch | None = None,
) -> Outcome:
    """Train, or go on where an earlier call stopped.

    The folder gets ``recipe.yaml``, ``checkpoint.pt``, ``record.jsonl``, and in the end ``weights.safetensors`` and
    ``figures.json``. On one machine, in single precision and with as many threads, interruptions do not change a bit.

    Parameters
    ----------
    recipe
        What to do.
    folder
        Of this training alone.
    minutes
        Stop after so long, with a checkpoint; None goes on to the end.
    device
        cpu or gpu.
    watch
        Is told of progress.

    Raises
    ------
    DataError
        If the folder holds a training of another recipe, or tiles or checkpoint cannot be used.
    FileNotFoundError
        If a tile set is missing.
    """
    where = place(device)
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    learning, checking = _open(recipe.tiles.train), _open(recipe.tiles.validation)
    files = TrainingFolder(folder, recipe)
    keep_freed()
    with with_threads(recipe.threads):
        learner = Learner(recipe, architecture(recipe, learning), where)
        files.resume(learner)
        _learn(learner, recipe, learning, checking, files=files, end=end, watch=watch)
        done = learner.step * recipe.batch
        if learner.step < recipe.steps:
            return Outcome(False, done, None, None)
        return Outcome(True, done, files.weights, _finish(learner, recipe, checking, files))


def architecture(recipe: Recipe, tiles: Sequence[TileSet]) -> Architecture:
    """The network of a recipe, with anchors that suit the slides of these tiles."""
    strides = STRIDES[recipe.network]
    visible = np.concatenate([part.boxes[part.visible] for part in tiles])
    sizes = anchors(visible, count=PER_HEAD * len(strides), seed=recipe.seed).round(2).tolist()
    heads = [sizes[first : first + PER_HEAD] for first in range(0, len(sizes), PER_HEAD)]
    return Architecture(
        network=recipe.network,
        width=recipe.width,
        channels=recipe.inputs.inputs().channels,
        attention=recipe.has_attention,
        dropblock=recipe.has_dropblock,
        anchors=tuple(tuple((height, width) for height, width in head) for head in heads),
    )


def _learn(
    learner: Learner,
    recipe: Recipe,
    learning: Sequence[TileSet],
    checking: Sequence[TileSet],
    *,
    files: TrainingFolder,
    end: float,
    watch: Watch | None,
) -> None:
    """Steps until all are done or time is up."""

    def look() -> dict[str, float]:
        judged = validate(_detector(learner, recipe), Selection(checking, recipe.validation_tiles)).whole
        return {"ap50": judged.ap50, "ap30": judged.ap30}

    def after() -> None:
        row = pieces.newest_row(learner, steps=recipe.steps, batch=recipe.batch, every=recipe.validate_every, look=look)
        if row is not None and watch is not None:
            watch(learner.step * recipe.batch, recipe.steps * recipe.batch, row)

    pieces.learn(learner, _batches(learner.step, recipe, learning), after=after, files=files, end=end)


def _batches(step: int, recipe: Recipe, tiles: Sequence[TileSet]) -> Iterator[Batch]:
    """The batches from a step on."""
    prepared = [prepare(part, recipe.inputs.inputs()) for part in tiles]

    def make(number: int) -> Batch:
        return batch(prepared, size=recipe.batch, seed=recipe.seed, step=number, mosaic=recipe.mosaic)

    return pieces.ahead(make, step, recipe.steps)


def _finish(learner: Learner, recipe: Recipe, checking: Sequence[TileSet], files: TrainingFolder) -> Scores:
    """Calibrate and judge on all validation tiles, write weights and figures."""
    tiles = Selection(checking)
    first = validate(_detector(learner, recipe), tiles)
    names = {part: _names(folders) for part, folders in recipe.tiles if part in ("train", "validation")}
    card = replace(
        _card(learner, recipe),
        threshold=best_threshold(first.outcomes50),
        calibration=calibrate(first.outcomes30),
        record={
            "version": __version__,
            "recipe": recipe.science() | {"tiles": recipe.tiles.model_dump(mode="json") | names},
            "loss": learner.record[-1]["total"],
        },
    )
    save(files.weights, learner.average, card)
    # Judged as they will be used, in half precision.
    judged = validate(Detector(*load(files.weights)), tiles, threshold=card.threshold)
    figures = judged.as_json()
    save(files.weights, learner.average, replace(card, record=card.record | {"validation": figures}))
    files.report(figures)
    return judged


def _card(learner: Learner, recipe: Recipe) -> Card:
    return Card(learner.average.architecture, recipe.inputs.inputs())


def _detector(learner: Learner, recipe: Recipe) -> Detector:
    return Detector(learner.average, _card(learner, recipe))


def _open(folders: Sequence[str]) -> list[TileSet]:
    return [open_tiles(folder) for folder in folders]


def _names(folders: Sequence[str]) -> list[str]:
    """Folders without the machine they lay on."""
    return [Path(folder).name for folder in folders]
