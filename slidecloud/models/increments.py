"""MUSEnet made to extrapolate: how far a point moves after the last pass, and how uncertain that is."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from slidecloud.models.response import Response

_KNOWN: Final = 4
_USUAL: Final = 12.0
_FIRST: Final = (-2.0, -2.0, -3.0, -3.0)


class Windows(NamedTuple):
    """What the network sees of n samples; displacement in units of the point's usual motion.

    Attributes
    ----------
    point, row
        int64 [n], of the point and of its drivers.
    features
        [n, k].
    passes
        int64 [n, steps], days on the calendar, newest first; before a point's first pass that pass again.
    moved
        [n, steps - 1], from each pass to the next newer one.
    target
        int64 [n], day on the calendar.
    """

    point: Tensor
    row: Tensor
    features: Tensor
    passes: Tensor
    moved: Tensor
    target: Tensor

    def where(self, numbers: Tensor | slice) -> Windows:
        """Some of the samples."""
        return Windows(*(values[numbers] for values in self))


class Increments(nn.Module):
    """Mean and variance of the motion since the last pass.

    Motion is what drivers explain, added up over the days up to the target, and a rest. The rest of earlier passes,
    observed less explained, goes through an LSTM of a single layer in the order of time and through a linear way around
    it; they give an offset, which corrects the error of the last pass, and a rate. There is no absolute year, and no
    absolute displacement. Variance is a sum of positive parts: at once, growing with the days, with their square, and
    with the square of what drivers explain; times a factor of the point's own.

    Parameters
    ----------
    response
        To drivers.
    steps
        Passes of a window.
    points
        How many there are.
    hidden
        Units of the LSTM.
    """

    def __init__(self, response: Response, *, steps: int, points: int, hidden: int) -> None:
        super().__init__()
        self.response = response
        self.reader = nn.LSTM(_KNOWN, hidden, batch_first=True)
        self.rest = nn.Linear(hidden, 2)
        self.around = nn.Linear(steps - 1, 2, bias=False)
        for weight in (self.rest.weight, self.rest.bias, self.around.weight):
            nn.init.zeros_(weight)
        self.spread = nn.Parameter(torch.tensor(_FIRST))
        self.own_spread = nn.Parameter(torch.zeros(points))

    def forward(self, sums: Tensor, seen: Windows) -> tuple[Tensor, Tensor]:
        """Mean and variance, [n] each, from the sums of `Response.sums`."""
        strength = self.response.strength(seen.point, seen.features)
        until = torch.einsum("nsk,nk->ns", sums[seen.row[:, None], seen.passes], strength)
        explained = until[:, :-1] - until[:, 1:]
        coming = (sums[seen.row, seen.target] * strength).sum(1) - until[:, 0]
        rest = seen.moved - explained
        gaps = (seen.passes[:, :-1] - seen.passes[:, 1:]).to(rest.dtype) / _USUAL
        history = torch.stack([rest, explained, seen.moved, gaps - 1], 2).flip(1)
        offset, rate = (self.rest(self.reader(history)[0][:, -1]) + self.around(rest)).unbind(1)
        days = (seen.target - seen.passes[:, 0]).to(rest.dtype) / _USUAL
        parts = torch.stack([torch.ones_like(days), days, days**2, coming**2], 1)
        return offset + rate * days + coming, parts @ self.spread.exp() * self.own_spread[seen.point].exp()

    def own_parts(self) -> Tensor:
        """Sum of squares of what points have of their own, which a loss pulls to 0."""
        return self.response.own_parts() + self.own_spread.square().sum() / 10
