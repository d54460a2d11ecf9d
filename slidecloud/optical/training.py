"""A training of outlines from a recipe to judged weights."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from slidecloud import __version__
from slidecloud.kernels import calibration
from slidecloud.models.training_folder import TrainingFolder, read_record
from slidecloud.models.unet_recipe import PARTS, UnetRecipe
from slidecloud.optical.assessment import Assessment, assess, tallied
from slidecloud.optical.ndvi_change import NdviChange
from slidecloud.optical.preparing import Normalised, Prepared
from slidecloud.optical.sets import PatchSet
from slidecloud.optical.splits import Split
from slidecloud.types import DataError, Float32

if TYPE_CHECKING:
    from slidecloud.config_resources import Device
    from slidecloud.models.unet import Unet
    from slidecloud.models.unet_predict import Segmenter
    from slidecloud.models.unet_training import Watch
    from slidecloud.models.unet_weights import UnetCard


class Outcome(NamedTuple):
    """What a piece of training came to.

    Attributes
    ----------
    patch_steps
        Done so far.
    weights
        The file; None where steps are left, as with all below.
    validation, test
        What they score. Threshold and calibration were chosen on the validation patches, which flatters there.
    baseline
        What the change of NDVI scores on the test patches, with a threshold chosen on the validation patches; None
        where bands have no names, or not those of two dates.
    """

    patch_steps: int
    weights: Path | None = None
    validation: Assessment | None = None
    test: Assessment | None = None
    baseline: Assessment | None = None

    @property
    def judged(self) -> dict[str, Assessment]:
        """What there is of the last three, by names for people."""
        named = {
            "validation patches": self.validation,
            "test patches": self.test,
            "test patches by the change of NDVI": self.baseline,
        }
        return {name: one for name, one in named.items() if one is not None}


def train(
    recipe: UnetRecipe,
    folder: str | os.PathLike[str],
    prepared: Prepared,
    *,
    minutes: float | None = None,
    device: Device = "cpu",
    watch: Watch | None = None,
) -> Outcome:
    """Train, or go on where an earlier call stopped; in the end choose a threshold, calibrate and judge.

    The folder gets ``recipe.yaml``, ``checkpoint.pt``, ``record.jsonl``, and in the end ``weights.safetensors`` and
    ``figures.json``.

    Parameters
    ----------
    recipe
        What to do.
    folder
        Of this training alone.
    prepared
        Its patches.
    minutes, device, watch
        As in `models.unet_training.train`.
    """
    from slidecloud.models import unet_training

    validation = prepared.parts.validation
    spread = np.linspace(0, len(validation) - 1, recipe.validation_patches).astype(int)
    few = validation.chosen(np.unique(spread).tolist())

    def look(network: Segmenter) -> dict[str, float]:
        counts = tallied(lambda image: network.scores(image, device=device), few).counts(0.5)
        return {"iou": counts.iou, "f1": counts.f1}

    trained = unet_training.train(
        recipe,
        folder,
        examples=Normalised(prepared.parts.train, prepared.normalisation),
        normalisation=prepared.normalisation,
        look=look,
        data=prepared.digest,
        minutes=minutes,
        device=device,
        watch=watch,
    )
    if trained.network is None or trained.card is None:
        return Outcome(trained.patch_steps)
    return _finish(recipe, TrainingFolder(folder, recipe), prepared, trained.network, trained.card, device=device)


def _finish(
    recipe: UnetRecipe, files: TrainingFolder, prepared: Prepared, network: Unet, card: UnetCard, *, device: Device
) -> Outcome:
    """Choose a threshold and calibrate on the validation patches, judge on both others, write weights and figures."""
    from slidecloud.models.unet_predict import Segmenter, load
    from slidecloud.models.unet_weights import save

    parts, path, record = prepared.parts, files.weights, read_record(files.path)
    first = Segmenter(network, card)
    tally = tallied(lambda image: first.scores(image, device=device), parts.validation)
    judged = tally.outcomes()
    about = {"version": __version__, "recipe": _without_folders(recipe), "loss": record[-1]["total"]}
    card = replace(
        card,
        threshold=tally.best_threshold(),
        calibration=calibration.fit(judged.scores, judged.right) if judged.scores.size else None,
        record=about,
    )
    save(path, network, card)
    # Judged as they will be used, in half precision.
    kept = load(path)

    def scores(image: Float32) -> Float32:
        return kept.scores(image, device=device)

    def judge(part: PatchSet) -> Assessment:
        return assess(scores, part, threshold=card.threshold, calibration=card.calibration)

    validation, test = judge(parts.validation), judge(parts.test)
    baseline = _baseline(recipe.data.names, parts)
    figures = {"validation": validation.as_json(), "test": test.as_json()}
    if baseline is not None:
        figures["ndvi_change"] = baseline.as_json()
    save(path, network, replace(card, record=about | figures))
    files.report(figures)
    return Outcome(recipe.steps * recipe.batch, path, validation, test, baseline)


def _baseline(bands: tuple[str, ...] | None, parts: Split) -> Assessment | None:
    try:
        change = NdviChange.of(bands or ())
    except DataError:
        return None
    threshold = tallied(change, parts.validation).best_threshold()
    return assess(change, parts.test, threshold=threshold)


def _without_folders(recipe: UnetRecipe) -> dict[str, Any]:
    """What was done, without the machine that it was done on."""
    told = recipe.science()
    for part in PARTS:
        if told["data"][part] is not None:
            told["data"][part] = [Path(folder).name for folder in told["data"][part]]
    return told
