"""KF-LSTM: an LSTM predicts what drivers do, a Kalman filter follows the rest and corrects at every pass.

The name is of a baseline of the publication of MUSEnet (IEEE JSTARS 2023), which gives no equations for it; Coskun et
al. (2017, Long short-term memory Kalman filters, ICCV) let LSTMs give the filter's model. Ours: the LSTMs of `Response`
predict each day's motion from rain and level; displacement less that is an offset with a rate, both of which wander
(local linear trend); and LSTM, noise and wandering are learnt together by the likelihood of the filter's innovations.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from slidecloud.models.response import Response

_USUAL: Final = 12.0
_FIRST: Final = (-3.0, -5.0, -7.0, -3.0)
"""Logarithms of the variances of noise, wandering offset, wandering rate and first rate at the start."""
_PACE: Final = 5.0
"""Variances differ by orders of magnitude: their logarithms move so much faster than other numbers."""


class States(NamedTuple):
    """Of the filter after each pass, [points, passes] each.

    ``rest``: displacement less what drivers explain, as measured; ``offset``: what the filter makes of it; ``rate``:
    a 12 days; ``offset_variance``, ``rate_variance``, ``covariance``. Passes without a value keep the state before.
    """

    rest: Tensor
    offset: Tensor
    rate: Tensor
    offset_variance: Tensor
    covariance: Tensor
    rate_variance: Tensor


class RecurrentFilter(nn.Module):
    """A filter for all points at once; displacement in units of each point's usual motion.

    Parameters
    ----------
    response
        To drivers.
    points
        How many there are.
    """

    def __init__(self, response: Response, *, points: int) -> None:
        super().__init__()
        self.response = response
        self.spread = nn.Parameter(torch.tensor(_FIRST) / _PACE)
        self.own_spread = nn.Parameter(torch.zeros(points))

    def explained(self, sums: Tensor, point: Tensor, row: Tensor, features: Tensor, days: Tensor) -> Tensor:
        """[n, k] what drivers have moved points [n] up to days int64 [n, k] of the calendar."""
        strength = self.response.strength(point, features)
        return torch.einsum("nsk,nk->ns", sums[row[:, None], days], strength)

    def follow(self, measured: Tensor, explained: Tensor, days: Tensor, point: Tensor) -> tuple[States, Tensor]:
        """Filter passes in the order of time.

        Parameters
        ----------
        measured, explained
            [points, passes]; NaN where a pass has no value.
        days
            [passes].
        point
            int64 [points].

        Returns
        -------
        States
            After each pass.
        Tensor
            [points], logarithm of the likelihood of all but each point's first value.
        """
        noise, wander, turn, start = self._variances(point)
        known = torch.isfinite(measured)
        rest = torch.where(known, measured, 0.0) - explained
        offset, rate = torch.zeros_like(noise), torch.zeros_like(noise)
        offset_variance, covariance, rate_variance = noise, torch.zeros_like(noise), start
        begun = torch.zeros_like(point, dtype=torch.bool)
        likelihood = torch.zeros_like(noise)
        kept: list[tuple[Tensor, ...]] = []
        gaps = torch.diff(days, prepend=days[:1]).to(measured.dtype) / _USUAL
        for step, gap in enumerate(gaps):
            offset = offset + rate * gap
            offset_variance = offset_variance + 2 * gap * covariance + gap**2 * rate_variance
            offset_variance = offset_variance + wander * gap + turn * gap**3 / 3
            covariance = covariance + gap * rate_variance + turn * gap**2 / 2
            rate_variance = rate_variance + turn * gap
            seen, first = known[:, step], known[:, step] & ~begun
            error, spread = rest[:, step] - offset, offset_variance + noise
            used = seen & begun
            likelihood = likelihood - torch.where(used, error**2 / spread + spread.log(), 0.0) / 2
            gain, turning = (torch.where(used, part / spread, 0.0) for part in (offset_variance, covariance))
            offset = torch.where(first, rest[:, step], offset + gain * error)
            rate = torch.where(begun, rate + turning * error, 0.0)
            rate_variance = torch.where(begun, rate_variance - turning * covariance, start)
            covariance = torch.where(begun, (1 - gain) * covariance, 0.0)
            offset_variance = torch.where(begun, (1 - gain) * offset_variance, noise)
            begun = begun | seen
            kept.append((offset, rate, offset_variance, covariance, rate_variance))
        return States(rest, *(torch.stack(parts, 1) for parts in zip(*kept, strict=True))), likelihood

    def ahead(self, states: States, point: Tensor, coming: Tensor, gap: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance of what the target's pass measures less what the origin's did, [n] each.

        Parameters
        ----------
        states
            At the origins, [n] each.
        point
            int64 [n].
        coming
            [n], what drivers explain from origin to target.
        gap
            [n], from origin to target, units of 12 days.
        """
        noise, wander, turn, _ = self._variances(point)
        mean = states.offset - states.rest + states.rate * gap + coming
        variance = states.offset_variance + 2 * gap * states.covariance + gap**2 * states.rate_variance
        return mean, variance + wander * gap + turn * gap**3 / 3 + noise

    def own_parts(self) -> Tensor:
        """Sum of squares of what points have of their own, which a loss pulls to 0."""
        return self.response.own_parts() + self.own_spread.square().sum() / 10

    def _variances(self, point: Tensor) -> tuple[Tensor, ...]:
        """Of noise, wandering offset, wandering rate and first rate, each [points]."""
        own = self.own_spread[point]
        # Bounded below, so that a series that never moves has a likelihood.
        return tuple((_PACE * part + own).exp() + math.exp(-14) for part in self.spread)
