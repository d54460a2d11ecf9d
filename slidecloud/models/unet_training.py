"""Training of a U-Net from a recipe, in pieces of any length: the same weights whether interrupted or not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from slidecloud.kernels.normalisation import Normalisation
from slidecloud.models import pieces
from slidecloud.models.memory import keep_freed
from slidecloud.models.place import place
from slidecloud.models.predict import with_threads
from slidecloud.models.training_folder import TrainingFolder
from slidecloud.models.unet import Unet
from slidecloud.models.unet_batches import Examples, UnetBatch, unet_batch
from slidecloud.models.unet_learning import UnetLearner
from slidecloud.models.unet_predict import Segmenter
from slidecloud.models.unet_recipe import UnetRecipe
from slidecloud.models.unet_weights import UnetCard

if TYPE_CHECKING:
    from slidecloud.config_resources import Device

_READERS: Final = 4

Look = Callable[[Segmenter], dict[str, float]]
"""Judges a network while it learns: figures by name."""


class Watch(Protocol):
    """Is told of progress: patch steps done and wanted, and the newest row of the record."""

    def __call__(self, done: int, wanted: int, row: dict[str, Any]) -> None:
        """Say it."""


class Trained(NamedTuple):
    """What a piece of training came to.

    Attributes
    ----------
    patch_steps
        Done so far.
    network, card
        The running average of the network with its card, neither judged nor calibrated; None where steps are left.
    """

    patch_steps: int
    network: Unet | None = None
    card: UnetCard | None = None


def train(
    recipe: UnetRecipe,
    folder: str | os.PathLike[str],
    *,
    examples: Examples,
    normalisation: Normalisation,
    look: Look,
    data: str | None = None,
    minutes: float | None = None,
    device: Device = "cpu",
    watch: Watch | None = None,
) -> Trained:
    """Train, or go on where an earlier call stopped.

    The folder gets ``recipe.yaml``, ``checkpoint.pt`` and ``record.jsonl``. On one machine, in single precision and
    with as many threads, interruptions do not change a bit.

    Parameters
    ----------
    recipe
        What to do.
    folder
        Of this training alone.
    examples
        Normalised patches to learn from.
    normalisation
        What they were normalised with.
    look
        Judges the network at times.
    data
        Digest of all patches; a training goes on with the same ones alone.
    minutes
        Stop after so long, with a checkpoint; None goes on to the end.
    device
        cpu or gpu.
    watch
        Is told of progress.

    Raises
    ------
    DataError
        If the folder holds a training of another recipe or of other data, or patches or checkpoint cannot be used.
    """
    where = place(device)
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    files = TrainingFolder(folder, recipe, data=data)
    keep_freed()
    with with_threads(recipe.threads):
        learner = UnetLearner(recipe, len(normalisation.mean), where)
        files.resume(learner)
        card = UnetCard(learner.network.shape, normalisation, recipe.data.names)

        def make(step: int) -> UnetBatch:
            return unet_batch(
                examples,
                size=recipe.batch,
                side=recipe.side,
                seed=recipe.seed,
                step=step,
                augment=recipe.augment,
                threads=_READERS,
            )

        def after() -> None:
            row = pieces.newest_row(
                learner,
                steps=recipe.steps,
                batch=recipe.batch,
                every=recipe.validate_every,
                look=lambda: look(Segmenter(learner.average, card)),
                sample="patch",
            )
            if row is not None and watch is not None:
                watch(learner.step * recipe.batch, recipe.steps * recipe.batch, row)

        batches = pieces.ahead(make, learner.step, recipe.steps)
        pieces.learn(learner, batches, after=after, files=files, end=end)
        done = learner.step * recipe.batch
    return Trained(done, learner.average, card) if learner.step == recipe.steps else Trained(done)
