"""DropBlock: in training whole patches of the maps are set to zero; no place decides alone (Ghiasi et al. 2018)."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

_LARGEST: Final = 7


class DropBlock(nn.Module):
    """Sets square patches to zero and scales what is left up to the same mean; does nothing outside training.

    Patches are 7 cells wide, or the largest odd number up to a quarter of the map.

    Attributes
    ----------
    share
        Expected share of cells that are dropped now; training raises it from 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.share = 0.0

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (batch, channel, y, x) to maps of the same shape."""
        if not self.training or self.share == 0:
            return maps
        height, width = maps.shape[2:]
        side = max(1, min(_LARGEST, (min(height, width) // 4 - 1) | 1))
        # Seeds keep clear of the border, so that every patch is whole.
        inner = (height - side + 1, width - side + 1)
        rate = self.share / side**2 * (height * width) / (inner[0] * inner[1])
        seeds = (torch.rand(maps.shape[0], 1, *inner, device=maps.device) < rate).to(maps.dtype)
        kept = 1 - functional.max_pool2d(functional.pad(seeds, (side - 1,) * 4), side, stride=1)
        scale = kept.numel() / kept.sum(dtype=torch.float32).clamp(min=1)
        return maps * (kept * scale.to(maps.dtype))
