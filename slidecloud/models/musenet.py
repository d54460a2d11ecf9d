"""MUSEnet as published: an LSTM for each input and a long row of dense layers, for the displacement itself."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

STEPS: Final = 30
"""Values of each input: 30 passes of the satellite, 30 days of rain, 30 of level."""

PARTS: Final = 4
"""What is known of each step: the value, and year, month and day of its date."""

DENSE: Final = (64, 128, 256, 512, 256, 128, 64, 32, 16, 1)
"""Units of the dense layers."""

HIDDEN: Final = 16
"""Units of each LSTM, which the publication does not tell; ours."""

RATE: Final = 1e-4
"""Learning rate of Adam."""


class Musenet(nn.Module):
    """Displacement from the joined windows of several inputs (MUSEnet, IEEE JSTARS 2023).

    One LSTM of a single layer for each input reads the window's steps, newest first; the hidden states of all steps of
    all inputs, side by side, go through the dense layers with ReLU between them. It is trained with the mean squared
    error and Adam at `RATE`.

    Parameters
    ----------
    steps
        Of each input, `STEPS` as published: two inputs (displacement with rain or level) or three (with both).
    """

    def __init__(self, steps: Sequence[int]) -> None:
        super().__init__()
        self.steps = tuple(steps)
        self.readers = nn.ModuleList(nn.LSTM(PARTS, HIDDEN, batch_first=True) for _ in self.steps)
        sizes = (sum(self.steps) * HIDDEN, *DENSE)
        self.dense = nn.ModuleList(nn.Linear(*pair) for pair in pairwise(sizes))

    def forward(self, joined: Tensor) -> Tensor:
        """Joined windows [n, all steps, 4] to displacement [n].

        Raises
        ------
        ValueError
            If the windows have another shape.
        """
        wanted = (sum(self.steps), PARTS)
        if joined.ndim != 3 or tuple(joined.shape[1:]) != wanted:
            found = tuple(joined.shape)
            raise ValueError(f"joined windows: found shape {found}, expected (n, {wanted[0]}, {PARTS})")
        windows = torch.split(joined, list(self.steps), dim=1)
        states = [reader(window)[0].flatten(1) for reader, window in zip(self.readers, windows, strict=True)]
        values = torch.cat(states, 1)
        for layer in self.dense[:-1]:
            values = torch.relu(layer(values))
        result: Tensor = self.dense[-1](values)
        return result.squeeze(1)
