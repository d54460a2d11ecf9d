"""``slidecloud train``."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter, validators

from slidecloud.cli.console import console, say, show
from slidecloud.cli.errors import UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from slidecloud.config import Device
    from slidecloud.models.training import Outcome


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
    _tell(_train(wanted, out, minutes, device), out, wanted.tile_steps)
    return 0


def _make_tiles(recipe: Any) -> None:
    """Simulate the tiles of folders that are not there."""
    from rich.progress import Progress

    from slidecloud.models.scenery.supply import missing
    from slidecloud.models.scenery.tile_maker import build
    from slidecloud.pipeline.executors import cores

    for folder, plans in missing(recipe.tiles):
        say(f"Simulating {len(plans)} tiles into {folder}...")
        terminal = console()
        with Progress(console=terminal, disable=not terminal.is_terminal) as bar:
            task = bar.add_task("tiles", total=len(plans))
            build(folder, plans, workers=cores(), tell=partial(_advance, bar, task))


def _advance(bar: Progress, task: TaskID, count: int) -> None:
    bar.update(task, completed=count)


def _train(recipe: Any, out: Path, minutes: float | None, device: Device) -> Outcome:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from slidecloud.models.training import train as run

    state = TextColumn("{task.fields[state]}")
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), state)
    terminal = console()
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as bar:
        task = bar.add_task("training", total=None, state="")

        def watch(done: int, wanted: int, row: dict[str, Any]) -> None:
            bar.update(task, total=wanted, completed=done, state=f"loss {row['total']:.3g}")
            if "ap50" in row:
                judged = f"AP50 {row['ap50']:.3f}, AP30 {row['ap30']:.3f}"
                say(f"{done} of {wanted} tile steps: loss {row['total']:.3g}, {judged}")

        return run(recipe, out, minutes=minutes, device=device, watch=watch)


def _tell(outcome: Outcome, out: Path, wanted: int) -> None:
    from slidecloud.models.training_folder import read_record

    record = read_record(out)
    if record:
        _draw(record, out)
    if outcome.scores is None:
        say(f"Stopped after {outcome.tile_steps} of {wanted} tile steps; the same command goes on from there.")
        return
    show(outcome.scores.lines())
    say(f"Weights: {outcome.weights}")


def _draw(record: list[dict[str, Any]], out: Path) -> None:
    """Curves beside the record; a training is no worse without pictures."""
    from slidecloud.plots.figures import save
    from slidecloud.plots.training import training_figure

    try:
        say(f"Curves: {save(training_figure(record, title=out.name), out / 'curves.png')}")
    except ImportError as error:
        say(f"{error} The record is in {out / 'record.jsonl'}.", style="yellow")
