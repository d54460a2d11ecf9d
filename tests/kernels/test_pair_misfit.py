"""How far pairs are from what the others agree on: the wrong one of a loop is told from the sound ones."""

from __future__ import annotations

import numpy as np
import pytest
import turns
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.pair_editing import CONTRADICTED, edit
from slidecloud.kernels.pair_misfit import misfit, noise
from slidecloud.kernels.pair_quality import judge

DATES, PIXELS, LOOKS = 12, 300, 16.0
TIME = np.arange(DATES) * 12 / 365.25
REFERENCE, SECONDARY = turns.network(DATES, 3)
NETWORK = {"time": TIME, "looks": LOOKS}


def stack(seed: int, *, scatter: float = 0.2) -> np.ndarray:
    """Dates that wander and pairs with noise of their own, (pair, pixel)."""
    random = np.random.default_rng(seed)
    series = np.cumsum(random.normal(0, 1, (DATES, PIXELS)), axis=0)
    pairs = series[SECONDARY] - series[REFERENCE] + random.normal(0, scatter, (REFERENCE.size, PIXELS))
    return pairs.astype(np.float32)


COHERENCE = np.full((REFERENCE.size, PIXELS), 190, np.uint8)


@given(seed=st.integers(0, 10_000), pair=st.integers(3, REFERENCE.size - 4), share=st.floats(0.2, 1))
@settings(max_examples=20, deadline=None)
def test_the_wrong_pair_is_told_from_those_it_shares_loops_with(seed, pair, share):
    phase = stack(seed)
    number = int(share * PIXELS)
    phase[pair, :number] += np.float32(2 * np.pi)
    found = misfit(phase, COHERENCE, REFERENCE, SECONDARY, **NETWORK)
    assert found.off[pair, :number].mean() > 0.95
    assert not np.delete(found.off, pair, axis=0).any()
    assert found.rms.argmax() == pair


def test_what_nothing_checks_contradicts_nothing():
    chain = np.arange(DATES - 1), np.arange(1, DATES)
    phase = np.random.default_rng(0).normal(0, 20, (DATES - 1, PIXELS)).astype(np.float32)
    found = misfit(phase, COHERENCE[: DATES - 1], *chain, **NETWORK)
    assert not found.off.any()
    assert found.rms.max() < 1e-3
    told = noise(phase, COHERENCE[: DATES - 1], *chain, **NETWORK)
    assert np.isnan(told.pairs).all()
    assert np.isnan(told.dates).all()


def test_missing_pixels_are_not_off():
    phase = stack(1)
    phase[5] = np.nan
    found = misfit(phase, COHERENCE, REFERENCE, SECONDARY, **NETWORK)
    assert not found.off[5].any()
    assert np.isnan(found.rms[5])


@pytest.mark.parametrize("scatter", [0.1, 0.6])
def test_noise_of_pairs_and_dates_is_what_was_put_in(scatter):
    """Noise of its own in each pair is that of its two dates in equal parts."""
    found = noise(stack(2, scatter=scatter), COHERENCE, REFERENCE, SECONDARY, **NETWORK)
    assert np.sqrt(np.mean(found.pairs**2)) == pytest.approx(scatter, rel=0.03)
    assert np.allclose(found.dates, scatter / np.sqrt(2), rtol=0.15)


def test_a_noisy_date_is_told():
    phase = stack(3)
    wild = np.flatnonzero((REFERENCE == 6) | (SECONDARY == 6))
    phase[wild] += np.random.default_rng(4).normal(0, 1, (wild.size, PIXELS)).astype(np.float32)
    found = noise(phase, COHERENCE, REFERENCE, SECONDARY, **NETWORK)
    assert found.dates.argmax() == 6
    assert found.dates[6] > 2 * np.delete(found.dates, 6).max()


def test_pairs_are_left_out_for_what_they_contradict_or_how_far_they_are_off():
    quality = judge(stack(5), COHERENCE, REFERENCE, SECONDARY)
    share, rms = np.full(REFERENCE.size, 0.02), np.full(REFERENCE.size, 0.2)
    share[7], rms[9], rms[11] = 0.3, 1.7, 1.4
    found = edit(quality, REFERENCE, SECONDARY, contradicted=share, misfit=rms)
    assert np.flatnonzero(~found.kept).tolist() == [7, 9]
    assert set(found.why[[7, 9]]) == {CONTRADICTED}
    assert "contradict it on 30.0 % of its pixels, most 16.0 %" in found.reasons[7]
    assert "1.70 rad RMS off the series of the other pairs, most 1.50" in found.reasons[9]
    # Where all are as bad, none stands out.
    alike = edit(quality, REFERENCE, SECONDARY, contradicted=share * 0 + 0.3, misfit=rms * 0 + 2)
    assert alike.kept.all()
    with pytest.raises(ValueError, match="contradicted: found 2, expected one for each of"):
        edit(quality, REFERENCE, SECONDARY, contradicted=[0.1, 0.2])
