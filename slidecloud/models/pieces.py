"""Training in pieces of any length: steps until all are done or time is up, with a checkpoint every minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Literal, TypeVar

import numpy as np

from slidecloud.models.learning_state import Learning
from slidecloud.models.training_folder import TrainingFolder
from slidecloud.types import DataError

_ROWS: Final = 200
_SAVE_EVERY: Final = 60.0

Batch = TypeVar("Batch")


def ahead(make: Callable[[int], Batch], first: int, steps: int) -> Iterator[Batch]:
    """The batches of the steps from the first on, each made while the one before is learnt from."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make, first)
        for number in range(first, steps):
            ready = coming.result()
            coming = pool.submit(make, number + 1)
            yield ready


def learn(
    learner: Learning[Any, Batch],
    batches: Iterable[Batch],
    *,
    after: Callable[[], None],
    files: TrainingFolder,
    end: float,
) -> None:
    """A step for each batch until time is up; in the end, and every minute, a checkpoint.

    Parameters
    ----------
    learner
        Goes on from its own step.
    batches
        From that step on.
    after
        Is called after every step.
    files
        Where checkpoints go.
    end
        Of `time.monotonic`.
    """
    saved = time.monotonic()
    for made in batches:
        learner.learn(made)
        after()
        now = time.monotonic()
        if now >= end:
            break
        if now - saved > _SAVE_EVERY:
            files.keep(learner)
            saved = now
    files.keep(learner)


def newest_row(
    learner: Learning[Any, Any],
    *,
    steps: int,
    batch: int,
    every: int,
    look: Callable[[], dict[str, float]],
    sample: Literal["tile", "patch"] = "tile",
) -> dict[str, Any] | None:
    """The newest row of the record, where one is due: mean loss since the last, at times with a look at new data.

    Parameters
    ----------
    learner
        Its record gets the row.
    steps, batch
        In all, and samples of each.
    every
        Samples between looks.
    look
        What is seen then, by name.
    sample
        What the samples are called.

    Raises
    ------
    DataError
        If the loss is not finite.
    """
    step, last = learner.step, learner.step == steps
    due = step % max(1, every // batch) == 0 and not last
    if not (due or last or step % max(1, steps // _ROWS) == 0):
        return None
    row: dict[str, Any] = {f"{sample}_steps": step * batch} | learner.mean_loss()
    if not np.isfinite(row["total"]):
        raise DataError(f"The loss is {row['total']} after {step * batch} {sample} steps; give a lower learning rate.")
    row |= look() if due else {}
    learner.record.append(row)
    return row
