"""Members of MUSEnet's ensemble: learning one, and what all say together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slidecloud.models.fitting import Plan, draws, fit, seeded
from slidecloud.models.increments import Increments, Windows
from slidecloud.models.place import place
from slidecloud.models.predict import with_threads
from slidecloud.models.response import HIDDEN, OWN, ROWS, response
from slidecloud.models.small_weights import Weights, array, tensor, weights_of, with_weights
from slidecloud.types import Float64

if TYPE_CHECKING:
    from slidecloud.config_resources import Device

_BLOCK: Final = 2048


class Seen(NamedTuple):
    """What is known, as arrays: `pieces` and `plain` as in `Response.sums`, the rest as in `Windows`."""

    pieces: tuple[Float64, ...]
    plain: Float64
    point: NDArray[np.int64]
    row: NDArray[np.int64]
    features: Float64
    passes: NDArray[np.int64]
    moved: Float64
    target: NDArray[np.int64]


def member(
    seen: Seen,
    increment: Float64,
    *,
    points: int,
    plan: Plan,
    file: Path | None = None,
    device: Device = "cpu",
) -> Weights:
    """Learn one network by the likelihood of increments.

    Parameters
    ----------
    seen
        Samples to learn from.
    increment
        (n,), in units of the point's usual motion.
    points
        How many there are.
    plan, file
        As for `slidecloud.models.fitting.fit`.
    device
        cpu or gpu.
    """
    where = place(device)
    network = seeded(lambda: _made(seen, points, seen.passes.shape[1]), plan.seed, where)
    assert isinstance(network, Increments)
    windows, wanted = _windows(seen, where), tensor(increment, where)
    calendar = [tensor(values, where) for values in (*seen.pieces, seen.plain)]

    def loss(numbers: Tensor) -> Tensor:
        rows, row = torch.unique(windows.row[numbers], return_inverse=True)
        *pieces, plain = (values[rows] for values in calendar)
        mean, variance = network(network.response.sums(pieces, plain), windows.where(numbers)._replace(row=row))
        likelihood = ((wanted[numbers] - mean) ** 2 / variance + variance.log()).mean() / 2
        whole: Tensor = likelihood + OWN / len(wanted) * network.own_parts()
        return whole

    fit(network, loss, draw=draws(seen.row, plan), plan=plan, file=file)
    return weights_of(network)


def together(members: Sequence[Weights], seen: Seen, *, device: Device = "cpu") -> tuple[Float64, Float64]:
    """Mean and variance (n,) of the even mixture of what all members expect."""
    where = place(device)
    with with_threads(1), torch.inference_mode():
        told = [_told(weights, seen, where) for weights in members]
    mean = np.mean([one for one, _ in told], axis=0)
    variance = np.mean([other + (one - mean) ** 2 for one, other in told], axis=0)
    return mean, variance


def _told(weights: Weights, seen: Seen, where: torch.device) -> tuple[Float64, Float64]:
    network = _made(seen, len(weights["own_spread"]), weights["around.weight"].shape[1] + 1)
    with_weights(network, weights, where)
    windows = _windows(seen, where, torch.float64)
    mean, variance = np.empty(len(seen.point)), np.empty(len(seen.point))
    for first in range(0, len(seen.plain), ROWS):
        rows = slice(first, first + ROWS)
        pieces = [tensor(values[rows], where, precision=torch.float64) for values in seen.pieces]
        sums = network.response.sums(pieces, tensor(seen.plain[rows], where, precision=torch.float64))
        chosen = np.flatnonzero((seen.row >= first) & (seen.row < first + ROWS))
        for start in range(0, len(chosen), _BLOCK):
            numbers = chosen[start : start + _BLOCK]
            part = windows.where(torch.from_numpy(numbers).to(where))
            mean[numbers], variance[numbers] = (
                array(one) for one in network(sums, part._replace(row=part.row - first))
            )
    return mean, variance


def _made(seen: Seen, points: int, steps: int) -> Increments:
    driven = response(seen.pieces, seen.plain, points=points, features=seen.features.shape[-1])
    return Increments(driven, steps=steps, points=points, hidden=HIDDEN)


def _windows(seen: Seen, where: torch.device, precision: torch.dtype = torch.float32) -> Windows:
    values: list[NDArray[Any]] = [getattr(seen, name) for name in Windows._fields]
    return Windows(*(tensor(one, where, precision=precision) for one in values))
