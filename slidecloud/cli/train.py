"""``slidecloud train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators

from slidecloud.cli.bars import bar, training_bar
from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from slidecloud.config_resources import Device
    from slidecloud.models.evaluation import Scores
    from slidecloud.models.recipes import Recipe
    from slidecloud.models.training import Outcome

_GALLERY = 6
"""Validation tiles in the picture of what was found."""


def train(
    recipe: Path | None = None,
    /,
    *,
    out: Path | None = None,
    minutes: Annotated[float | None, Parameter(validator=validators.Number(gt=0))] = None,
    device: Literal["cpu", "gpu"] = "cpu",
    print_recipe: bool = False,
) -> int:
    """Train the neural detector on tiles of known slides.

    A training is described by one YAML. It can be done in pieces: give the same command again and it goes on where it
    stopped, with the same result as if it had not. The folder gets the record, its curves, and in the end the weights
    with their calibration and what they score on the validation tiles.

    For example:

        slidecloud train --print-recipe > recipe.yaml
        slidecloud train recipe.yaml --out trained --minutes 10
        slidecloud detect region.yaml --weights trained/weights.safetensors

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
    if print_recipe:
        from slidecloud.models.recipes import template

        show(template().splitlines())
        return 0
    if recipe is None or out is None:
        raise UsageError("'slidecloud train' needs a RECIPE.yaml and --out FOLDER; write one with --print-recipe.")
    from slidecloud.models import recipes
    from slidecloud.models.predict import need_torch

    wanted = recipes.load(recipe)
    need_torch()
    _make_tiles(wanted)
    _make_features(wanted)
    outcome = _train(wanted, out, minutes, device)
    _tell(outcome, wanted.tile_steps)
    try:
        _draw(outcome, wanted, out)
    except ImportError as error:  # a training is no worse without pictures
        say(f"{error} The record is in {out / 'record.jsonl'}.", style="yellow")
    return 0


def _make_tiles(recipe: Recipe) -> None:
    """Simulate the tiles of folders that are not there."""
    from slidecloud.models.scenery.supply import missing
    from slidecloud.models.scenery.tile_maker import build
    from slidecloud.pipeline.executors import cores

    for folder, plans in missing(recipe.tiles):
        say(f"Simulating {len(plans)} tiles into {folder}...")
        with bar("tiles", len(plans)) as tell:
            build(folder, plans, workers=cores(), tell=tell)


def _make_features(recipe: Recipe) -> None:
    """Prepare what the network will see of the tiles it learns from."""
    from slidecloud.models.prepared import prepare
    from slidecloud.models.tile_sets import open_tiles

    for folder in recipe.tiles.train:
        tiles = open_tiles(folder)
        with bar("features", len(tiles)) as tell:
            prepare(tiles, recipe.inputs.inputs(), tell=tell)


def _train(recipe: Recipe, out: Path, minutes: float | None, device: Device) -> Outcome:
    from slidecloud.models.training import train as run

    with training_bar() as tell:

        def watch(done: int, wanted: int, row: dict[str, Any]) -> None:
            tell(done, wanted, f"loss {row['total']:.3g}")
            if "ap50" in row:
                judged = f"AP50 {row['ap50']:.3f}, AP30 {row['ap30']:.3f}"
                say(f"{done} of {wanted} tile steps: loss {row['total']:.3g}, {judged}")

        return run(recipe, out, minutes=minutes, device=device, watch=watch)


def _tell(outcome: Outcome, wanted: int) -> None:
    """Say how far it came, or how good it is."""
    if outcome.scores is None:
        say(f"Stopped after {outcome.tile_steps} of {wanted} tile steps; the same command goes on from there.")
        return
    show(outcome.scores.lines())
    say(f"Weights: {outcome.weights}")


def _draw(outcome: Outcome, recipe: Recipe, out: Path) -> None:
    """Curves beside the record; once finished also what is found on validation tiles, and how far to trust it."""
    from slidecloud.models.training_folder import read_record
    from slidecloud.plots.figures import save
    from slidecloud.plots.training import training_figure

    record = read_record(out)
    if record:
        say(f"Curves: {save(training_figure(record, title=out.name), out / 'curves.png')}")
    if outcome.weights is not None and outcome.scores is not None:
        for name, figure in _judged(outcome.weights, outcome.scores, recipe).items():
            say(f"Picture: {save(figure, out / f'{name}.png')}")


def _judged(weights: Path, scores: Scores, recipe: Recipe) -> dict[str, Figure]:
    """Pictures of the finished detector, by name."""
    from slidecloud.models.predict import load
    from slidecloud.models.tile_sets import Selection, open_tiles
    from slidecloud.plots import detection

    detector = load(weights)
    some = Selection([open_tiles(folder) for folder in recipe.tiles.validation], 10 * _GALLERY)
    tiles = sorted(some, key=lambda tile: not tile.visible.any())[:_GALLERY]
    promised = detector.card.calibration
    pictures = {
        "precision": detection.precision_recall({"IoU 0.5": scores.outcomes50, "IoU 0.3": scores.outcomes30}),
        "gallery": detection.gallery(
            tiles, [detector.detect(tile.view) for tile in tiles], threshold=detector.card.threshold
        ),
    }
    if promised is not None:
        found = scores.outcomes30
        kept = detection.Probabilities(promised.apply(found.scores), found.right)
        pictures["reliability"] = detection.reliability_diagram({"validation": kept})
    return pictures
