"""KF-LSTM: its filter against the normal distribution that it stands for."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from slidecloud.models.recurrent_filter import RecurrentFilter, States
from slidecloud.models.response import NEW, WARM, Response

DAYS = torch.tensor([0, 12, 36, 48, 60])


@pytest.fixture
def network():
    with torch.random.fork_rng():
        torch.manual_seed(4)
        response = Response([2], plain=3, points=2, features=1, hidden=2)
        return RecurrentFilter(response, points=2).double().requires_grad_(False)


def exactly(network, row, known):
    """Log-likelihood after the first value, and mean and variance of the next measurement 18 days after the last."""
    noise, wander, turn, start = (part.item() for part in network._variances(torch.tensor([0])))
    times = [day / 12 for day, used in zip(DAYS.tolist(), known, strict=True) if used] + [60 / 12 + 1.5]
    values = row[known] - row[known][0]

    def together(one, other):
        # Offset begins at the first value with the variance of noise; rate as its own variance says.
        first, low, high = times[0], min(one, other) - times[0], max(one, other) - times[0]
        drift = wander * low + turn * (low**2 * high / 2 - low**3 / 6)
        assert first <= one
        return noise + start * low * high + drift

    size = len(times)
    covariance = np.array([[together(a, b) for b in times] for a in times]) + noise * np.eye(size)
    inner, last = covariance[1:-1, 1:-1], covariance[1:-1, -1]
    solved = np.linalg.solve(inner, values[1:])
    sign, logarithm = np.linalg.slogdet(inner)
    assert sign > 0
    likelihood = -(values[1:] @ solved + logarithm) / 2
    mean = last @ solved - values[-1]
    return likelihood, mean, covariance[-1, -1] - last @ np.linalg.solve(inner, last)


@pytest.mark.parametrize("missing", [(), (2,), (0,), (0, 3)])
def test_the_filter_is_the_normal_distribution_of_a_local_linear_trend(network, missing):
    row = np.array([1.0, 1.4, 3.1, 2.0, 2.2])
    known = ~np.isin(np.arange(5), missing)
    measured = torch.from_numpy(np.where(known, row, np.nan))[None]
    states, likelihood = network.follow(measured, torch.zeros(1, 5).double(), DAYS, torch.tensor([0]))
    last = States(*(part[:, -1] for part in states))
    mean, variance = network.ahead(last, torch.tensor([0]), torch.zeros(1).double(), torch.tensor([1.5]).double())
    expected = exactly(network, row, known)
    assert likelihood.item() == pytest.approx(expected[0], rel=1e-9)
    assert mean.item() == pytest.approx(expected[1], rel=1e-9)
    assert variance.item() == pytest.approx(expected[2], rel=1e-9)


def test_what_drivers_explain_is_taken_from_what_is_measured(network):
    measured = torch.tensor([[1.0, 1.4, 3.1, 2.0, 2.2]]).double()
    explained = torch.tensor([[0.5, 0.7, 0.9, 1.4, 2.0]]).double()
    one, _ = network.follow(measured, explained, DAYS, torch.tensor([1]))
    other, _ = network.follow(measured - explained, torch.zeros_like(explained), DAYS, torch.tensor([1]))
    for given, same in zip(one, other, strict=True):
        torch.testing.assert_close(given, same)


def test_a_response_knows_only_the_days_before(network):
    """Days after one change nothing of its sums; a difference of sums is the response between two days."""
    random = torch.Generator().manual_seed(1)
    pieces = torch.randn(1, 3, WARM + NEW, 2, generator=random).double()
    plain = torch.randn(1, 3 * NEW, 3, generator=random).double()
    before = network.response.sums([pieces], plain)
    changed, other = pieces.clone(), plain.clone()
    changed[:, 1, WARM + 10 :] += 1
    changed[:, 2] += 1
    other[:, NEW + 10 :] += 1
    after = network.response.sums([changed], other)
    torch.testing.assert_close(after[:, : NEW + 10], before[:, : NEW + 10], rtol=0, atol=0)
    assert (after[:, NEW + 10 :] != before[:, NEW + 10 :]).all()


def test_variances_are_never_zero(network):
    network.spread.fill_(-math.inf)
    assert all((part > 0).all() for part in network._variances(torch.tensor([0, 1])))
