"""Learning a KF-LSTM, and its forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slidecloud.models.fitting import Plan, draws, fit, seeded
from slidecloud.models.place import place
from slidecloud.models.predict import with_threads
from slidecloud.models.recurrent_filter import RecurrentFilter, States
from slidecloud.models.response import OWN, ROWS, response
from slidecloud.models.small_weights import Weights, array, tensor, weights_of, with_weights
from slidecloud.types import Float64

if TYPE_CHECKING:
    from slidecloud.config_resources import Device

_USUAL: Final = 12.0


class Followed(NamedTuple):
    """What is known, as arrays.

    Attributes
    ----------
    pieces, plain
        As in `Response.sums`.
    row
        int64 (points,), of each point's drivers.
    features
        (points, k).
    days
        int64 (passes,), days on the calendar.
    measured
        (points, passes), in units of each point's usual motion; NaN where missing.
    """

    pieces: tuple[Float64, ...]
    plain: Float64
    row: NDArray[np.int64]
    features: Float64
    days: NDArray[np.int64]
    measured: Float64


class Asked(NamedTuple):
    """Samples: ``point``, ``origin`` (index among the passes), ``start`` and ``target`` (days on the calendar)."""

    point: NDArray[np.int64]
    origin: NDArray[np.int64]
    start: NDArray[np.int64]
    target: NDArray[np.int64]


def learn(seen: Followed, *, plan: Plan, file: Path | None = None, device: Device = "cpu") -> Weights:
    """Learn by the likelihood of the filter's innovations; `plan.batch` is of points.

    Other parameters are as for `slidecloud.models.fitting.fit`.
    """
    where = place(device)
    network = seeded(lambda: _made(seen, len(seen.row)), plan.seed, where)
    assert isinstance(network, RecurrentFilter)
    calendar = [tensor(values, where) for values in (*seen.pieces, seen.plain)]
    measured, features, days = (tensor(values, where) for values in (seen.measured, seen.features, seen.days))
    row = tensor(seen.row, where)
    values = max(1, int(np.isfinite(seen.measured).sum()))

    def loss(numbers: Tensor) -> Tensor:
        rows, own = torch.unique(row[numbers], return_inverse=True)
        *pieces, plain = (whole[rows] for whole in calendar)
        sums = network.response.sums(pieces, plain)
        explained = network.explained(sums, numbers, own, features[numbers], days.expand(len(numbers), -1))
        _, likelihood = network.follow(measured[numbers], explained, days, numbers)
        count = torch.isfinite(measured[numbers]).sum().clamp(min=1)
        return -likelihood.sum() / count + OWN / values * network.own_parts()

    fit(network, loss, draw=draws(seen.row, plan), plan=plan, file=file)
    return weights_of(network)


def forecast(weights: Weights, seen: Followed, asked: Asked, *, device: Device = "cpu") -> tuple[Float64, Float64]:
    """Mean and variance (n,) of increments since the origins."""
    where = place(device)
    mean, variance = np.empty(len(asked.point)), np.empty(len(asked.point))
    network = _made(seen, len(seen.row))
    with_weights(network, weights, where)
    with with_threads(1), torch.inference_mode():
        for first in range(0, len(seen.plain), ROWS):
            own = (seen.row >= first) & (seen.row < first + ROWS)
            chosen = np.flatnonzero(own[asked.point])
            if len(chosen):
                part = Asked(*(values[chosen] for values in asked))
                mean[chosen], variance[chosen] = _of_rows(network, seen, part, np.flatnonzero(own), first, where)
    return mean, variance


def _of_rows(
    network: RecurrentFilter, seen: Followed, asked: Asked, points: NDArray[np.intp], first: int, where: torch.device
) -> tuple[Float64, Float64]:
    """Of points whose drivers are some rows from the first on."""
    rows = slice(first, first + ROWS)

    def exact(values: NDArray[np.float64]) -> Tensor:
        return tensor(values, where, precision=torch.float64)

    sums = network.response.sums([exact(piece[rows]) for piece in seen.pieces], exact(seen.plain[rows]))
    number, row, days = (tensor(values, where) for values in (points, seen.row[points] - first, seen.days))
    features = exact(seen.features[points])
    explained = network.explained(sums, number, row, features, days.expand(len(points), -1))
    states, _ = network.follow(exact(seen.measured[points]), explained, days, number)
    place_of = tensor(np.searchsorted(points, asked.point), where)
    at = States(*(values[place_of, tensor(asked.origin, where)] for values in states))
    ends = tensor(np.stack([asked.start, asked.target], axis=1), where)
    moved = network.explained(sums, number[place_of], row[place_of], features[place_of], ends)
    gap = exact((asked.target - asked.start) / _USUAL)
    mean, variance = network.ahead(at, number[place_of], moved[:, 1] - moved[:, 0], gap)
    return array(mean), array(variance)


def _made(seen: Followed, points: int) -> RecurrentFilter:
    driven = response(seen.pieces, seen.plain, points=points, features=seen.features.shape[-1])
    return RecurrentFilter(driven, points=points)
