"""U-Net: maps halved again and again while channels double, and brought back beside what they were."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from slidecloud.models.blocks import Convolution, scaled
from slidecloud.models.unet_shape import UnetShape

FIRST: Final = 64
"""Channels of the first level at width 1, as published; each level below has twice as many."""


class Unet(nn.Module):
    """U-Net (Ronneberger et al. 2015) with normalisation, and convolutions that keep the size of their maps.

    Normalisation is by statistics of the training: what a pixel gets depends on its surroundings up to
    `UnetShape.reach` and on nothing else of the image, so that a scene may be cut into tiles.

    Parameters
    ----------
    shape
        What it looks like.
    """

    def __init__(self, shape: UnetShape) -> None:
        super().__init__()
        self.shape = shape
        sizes = [scaled(FIRST * 2**level, shape.width) for level in range(shape.depth + 1)]
        self.down = nn.ModuleList(_twice(*both) for both in pairwise([shape.bands, *sizes]))
        self.halve = nn.MaxPool2d(2)
        self.back = nn.ModuleList(
            nn.ConvTranspose2d(sizes[level + 1], sizes[level], 2, stride=2) for level in range(shape.depth)
        )
        self.up = nn.ModuleList(_twice(2 * sizes[level], sizes[level]) for level in range(shape.depth))
        self.last = nn.Conv2d(sizes[0], 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Images (image, band, y, x), sides multiples of the stride, to logits (image, y, x) of landslides.

        Raises
        ------
        ValueError
            If bands or sides do not fit.
        """
        if images.shape[1] != self.shape.bands or any(side % self.shape.stride for side in images.shape[2:]):
            raise ValueError(
                f"images: found shape {tuple(images.shape)}, expected {self.shape.bands} bands and sides that are "
                f"multiples of {self.shape.stride}"
            )
        found = []
        maps = images
        for level, block in enumerate(self.down):
            maps = block(maps if level == 0 else self.halve(maps))
            found.append(maps)
        for level in reversed(range(self.shape.depth)):
            maps = self.up[level](torch.cat([found[level], self.back[level](maps)], 1))
        logits: Tensor = self.last(maps)
        return logits.squeeze(1)


def _twice(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(Convolution(before, after), Convolution(after, after))
