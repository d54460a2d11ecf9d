"""Attention: which channels and which places matter (CBAM, Woo et al. 2018), with a shortcut around it."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from slidecloud.models.blocks import SLOPE

_REDUCTION: Final = 8
_LEAST: Final = 4
_REACH: Final = 7


class Attention(nn.Module):
    """Maps weighted by channel, then by place, and added to the maps themselves.

    The shortcut (Fu et al. 2022) lets signals pass that both weights would suppress, and gradients flow early on.

    Parameters
    ----------
    channels
        Of the maps.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = max(_LEAST, channels // _REDUCTION)
        self.channel = nn.Sequential(
            nn.Linear(channels, hidden), nn.LeakyReLU(SLOPE, inplace=True), nn.Linear(hidden, channels)
        )
        self.place = nn.Conv2d(2, 1, _REACH, padding=_REACH // 2)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (batch, channel, y, x) to maps of the same shape."""
        peaks = functional.adaptive_max_pool2d(maps, 1).flatten(1)
        summary = self.channel(maps.mean((2, 3))) + self.channel(peaks)
        weighted = maps * torch.sigmoid(summary)[:, :, None, None]
        extent = torch.cat([weighted.mean(1, keepdim=True), weighted.amax(1, keepdim=True)], 1)
        return torch.addcmul(maps, weighted, torch.sigmoid(self.place(extent)))
