"""``slidecloud optical train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators

from slidecloud.cli.bars import bar, training_bar
from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError

if TYPE_CHECKING:
    from slidecloud.config_resources import Device
    from slidecloud.models.unet_recipe import UnetRecipe
    from slidecloud.optical.preparing import Prepared
    from slidecloud.optical.training import Outcome


def train(
    recipe: Path | None = None,
    /,
    *,
    out: Path | None = None,
    minutes: Annotated[float | None, Parameter(validator=validators.Number(gt=0))] = None,
    device: Literal["cpu", "gpu"] = "cpu",
    print_recipe: bool = False,
) -> int:
    """Train a U-Net to outline landslides, on images with masks of known ones.

    Images and masks lie in folders as public sets have them: image (or images, img, imgs) beside mask (masks, label,
    labels), at any depth. They are PNG or TIFF of any number of bands and of the same name, or HDF5 as those of
    Landslide4Sense. Masks hold 0, and 1 or 255 for landslide. The recipe names folders for training, validation and
    test, or one set that is divided. Parts that share an image or a place are refused, and so are copies that were
    mirrored, turned or made brighter before they were divided.

    A training can be done in pieces: give the same command again and it goes on where it stopped, with the same result
    as if it had not. The folder gets the record, its curves, and in the end the weights with their calibration, and
    what they score.

    For example, on simulated images, which the recipe asks for as it is printed:

        slidecloud optical train --print-recipe > recipe.yaml
        slidecloud optical train recipe.yaml --out trained --minutes 10

    Exit codes: 0 done, or stopped after the minutes; 1 error; 2 wrong usage; 130 interrupted.

    Parameters
    ----------
    recipe
        The YAML that describes the training.
    out
        Folder of this training alone; is made.
    minutes
        Stop after so long; by default at the end.
    device
        cpu or gpu.
    print_recipe
        Print a commented recipe with every default, and stop.
    """
    from slidecloud.models import unet_recipe

    if print_recipe:
        show(unet_recipe.template().splitlines())
        return 0
    if recipe is None or out is None:
        raise UsageError(
            "'slidecloud optical train' needs RECIPE.yaml and --out FOLDER; write one with --print-recipe."
        )
    from slidecloud.models.predict import need_torch
    from slidecloud.optical.preparing import prepare

    wanted = unet_recipe.load(recipe)
    need_torch()
    _simulate(wanted)
    with bar("reading patches") as tell:
        prepared = prepare(wanted.data, seed=wanted.seed, tell=tell)
    counts = zip(prepared.parts._fields, map(len, prepared.parts), strict=True)
    say("Patches: " + ", ".join(f"{count} to {name}" for name, count in counts) + ".")
    outcome = _train(wanted, out, prepared, minutes, device)
    _tell(outcome, wanted.steps * wanted.batch)
    try:
        _draw(outcome, prepared, out)
    except ImportError as error:  # a training is no worse without pictures
        say(f"{error} The record is in {out / 'record.jsonl'}.", style="yellow")
    return 0


def _simulate(recipe: UnetRecipe) -> None:
    """Simulate the images of folders that are not there, where the recipe asks for it."""
    from slidecloud.optical.simulated import make, missing
    from slidecloud.pipeline.executors import cores

    for folder, plans in missing(recipe.data):
        say(f"Simulating {len(plans)} scenes into {folder}...")
        with bar("scenes", len(plans)) as tell:
            make(folder, plans, how=recipe.data.simulate, workers=cores(), tell=tell)


def _train(recipe: UnetRecipe, out: Path, prepared: Prepared, minutes: float | None, device: Device) -> Outcome:
    from slidecloud.optical.training import train as run

    with training_bar() as tell:

        def watch(done: int, wanted: int, row: dict[str, Any]) -> None:
            tell(done, wanted, f"loss {row['total']:.3g}")
            if "iou" in row:
                judged = f"IoU {row['iou']:.3f}, F1 {row['f1']:.3f}"
                say(f"{done} of {wanted} patch steps: loss {row['total']:.3g}, {judged}")

        return run(recipe, out, prepared, minutes=minutes, device=device, watch=watch)


def _tell(outcome: Outcome, wanted: int) -> None:
    """Say how far it came, or how good it is."""
    if outcome.weights is None:
        say(f"Stopped after {outcome.patch_steps} of {wanted} patch steps; the same command goes on from there.")
        return
    for name, judged in outcome.judged.items():
        show([f"{name}:", *judged.lines(), ""])
    say(f"Weights: {outcome.weights}")


def _draw(outcome: Outcome, prepared: Prepared, out: Path) -> None:
    """Curves beside the record; once finished also how far to trust the network, and what it finds on test patches."""
    from slidecloud.models.training_folder import read_record
    from slidecloud.plots.figures import save
    from slidecloud.plots.training import training_figure

    record = read_record(out)
    if record:
        figure = training_figure(
            record, title=out.name, losses=("entropy", "dice"), scores=("iou", "f1"), measure="score",
            steps="patch steps",
        )  # fmt: skip
        say(f"Curves: {save(figure, out / 'curves.png')}")
    if outcome.weights is not None:
        from slidecloud.models.unet_predict import load
        from slidecloud.plots import optical

        network = load(outcome.weights)
        pictures = {
            "precision": optical.precision_recall(outcome.judged),
            "gallery": optical.gallery(prepared.parts.test.patches, network.scores, threshold=network.card.threshold),
        }
        if network.card.calibration is not None and outcome.test is not None:
            pictures["reliability"] = optical.reliability(outcome.test, network.card.calibration)
        for name, drawn in pictures.items():
            say(f"Picture: {save(drawn, out / f'{name}.png')}")
