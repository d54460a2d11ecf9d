"""How rain and water level drive motion from day to day: LSTMs along the calendar, which never look ahead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from slidecloud.types import Float64

NEW: Final = 64
"""Days that each piece of the calendar adds."""

WARM: Final = 128
"""Days before them that its LSTM also reads, to forget where it began."""

_USUAL: Final = 12.0
_SPREAD: Final = 0.05


HIDDEN: Final = 8
"""Units of each LSTM."""

OWN: Final = 30.0
"""How much a sum of squares of what points have of their own costs, in samples' worth of loss."""

ROWS: Final = 16
"""Series of drivers that are asked at a time."""


class Response(nn.Module):
    """Motion that each point owes to its drivers, as sums over the days, so that a difference is that between two days.

    Each driver has an LSTM of a single layer, which reads its days in the order of time. Its states stand beside plain
    columns (means of the driver over earlier days, season, a constant), a way around the LSTM on which it has to
    improve. Points share all this and differ in how strongly they follow each column: a common strength, a part that is
    linear in their features, and a part of their own that has to be earned, since the loss pulls it to 0.

    Parameters
    ----------
    channels
        Of each driver's LSTM.
    plain
        Number of plain columns.
    points, features
        How many there are.
    hidden
        Units of each LSTM.
    """

    def __init__(self, channels: Sequence[int], *, plain: int, points: int, features: int, hidden: int) -> None:
        super().__init__()
        self.readers = nn.ModuleList(nn.LSTM(count, hidden, batch_first=True) for count in channels)
        columns = len(channels) * hidden + plain
        # Plain columns begin without a say: what no data contradict would stay.
        self.common = nn.Parameter(torch.cat([torch.zeros(plain), torch.randn(columns - plain) * _SPREAD]))
        self.own = nn.Parameter(torch.zeros(points, columns))
        self.by_feature = nn.Parameter(torch.zeros(features, columns))

    def sums(self, pieces: Sequence[Tensor], plain: Tensor) -> Tensor:
        """Sums of the columns from the first day up to each day, in units of 12 days.

        Parameters
        ----------
        pieces
            Of each driver, [rows, pieces, `WARM` + `NEW`, channels]; a piece adds the days after that before it.
        plain
            [rows, days, columns]; days as many as all pieces add.

        Returns
        -------
        [rows, days, columns].
        """
        states = [plain]
        for reader, piece in zip(self.readers, pieces, strict=True):
            found = reader(piece.flatten(0, 1))[0][:, WARM:]
            states.append(found.reshape(*plain.shape[:2], -1))
        return torch.cat(states, 2).cumsum(1) / _USUAL

    def strength(self, point: Tensor, features: Tensor) -> Tensor:
        """[n, columns], of points int64 [n] with features [n, k]."""
        return self.common + self.own[point] + features @ self.by_feature

    def own_parts(self) -> Tensor:
        """Sum of squares of what points have of their own."""
        return self.own.square().sum()


def response(pieces: Sequence[Float64], plain: Float64, *, points: int, features: int) -> Response:
    """To drivers given as in `Response.sums`, of `HIDDEN` units."""
    channels = [piece.shape[-1] for piece in pieces]
    return Response(channels, plain=plain.shape[-1], points=points, features=features, hidden=HIDDEN)
