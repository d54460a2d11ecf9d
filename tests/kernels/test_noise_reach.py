"""The reach of neighbour noise, on speckle whose correlation is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from slidecloud import simulate
from slidecloud.kernels.closure import triplets
from slidecloud.kernels.noise_reach import noise_reach
from slidecloud.kernels.phase import encode

PAIRS = np.array([[0, 1], [1, 2], [0, 2], [2, 3], [1, 3]])


def looks(neighbours: tuple[float, float], ramp: float = 0.0) -> simulate.Looks:
    """Four-look pairs of four dates at a coherence around 0.5."""
    phase = ramp * np.arange(4)[:, None, None] * np.arange(200)
    slc = simulate.slc_series(
        5, dates=4, shape=(800, 200), decorrelation_time=20.0, phase=phase, neighbour_correlation=neighbours
    )
    return simulate.form_pairs(slc, PAIRS[:, 0], PAIRS[:, 1], looks=(4, 1))


@pytest.mark.parametrize("ramp", [0.0, 0.3])
def test_white_noise_reaches_nowhere(ramp):
    pairs = looks((0.0, 0.0), ramp)
    assert noise_reach(pairs.phase, pairs.coherence, triplets(*PAIRS.T)) == (0, 0)


def test_oversampled_along_x():
    pairs = looks((0.0, 0.45))
    y, x = noise_reach(pairs.phase, pairs.coherence, triplets(*PAIRS.T))
    assert y == 0
    assert x >= 1


@pytest.mark.parametrize("size", [3, 5])
def test_filtered_phase_reaches_about_its_filter(size):
    pairs = looks((0.0, 0.0))
    z = np.exp(1j * pairs.phase * (np.pi / 32768))
    filtered = encode(np.angle(uniform_filter(z.real, (0, size, size)) + 1j * uniform_filter(z.imag, (0, size, size))))
    reach = noise_reach(filtered, pairs.coherence, triplets(*PAIRS.T))
    assert all(size - 2 <= found <= size for found in reach)


def test_nothing_to_tell():
    pairs = looks((0.0, 0.0))
    assert noise_reach(pairs.phase, np.zeros_like(pairs.coherence), triplets(*PAIRS.T)) == (0, 0)
    assert noise_reach(pairs.phase, pairs.coherence, np.empty((0, 3), np.int64)) == (0, 0)


def test_one_look_closes_and_says_nothing():
    slc = simulate.slc_series(5, dates=4, shape=(64, 64), decorrelation_time=20.0)
    pairs = simulate.form_pairs(slc, PAIRS[:, 0], PAIRS[:, 1])
    assert noise_reach(pairs.phase, pairs.coherence, triplets(*PAIRS.T)) == (0, 0)
