"""Fitting small networks in steps: interrupted or not the same, and what goes wrong is named."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from slidecloud.models import fitting
from slidecloud.models.fitting import Plan, draws, fit, seeded
from slidecloud.types import DataError

PLAN = Plan(steps=250, batch=16, rate=1e-2, seed=3)
DRAW = draws(np.zeros(64, np.int64), PLAN)


def line(plan=PLAN, *, file=None, draw=None, network=None):
    """Learn y = 2 x - 1 from 64 numbers."""
    made = network or seeded(lambda: nn.Linear(1, 1), plan.seed, torch.device("cpu"))
    x = torch.linspace(-1, 1, 64)[:, None]

    def loss(numbers):
        return ((made(x[numbers]) - (2 * x[numbers] - 1)) ** 2).mean()

    fit(made, loss, draw=draw or DRAW, plan=plan, file=file)
    return made.weight.item(), made.bias.item()


class Killed(BaseException):
    """As a process that ends between two steps."""


def kill_at(step):
    def draw(number):
        if number == step:
            raise Killed
        return DRAW(number)

    return draw


def test_a_line_is_learnt():
    weight, bias = line(Plan(steps=800, batch=16, rate=5e-2, seed=3))
    assert weight == pytest.approx(2, abs=1e-3)
    assert bias == pytest.approx(-1, abs=1e-3)


def test_a_killed_fit_goes_on_to_the_same_bits(tmp_path):
    whole = line()
    file = tmp_path / "line.pt"
    for step in (130, 249):
        with pytest.raises(Killed):
            line(file=file, draw=kill_at(step))
    assert line(file=file) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["line.pt"]


def test_a_finished_fit_is_not_done_again(tmp_path):
    file = tmp_path / "line.pt"
    whole = line(file=file)
    before = file.read_bytes()
    assert line(file=file, draw=kill_at(0)) == whole
    assert file.read_bytes() == before


def test_the_seed_alone_makes_the_first_weights():
    first = torch.rand(1)
    one, same, other = (seeded(lambda: nn.Linear(3, 3), seed, torch.device("cpu")) for seed in (1, 1, 2))
    assert torch.equal(one.weight, same.weight)
    assert not torch.equal(one.weight, other.weight)
    assert not torch.equal(torch.rand(1), first)


def test_steps_draw_from_few_groups_where_there_are_many():
    group = np.repeat(np.arange(100), 5)
    draw = draws(group, PLAN)
    for step in range(5):
        assert len(np.unique(group[draw(step)])) <= fitting._GROUPS
        assert len(draw(step)) == PLAN.batch
        assert np.array_equal(draw(step), draw(step))
    assert not np.array_equal(draw(0), draw(1))
    every = np.concatenate([draw(step) for step in range(400)])
    assert len(np.unique(group[every])) == 100


def test_a_damaged_checkpoint_is_named(tmp_path):
    file = tmp_path / "line.pt"
    file.write_bytes(b"no longer")
    with pytest.raises(DataError, match=r"line\.pt' cannot be read .*Remove it"):
        line(file=file)


def test_a_checkpoint_of_another_network_is_named(tmp_path):
    file = tmp_path / "line.pt"
    line(file=file)
    with pytest.raises(DataError, match=r"line\.pt' cannot be read"):
        line(file=file, network=nn.Linear(2, 1))


def test_a_loss_that_runs_away_ends_the_fit():
    with pytest.raises(DataError, match=r"The loss is (nan|inf) after .*learning rate below"):
        line(Plan(steps=50, batch=16, rate=1e30))
