"""MUSEnet as published: its sizes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from slidecloud.models.musenet import DENSE, HIDDEN, Musenet


@pytest.mark.parametrize(("inputs", "steps"), [(2, 60), (3, 90)])
def test_sizes_are_those_of_the_publication(inputs, steps):
    """Each input's [n, 30, 4] of [n, 60, 4] or [n, 90, 4] has its LSTM; dense layers 64-128-...-16-1."""
    network = Musenet((30,) * inputs)
    taken = []
    for reader in network.readers:
        assert isinstance(reader, nn.LSTM)
        assert (reader.num_layers, reader.input_size, reader.bidirectional) == (1, 4, False)
        reader.register_forward_pre_hook(lambda _, given: taken.append(tuple(given[0].shape)))
    assert network(torch.zeros(5, steps, 4)).shape == (5,)
    assert taken == [(5, 30, 4)] * inputs
    assert tuple(layer.out_features for layer in network.dense) == (64, 128, 256, 512, 256, 128, 64, 32, 16, 1)
    assert network.dense[0].in_features == steps * HIDDEN


@pytest.mark.parametrize("inputs", [2, 3])
def test_parameters_are_counted(inputs):
    lstm = 4 * HIDDEN * (4 + HIDDEN + 2)
    sizes = (inputs * 30 * HIDDEN, *DENSE)
    dense = sum((sizes[k] + 1) * sizes[k + 1] for k in range(len(DENSE)))
    assert sum(numbers.numel() for numbers in Musenet((30,) * inputs).parameters()) == inputs * lstm + dense


def test_each_lstm_reads_its_own_input():
    network = Musenet((30, 30)).eval()
    sample = torch.randn(4, 60, 4)
    states = []
    network.dense[0].register_forward_pre_hook(lambda _, given: states.append(given[0]))
    network(sample)
    network(torch.cat([sample[:, :30], torch.randn(4, 30, 4)], 1))
    half = 30 * HIDDEN
    assert torch.equal(states[0][:, :half], states[1][:, :half])
    assert not torch.equal(states[0][:, half:], states[1][:, half:])


def test_other_windows_are_refused():
    with pytest.raises(ValueError, match=r"found shape \(5, 90, 4\), expected \(n, 60, 4\)"):
        Musenet((30, 30))(torch.zeros(5, 90, 4))
