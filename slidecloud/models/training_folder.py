"""The folder of a training: its recipe, checkpoint and record, and its results."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from slidecloud.config_yaml import Section, dumped, parsed
from slidecloud.types import DataError

_RECIPE: Final = "recipe.yaml"
_CHECKPOINT: Final = "checkpoint.pt"
_RECORD: Final = "record.jsonl"
_FIGURES: Final = "figures.json"
_WEIGHTS: Final = "weights.safetensors"
_DATA: Final = "data.sha256"


class TrainingRecipe(Section):
    """What the recipes of all trainings have in common."""

    BESIDE: ClassVar[frozenset[str]] = frozenset()
    """Settings that the weights do not depend on."""

    def science(self) -> dict[str, Any]:
        """What the weights depend on, as plain JSON values."""
        return self.model_dump(mode="json", exclude=set(self.BESIDE))


class Kept(Protocol):
    """What learns, and can be kept."""

    record: list[dict[str, Any]]

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on."""

    def restore(self, path: Path) -> None:
        """Take up what `save` wrote."""


class TrainingFolder:
    """Files of one training; each is written whole or not at all.

    Parameters
    ----------
    path
        Is made where there is none.
    recipe
        Of this training.
    data
        Digest of what is learnt from and judged by, where files may change behind the recipe.

    Raises
    ------
    DataError
        If the folder holds a training of another recipe, or one that was begun with other data.
    """

    def __init__(self, path: str | os.PathLike[str], recipe: TrainingRecipe, *, data: str | None = None) -> None:
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        stored = self.path / _RECIPE
        if stored.is_file():
            before = parsed(stored.read_text(), type(recipe), name=str(stored), example="'seed: 0'.").science()
            changed = sorted(name for name, value in recipe.science().items() if before[name] != value)
            if changed:
                raise DataError(
                    f"{str(self.path)!r} holds a training with another {', '.join(changed)}; "
                    "give another folder, or the recipe it was begun with."
                )
        known = self.path / _DATA
        if data is not None and known.is_file() and known.read_text() != data:
            raise DataError(
                f"{str(self.path)!r} holds a training that was begun with other data: files were added, removed or "
                "changed since. Give another folder, or the files it was begun with."
            )
        write_text(stored, dumped(recipe))
        if data is not None:
            write_text(known, data)

    @property
    def weights(self) -> Path:
        """Where the weights go."""
        return self.path / _WEIGHTS

    def resume(self, learner: Kept) -> None:
        """Take up the checkpoint, if there is one."""
        checkpoint = self.path / _CHECKPOINT
        if checkpoint.is_file():
            learner.restore(checkpoint)

    def keep(self, learner: Kept) -> None:
        """Write a checkpoint, and the record up to it, a row of JSON a line."""
        learner.save(self.path / _CHECKPOINT)
        write_text(self.path / _RECORD, "".join(f"{json.dumps(row)}\n" for row in learner.record))

    def report(self, figures: Mapping[str, Any]) -> None:
        """Write the figures of the finished network."""
        write_text(self.path / _FIGURES, json.dumps(figures, indent=1) + "\n")


def read_record(path: str | os.PathLike[str]) -> list[dict[str, Any]]:
    """The rows of a training's record; none where it has not come to a first."""
    record = Path(path) / _RECORD
    lines: Iterable[str] = record.read_text().splitlines() if record.is_file() else ()
    return [json.loads(line) for line in lines]


def write_text(target: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        partial.write_text(text)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
