"""The bricks of the networks: convolution with normalisation, and the residual block."""

from __future__ import annotations

import copy
from typing import Final, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

Network = TypeVar("Network", bound=nn.Module)

SLOPE: Final = 0.1
"""Slope of the leaky rectifier below zero, as in Darknet."""


class Convolution(nn.Sequential):
    """Convolution, batch normalisation, leaky rectifier; the size of the map changes with the stride alone."""

    def __init__(self, incoming: int, outgoing: int, kernel: int = 3, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(incoming, outgoing, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(outgoing),
            nn.LeakyReLU(SLOPE, inplace=True),
        )


class Residual(nn.Module):
    """A shortcut around a 1x1 convolution to half the channels and a 3x3 convolution back (Redmon & Farhadi 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.path = nn.Sequential(Convolution(channels, channels // 2, 1), Convolution(channels // 2, channels))

    def forward(self, maps: Tensor) -> Tensor:
        """Maps (batch, channel, y, x) to maps of the same shape."""
        changed: Tensor = maps + self.path(maps)
        return changed


def scaled(channels: int, width: float) -> int:
    """Channels of a layer at a width factor: a multiple of 8, for the sake of vector units."""
    return max(8, round(channels * width / 8) * 8)


def folded(network: Network) -> Network:
    """A copy of a trained network to predict with: each normalisation is put into the convolution before it.

    The same result in fewer passes; the network itself keeps its normalisations, which training needs.
    """
    own = copy.deepcopy(network).eval()
    for module in own.modules():
        if isinstance(module, Convolution):
            convolution, normalisation, _ = module
            assert isinstance(convolution, nn.Conv2d)
            assert isinstance(normalisation, nn.BatchNorm2d)
            module[0] = fuse_conv_bn_eval(convolution, normalisation)
            module[1] = nn.Identity()
    own.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return own
