"""One step of a U-Net that learns."""

from __future__ import annotations

import torch

from slidecloud.models.fitting import seeded
from slidecloud.models.learning_state import Learning, groups
from slidecloud.models.schedule import decay
from slidecloud.models.unet import Unet
from slidecloud.models.unet_batches import UnetBatch
from slidecloud.models.unet_losses import unet_loss
from slidecloud.models.unet_recipe import UnetRecipe
from slidecloud.models.unet_shape import UnetShape


class UnetLearner(Learning[Unet, UnetBatch]):
    """A U-Net, the running average of its weights, and its optimiser.

    Parameters
    ----------
    recipe
        How to learn.
    bands
        Of the images.
    device
        Where.
    """

    def __init__(self, recipe: UnetRecipe, bands: int, device: torch.device) -> None:
        self._recipe = recipe
        shape = UnetShape(bands, recipe.width, recipe.depth)
        network = seeded(lambda: Unet(shape), recipe.seed, torch.device("cpu"))
        super().__init__(network, device, memory=recipe.average)

    @property
    def rate(self) -> float:
        """Of learning, at the next step."""
        done = self.step / self._recipe.steps
        rise = min(1.0, (self.step + 1) / max(1.0, self._recipe.warmup * self._recipe.steps))
        return self._recipe.rate * rise * decay(self._recipe.decay, done)

    def learn(self, batch: UnetBatch) -> None:
        """One step."""
        optimiser = self._prepare("adam", self.rate)
        self.network.train()
        images = torch.from_numpy(batch.images).to(self._device, memory_format=torch.channels_last)
        truth, known = (torch.from_numpy(maps).to(self._device, torch.float32) for maps in batch[1:])
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._recipe.precision == "bfloat16"):
            logits = self.network(images)
        parts = unet_loss(logits, truth, known, dice=self._recipe.dice)
        self._descend(optimiser, parts.total, parts._asdict())

    def _new(self, kind: str) -> torch.optim.Optimizer:  # noqa: ARG002 - there is one
        return torch.optim.AdamW(groups(self.network, weight_decay=self._recipe.weight_decay), lr=self._recipe.rate)
