"""One step of a detector that learns."""

from __future__ import annotations

import torch

from slidecloud.models.architecture import Architecture
from slidecloud.models.assignment import Truth
from slidecloud.models.batches import Batch
from slidecloud.models.fitting import seeded
from slidecloud.models.learning_state import Learning, groups
from slidecloud.models.losses import loss
from slidecloud.models.recipes import Recipe
from slidecloud.models.schedule import moment
from slidecloud.models.yolo import Yolo


class Learner(Learning[Yolo, Batch]):
    """A detector, the running average of its weights, and its optimiser.

    Parameters
    ----------
    recipe
        How to learn.
    architecture
        What learns.
    device
        Where.
    """

    def __init__(self, recipe: Recipe, architecture: Architecture, device: torch.device) -> None:
        self._recipe = recipe
        network = seeded(lambda: Yolo(architecture), recipe.seed, torch.device("cpu"))
        super().__init__(network, device, memory=recipe.average)

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
        self._descend(optimiser, parts.total, parts._asdict())

    def _new(self, kind: str) -> torch.optim.Optimizer:
        weights = groups(self.network, weight_decay=self._recipe.weight_decay)
        if kind == "adam":
            return torch.optim.AdamW(weights, lr=self._recipe.adam_rate)
        return torch.optim.SGD(weights, lr=self._recipe.sgd_rate, momentum=self._recipe.momentum, nesterov=True)
