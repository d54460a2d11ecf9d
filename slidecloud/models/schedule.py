"""What changes while a network learns: the optimiser, its rate, and how much DropBlock drops."""

from __future__ import annotations

import math
from typing import Final, Literal, NamedTuple

from slidecloud.models.recipes import Recipe

_LAST: Final = 0.02
_DROPS: Final = ((2 / 3, 0.1), (9 / 10, _LAST))


class Moment(NamedTuple):
    """Optimiser, learning rate, and share of cells to drop, of one step."""

    optimiser: Literal["adam", "sgd"]
    rate: float
    drop: float


def moment(recipe: Recipe, step: int) -> Moment:
    """What holds at a step, counted from 0.

    Adam's rate rises from 0 in the warm-up (SGD's, where there is no Adam) and then stays; SGD's decays from its start.
    """
    steps = recipe.steps
    adam = round(recipe.adam_share * steps)
    rise = min(1.0, (step + 1) / max(1.0, recipe.warmup * steps))
    drop = recipe.drop * step / max(1, steps - 1)
    if step < adam:
        return Moment("adam", recipe.adam_rate * rise, drop)
    done = (step - adam) / max(1, steps - adam)
    return Moment("sgd", recipe.sgd_rate * decay(recipe.decay, done) * (1.0 if adam else rise), drop)


def decay(kind: str, done: float) -> float:
    """Factor on a rate when so much of the training is done, 0 to 1: ``cosine``, ``step`` or ``constant``."""
    if kind == "cosine":
        return _LAST + (1 - _LAST) * (1 + math.cos(math.pi * done)) / 2
    if kind == "step":
        return min([1.0, *(factor for share, factor in _DROPS if done >= share)])
    return 1.0
