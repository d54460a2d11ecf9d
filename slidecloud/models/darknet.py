"""Backbones: Darknet-53, and the tiny one of YOLOv3-tiny."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from torch import Tensor, nn

from slidecloud.models.attention import Attention
from slidecloud.models.blocks import Convolution, Residual, scaled

_STEM: Final = 32
_STAGES: Final = ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4))
_TINY: Final = (16, 32, 64, 128, 256, 512, 1024)
_HALVED: Final = 5
_PLAIN: Final = 2


class Darknet53(nn.Module):
    """52 convolutions in five stages of residual blocks (Redmon & Farhadi 2018); gives maps at strides 8, 16 and 32.

    Parameters
    ----------
    channels
        Of the input.
    width
        Factor on the channels of every layer.
    attention
        Put `Attention` after each residual block.
    """

    def __init__(self, channels: int, *, width: float, attention: bool) -> None:
        super().__init__()
        sizes = [scaled(_STEM, width), *(scaled(size, width) for size, _ in _STAGES)]
        self.stem = Convolution(channels, sizes[0])
        self.stages = nn.ModuleList()
        for (before, after), (_, repeats) in zip(pairwise(sizes), _STAGES, strict=True):
            blocks: list[nn.Module] = [Convolution(before, after, stride=2)]
            for _ in range(repeats):
                blocks += [Residual(after), Attention(after)] if attention else [Residual(after)]
            self.stages.append(nn.Sequential(*blocks))
        self.channels = tuple(sizes[3:])

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Input (batch, channel, y, x), sides multiples of 32, to maps at strides 8, 16 and 32."""
        maps = self.stem(maps)
        found = []
        for stage in self.stages:
            maps = stage(maps)
            found.append(maps)
        return found[2], found[3], found[4]


class Tiny(nn.Module):
    """Seven convolutions, the maps halved between the first six; gives maps at strides 8, 16 and 32.

    Parameters
    ----------
    channels
        Of the input.
    width
        Factor on the channels of every layer.
    attention
        Put `Attention` after each convolution from the third on. On the large maps of the first two, which see nothing
        but edges, it would take as long as all the rest of the network.
    """

    def __init__(self, channels: int, *, width: float, attention: bool) -> None:
        super().__init__()
        sizes = [channels, *(scaled(size, width) for size in _TINY)]
        self.stages = nn.ModuleList()
        for number, (before, after) in enumerate(pairwise(sizes)):
            blocks: list[nn.Module] = [nn.MaxPool2d(2)] if 0 < number <= _HALVED else []
            blocks.append(Convolution(before, after))
            if attention and number >= _PLAIN:
                blocks.append(Attention(after))
            self.stages.append(nn.Sequential(*blocks))
        self.channels = (sizes[4], sizes[5], sizes[7])

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Input (batch, channel, y, x), sides multiples of 32, to maps at strides 8, 16 and 32."""
        found = []
        for stage in self.stages:
            maps = stage(maps)
            found.append(maps)
        return found[3], found[4], found[6]
