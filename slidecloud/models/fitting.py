"""Fitting a small network to samples in steps that can be interrupted: the same weights either way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from slidecloud.models import checkpoint
from slidecloud.models.predict import with_threads
from slidecloud.models.schedule import decay
from slidecloud.types import DataError

_KEEP_EVERY: Final = 100
_GROUPS: Final = 16
_STEEPEST: Final = 10.0
"""Norm to which a gradient is cut."""

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Plan:
    """How a network is fitted.

    Attributes
    ----------
    steps
        Of one batch each.
    batch
        Samples of a step.
    rate
        Learning rate of Adam at the first step.
    decay
        How it falls: ``cosine`` to a fiftieth, or ``constant``.
    pull
        Of the weights towards 0, apart from the gradient (AdamW); 0 is Adam.
    seed
        Of the first weights and of the order of samples.
    """

    steps: int
    batch: int
    rate: float
    decay: Literal["cosine", "constant"] = "cosine"
    pull: float = 0.0
    seed: int = 0


def seeded(make: Callable[[], Network], seed: int, device: torch.device) -> Network:
    """A network whose first weights depend on the seed alone, the same on every device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make().to(device)


def draws(group: NDArray[np.int64], plan: Plan) -> Callable[[int], NDArray[np.int64]]:
    """Draws samples for each step, from few groups at a time where there are many.

    Parameters
    ----------
    group
        (n,), of each sample: those of a group share what is dear to compute.
    plan
        Its seed and the size of a batch.
    """
    groups = np.unique(group)

    def draw(step: int) -> NDArray[np.int64]:
        random = np.random.default_rng([plan.seed, step])
        if len(groups) > _GROUPS:
            numbers = np.flatnonzero(np.isin(group, random.choice(groups, _GROUPS, replace=False)))
        else:
            numbers = np.arange(len(group))
        return random.permutation(numbers)[: plan.batch].astype(np.int64)

    return draw


def fit(
    network: nn.Module,
    loss: Callable[[Tensor], Tensor],
    *,
    draw: Callable[[int], NDArray[np.int64]],
    plan: Plan,
    file: Path | None = None,
) -> None:
    """Fit a network, or go on where an earlier call stopped.

    On one machine interruptions do not change a bit: torch works in one thread, and what a step draws depends on its
    number alone.

    Parameters
    ----------
    network
        Is changed in place.
    loss
        Of the samples with these numbers, int64 (k,) on the network's device.
    draw
        Numbers of the samples of a step, such as `draws` makes.
    plan
        How.
    file
        Of the checkpoint, written every hundred steps and at the end; None keeps none. One that is complete is read,
        and nothing is done again.

    Raises
    ------
    DataError
        If the loss is not finite, or the checkpoint is damaged or of another network.
    """
    device = next(network.parameters()).device
    optimiser = torch.optim.AdamW(network.parameters(), lr=plan.rate, weight_decay=plan.pull)
    first = 0
    if file is not None and file.is_file():
        with checkpoint.taken_up(file, device) as state:
            network.load_state_dict(state["network"])
            optimiser.load_state_dict(state["optimiser"])
            first = int(state["step"])
    network.train()
    with with_threads(1):
        for step in range(first, plan.steps):
            for group in optimiser.param_groups:
                group["lr"] = plan.rate * decay(plan.decay, step / plan.steps)
            numbers = torch.from_numpy(draw(step)).to(device)
            value = _step(network, optimiser, loss, numbers)
            if not np.isfinite(value):
                raise DataError(f"The loss is {value} after {step + 1} steps; give a learning rate below {plan.rate}.")
            if file is not None and ((step + 1) % _KEEP_EVERY == 0 or step + 1 == plan.steps):
                checkpoint.keep(file, _state(network, optimiser, step + 1))
    network.eval()


def _step(
    network: nn.Module, optimiser: torch.optim.Optimizer, loss: Callable[[Tensor], Tensor], numbers: Tensor
) -> float:
    optimiser.zero_grad()
    value = loss(numbers)
    value.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(network.parameters(), _STEEPEST)
    optimiser.step()
    return float(value.detach())


def _state(network: nn.Module, optimiser: torch.optim.Optimizer, step: int) -> dict[str, Any]:
    return {"network": network.state_dict(), "optimiser": optimiser.state_dict(), "step": step}
