"""The three networks: a backbone, routes from coarse to fine, and a head at each stride."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn

from slidecloud.models.architecture import PER_HEAD, Architecture
from slidecloud.models.blocks import Convolution, scaled
from slidecloud.models.darknet import Darknet53, Tiny
from slidecloud.models.dropblock import DropBlock

VALUES: Final = 5
"""Numbers for each anchor of each cell: centre along y and x, height, width, objectness. With one class, that a box
holds a slide and of which class it is are one question, so there is no class score."""

_PRIOR: Final = 0.003


class Yolo(nn.Module):
    """A network of one class.

    Parameters
    ----------
    architecture
        What to build.
    """

    anchors: Tensor

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        tiny = architecture.network == "a-yolov3-t"
        backbone = Tiny if tiny else Darknet53
        width = architecture.width
        self.backbone = backbone(architecture.channels, width=width, attention=architecture.attention)
        self.neck = TinyNeck(self.backbone.channels, width) if tiny else Neck(self.backbone.channels, width)
        self.drops = nn.ModuleList(DropBlock() for _ in self.neck.channels) if architecture.dropblock else None
        self.heads = nn.ModuleList(nn.Conv2d(size, PER_HEAD * VALUES, 1) for size in self.neck.channels)
        for head in self.heads:
            assert isinstance(head, nn.Conv2d)
            nn.init.normal_(head.weight, std=0.01)
            assert head.bias is not None
            nn.init.zeros_(head.bias)
            # Few anchors hold a slide: to start from this saves the first rounds of training.
            head.bias.data[VALUES - 1 :: VALUES] = math.log(_PRIOR / (1 - _PRIOR))
        self.register_buffer("anchors", torch.tensor(architecture.anchors, dtype=torch.float32), persistent=False)

    def drop(self, share: float) -> None:
        """Set the share of cells that DropBlock drops in training."""
        for block in self.drops or ():
            assert isinstance(block, DropBlock)
            block.share = share

    def forward(self, maps: Tensor) -> list[Tensor]:
        """Input (batch, channel, y, x), sides multiples of 32, to raw numbers.

        For each head, finest first, (batch, anchor, y, x, 5) in single precision; `boxes` makes sense of them.
        """
        routes = self.neck(self.backbone(maps))
        if self.drops is not None:
            routes = [block(route) for block, route in zip(self.drops, routes, strict=True)]
        raw = []
        for head, route in zip(self.heads, routes, strict=True):
            found = head(route).float()
            batch, _, height, width = found.shape
            raw.append(found.view(batch, PER_HEAD, VALUES, height, width).permute(0, 1, 3, 4, 2))
        return raw


def boxes(raw: Tensor, cells: Tensor, sizes: Tensor, stride: int) -> Tensor:
    """Boxes (..., 4): top, left, bottom, right in pixels.

    Centres reach half a cell beyond their own, ``(2 sigmoid(t) - 1/2 + cell) stride``, and sizes up to four anchors,
    ``(2 sigmoid(t))^2 anchor``: no exponential, so nothing overflows.

    Parameters
    ----------
    raw
        (..., 4 or 5) numbers of a network.
    cells
        (..., 2) row and column.
    sizes
        (..., 2) height and width of the anchor in pixels.
    stride
        Pixels per cell.
    """
    twice = 2 * torch.sigmoid(raw[..., :4])
    centre = (twice[..., :2] - 0.5 + cells) * stride
    half = twice[..., 2:].square() * sizes / 2
    return torch.cat([centre - half, centre + half], -1)


class Neck(nn.Module):
    """Routes of YOLOv3: five convolutions at each stride, halved in channels and doubled in size for the next finer."""

    def __init__(self, incoming: tuple[int, ...], width: float) -> None:
        super().__init__()
        wide = [scaled(size, width) for size in (1024, 512, 256)]
        self.fives, self.ends, self.ups = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        routed = 0
        for level, (size, backbone) in enumerate(zip(wide, reversed(incoming), strict=True)):
            narrow = scaled(size // 2, 1)
            layers: list[nn.Module] = [Convolution(backbone + routed, narrow, 1)]
            for _ in range(2):
                layers += [Convolution(narrow, size), Convolution(size, narrow, 1)]
            self.fives.append(nn.Sequential(*layers))
            self.ends.append(Convolution(narrow, size))
            if level < len(wide) - 1:
                routed = scaled(narrow // 2, 1)
                self.ups.append(nn.Sequential(Convolution(narrow, routed, 1), nn.Upsample(scale_factor=2)))
        self.channels = tuple(reversed(wide))

    def forward(self, maps: tuple[Tensor, ...]) -> list[Tensor]:
        """Maps of the backbone, finest first, to maps for the heads, finest first."""
        routes: list[Tensor] = []
        carried = None
        for level, found in enumerate(reversed(maps)):
            joined = found if carried is None else torch.cat([carried, found], 1)
            inner = self.fives[level](joined)
            routes.insert(0, self.ends[level](inner))
            if level < len(self.ups):
                carried = self.ups[level](inner)
        return routes


class TinyNeck(nn.Module):
    """Routes of YOLOv3-tiny, one level further down: context at stride 32, heads at 16 and 8."""

    def __init__(self, incoming: tuple[int, ...], width: float) -> None:
        super().__init__()
        fine, middle, coarse = incoming
        context, narrow = scaled(256, width), scaled(128, width)
        self.context = nn.Sequential(
            Convolution(coarse, context, 1), Convolution(context, narrow, 1), nn.Upsample(scale_factor=2)
        )
        self.middle = Convolution(narrow + middle, context)
        self.up = nn.Sequential(Convolution(context, narrow, 1), nn.Upsample(scale_factor=2))
        self.fine = Convolution(narrow + fine, narrow)
        self.channels = (narrow, context)

    def forward(self, maps: tuple[Tensor, ...]) -> list[Tensor]:
        """Maps of the backbone, finest first, to maps for the heads, finest first."""
        fine, middle, coarse = maps
        at_middle = self.middle(torch.cat([self.context(coarse), middle], 1))
        at_fine = self.fine(torch.cat([self.up(at_middle), fine], 1))
        return [at_fine, at_middle]
