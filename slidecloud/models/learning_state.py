"""A network that learns, whatever it learns: its running average, its optimiser, and how all of it is kept."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import torch
from torch import nn

from slidecloud.models import checkpoint

STEEPEST: Final = 10.0
"""Norm to which gradients are cut."""

Network = TypeVar("Network", bound=nn.Module)
Batch = TypeVar("Batch")


class Learning(ABC, Generic[Network, Batch]):
    """The state of a training; a child says what a step is and with what optimiser.

    Parameters
    ----------
    network
        What learns.
    device
        Where.
    memory
        Of the running average, in [0, 1).

    Attributes
    ----------
    network
        What learns.
    average
        Its running average, which is what is kept in the end: steadier, and better, than the last step.
    step
        Steps done.
    record
        Rows of plain numbers, as they were added.
    """

    def __init__(self, network: Network, device: torch.device, *, memory: float) -> None:
        self._device = device
        self._memory = memory
        self.network = network
        self.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.step = 0
        self.record: list[dict[str, Any]] = []
        self._losses: list[dict[str, float]] = []
        self._optimiser: torch.optim.Optimizer | None = None
        self._kind = ""

    @abstractmethod
    def learn(self, batch: Batch) -> None:
        """One step."""

    @abstractmethod
    def _new(self, kind: str) -> torch.optim.Optimizer:
        """An optimiser of a kind."""

    def mean_loss(self) -> dict[str, float]:
        """Mean of each part of the loss over the steps since this was last asked."""
        rows, self._losses = self._losses, []
        return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}

    def save(self, path: Path) -> None:
        """Write everything that the next step depends on, whole or not at all."""
        state = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": None if self._optimiser is None else self._optimiser.state_dict(),
            "kind": self._kind,
            "step": self.step,
            "record": self.record,
            "losses": self._losses,
        }
        checkpoint.keep(path, state)

    def restore(self, path: Path) -> None:
        """Take up what `save` wrote.

        Raises
        ------
        DataError
            If the file is damaged or of another network.
        """
        with checkpoint.taken_up(path, self._device) as state:
            self.network.load_state_dict(state["network"])
            self.average.load_state_dict(state["average"])
            self._kind = ""
            if state["optimiser"] is not None:
                self._prepare(state["kind"], 0.0).load_state_dict(state["optimiser"])
            self.step, self.record, self._losses = state["step"], state["record"], state["losses"]

    def _prepare(self, kind: str, rate: float) -> torch.optim.Optimizer:
        """The optimiser of this kind at this rate; a new one where the kind changes."""
        if self._optimiser is None or self._kind != kind:
            self._optimiser, self._kind = self._new(kind), kind
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        return self._optimiser

    def _descend(self, optimiser: torch.optim.Optimizer, total: torch.Tensor, parts: dict[str, torch.Tensor]) -> None:
        """One step down the gradient of a loss, whose parts are kept for `mean_loss`."""
        optimiser.zero_grad()
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), STEEPEST)
        optimiser.step()
        self.step += 1
        self._follow()
        self._losses.append({name: float(part.detach()) for name, part in parts.items()})

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the network; quickly at first, when there is little to remember."""
        memory = min(self._memory, self.step / (self.step + 10))
        ours, theirs = self.average.state_dict(), self.network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - memory)
            else:
                value.copy_(theirs[name])


def groups(network: nn.Module, *, weight_decay: float) -> list[dict[str, Any]]:
    """Parameters of a network for an optimiser: convolutions are pulled towards 0, biases and statistics are not."""
    weights = list(network.parameters())
    return [
        {"params": [value for value in weights if value.ndim > 1], "weight_decay": weight_decay},
        {"params": [value for value in weights if value.ndim <= 1], "weight_decay": 0.0},
    ]
