"""Learning MUSEnet as published, and its forecasts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from slidecloud.models.fitting import Plan, draws, fit, seeded
from slidecloud.models.musenet import Musenet
from slidecloud.models.place import place
from slidecloud.models.predict import with_threads
from slidecloud.models.small_weights import Weights, array, tensor, weights_of, with_weights
from slidecloud.types import Float64

if TYPE_CHECKING:
    from slidecloud.config_resources import Device

_BLOCK: Final = 2048


def learn(
    joined: Float64,
    displacement: Float64,
    *,
    steps: Sequence[int],
    plan: Plan,
    file: Path | None = None,
    device: Device = "cpu",
) -> Weights:
    """Learn displacement (n,) from joined windows (n, all steps, 4), both scaled, by the mean squared error."""
    where = place(device)
    network = seeded(lambda: Musenet(steps), plan.seed, where)
    known, wanted = tensor(joined, where), tensor(displacement, where)

    def loss(numbers: Tensor) -> Tensor:
        return functional.mse_loss(network(known[numbers]), wanted[numbers])

    group = np.zeros(len(displacement), np.int64)
    fit(network, loss, draw=draws(group, plan), plan=plan, file=file)
    return weights_of(network)


def forecast(weights: Weights, joined: Float64, *, steps: Sequence[int], device: Device = "cpu") -> Float64:
    """Scaled displacement (n,)."""
    where = place(device)
    network = with_weights(Musenet(steps), weights, where)
    found = np.empty(len(joined))
    with with_threads(1), torch.inference_mode():
        for first in range(0, len(joined), _BLOCK):
            part = slice(first, first + _BLOCK)
            found[part] = array(network(tensor(joined[part], where, precision=torch.float64)))
    return found
