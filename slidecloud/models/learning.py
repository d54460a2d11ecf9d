"""One network that learns: its state, one step of it, and how the state is kept."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn

from slidecloud.models import checkpoint
from slidecloud.models.architecture import Architecture
from slidecloud.models.assignment import Truth
from slidecloud.models.batches import Batch
from slidecloud.models.losses import loss
from slidecloud.models.recipes import Recipe
from slidecloud.models.schedule import moment
from slidecloud.models.yolo import Yolo

_STEEPEST: Final = 10.0


class Learner:
    """A network, the running average of its weights, and its optimiser.

    Parameters
    ----------
    recipe
        How to learn.
    architecture
        What learns.
    device
        Where.

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

    def __init__(self, recipe: Recipe, architecture: Architecture, device: torch.device) -> None:
        self._recipe = recipe
        self._device = device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.network = Yolo(architecture)
        self.network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.network).requires_grad_(False).eval()
        self.step = 0
        self.record: list[dict[str, Any]] = []
        self._losses: list[dict[str, float]] = []
        self._optimiser: torch.optim.Optimizer | None = None
        self._kind = ""

    def learn(self, batch: Batch) -> None:
        """One step."""
        now = moment(self._recipe, self.step)
        optimiser = self._prepare(now.optimiser, now.rate)
        self.network.train()
        self.network.drop(now.drop)
        maps = torch.from_numpy(batch.features).to(self._device, torch.float32, memory_format=torch.channels_last)
        truth = Truth(*(torch.from_numpy(values).to(self._device) for values in batch[1:]))
        cards = [self._device] if self._device.type == "cuda" else []
        with torch.random.fork_rng(devices=cards):
            # A seed of its own for each step: what DropBlock drops does not depend on where training was interrupted.
            torch.manual_seed(self._recipe.seed * 1_000_003 + self.step)
            half = self._recipe.precision == "bfloat16"
            with torch.autocast(self._device.type, torch.bfloat16, enabled=half):
                raw = self.network(maps)
        parts = loss(raw, truth, self.network, smoothing=self._recipe.smoothing)
        optimiser.zero_grad()
        parts.total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.network.parameters(), _STEEPEST)
        optimiser.step()
        self.step += 1
        self._follow()
        self._losses.append({name: float(part.detach()) for name, part in parts._asdict().items()})

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

    def _new(self, kind: str) -> torch.optim.Optimizer:
        weights = list(self.network.parameters())
        groups: list[dict[str, Any]] = [
            {"params": [value for value in weights if value.ndim > 1], "weight_decay": self._recipe.weight_decay},
            {"params": [value for value in weights if value.ndim <= 1], "weight_decay": 0.0},
        ]
        if kind == "adam":
            return torch.optim.AdamW(groups, lr=self._recipe.adam_rate)
        return torch.optim.SGD(groups, lr=self._recipe.sgd_rate, momentum=self._recipe.momentum, nesterov=True)

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the average towards the network; quickly at first, when there is little to remember."""
        memory = min(self._recipe.average, self.step / (self.step + 10))
        ours, theirs = self.average.state_dict(), self.network.state_dict()
        for name, value in ours.items():
            if value.is_floating_point():
                value.lerp_(theirs[name], 1 - memory)
            else:
                value.copy_(theirs[name])
