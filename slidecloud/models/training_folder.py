"""The folder of a training: its recipe, checkpoint and record, and its results."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from slidecloud.models import recipes
from slidecloud.models.learning import Learner
from slidecloud.models.recipes import Recipe
from slidecloud.types import DataError

_RECIPE: Final = "recipe.yaml"
_CHECKPOINT: Final = "checkpoint.pt"
_RECORD: Final = "record.jsonl"
_FIGURES: Final = "figures.json"
_WEIGHTS: Final = "weights.safetensors"


class TrainingFolder:
    """Files of one training; each is written whole or not at all.

    Parameters
    ----------
    path
        Is made where there is none.
    recipe
        Of this training.

    Raises
    ------
    DataError
        If the folder holds a training of another recipe.
    """

    def __init__(self, path: str | os.PathLike[str], recipe: Recipe) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        stored = self.path / _RECIPE
        if stored.is_file():
            before = recipes.parse(stored.read_text(), name=str(stored)).science()
            changed = sorted(name for name, value in recipe.science().items() if before[name] != value)
            if changed:
                raise DataError(
                    f"{str(self.path)!r} holds a training with another {', '.join(changed)}; "
                    "give another folder, or the recipe it was begun with."
                )
        _write(stored, recipes.dump(recipe))

    @property
    def weights(self) -> Path:
        """Where the weights go."""
        return self.path / _WEIGHTS

    def resume(self, learner: Learner) -> None:
        """Take up the checkpoint, if there is one."""
        checkpoint = self.path / _CHECKPOINT
        if checkpoint.is_file():
            learner.restore(checkpoint)

    def keep(self, learner: Learner) -> None:
        """Write a checkpoint, and the record up to it, a row of JSON a line."""
        learner.save(self.path / _CHECKPOINT)
        _write(self.path / _RECORD, "".join(f"{json.dumps(row)}\n" for row in learner.record))

    def report(self, figures: Mapping[str, Any]) -> None:
        """Write the figures of the finished network."""
        _write(self.path / _FIGURES, json.dumps(figures, indent=1) + "\n")


def read_record(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The rows of a training's record; none where it has not come to a first."""
    record = Path(path) / _RECORD
    lines: Iterable[str] = record.read_text().splitlines() if record.is_file() else ()
    return [json.loads(line) for line in lines]


def _write(target: Path, text: str) -> None:
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        partial.write_text(text)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
