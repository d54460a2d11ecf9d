"""Quality of pairs and dates: what was put in is named, what links dates stays, every reason is in words."""

from __future__ import annotations

import numpy as np
import pytest
import turns
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels.pair_editing import edit
from slidecloud.kernels.pair_quality import judge, noise_of_dates


def quality(reference, secondary, *, bad=(), noise=0.2, coherence=200, missing=()):
    """Quality of a stack of noise; `bad` pairs have turns all over the place."""
    rng = np.random.default_rng(0)
    phase = noise * rng.normal(size=(reference.size, 400))
    for pair in bad:
        phase[pair] += 2 * np.pi * rng.integers(-1, 2, 400)
    phase[list(missing)] = np.nan
    stored = np.where(np.isfinite(phase), coherence, 0).astype(np.uint8)
    return judge(phase.astype(np.float32), stored, reference, secondary)


def test_figures_are_those_of_the_noise():
    reference, secondary = turns.network(20, 3)
    found = quality(reference, secondary, missing=[5])
    inside = np.isfinite(found.closure_rms)
    np.testing.assert_allclose(found.closure_rms[inside], 0.2 * np.sqrt(3), rtol=0.1)
    np.testing.assert_array_equal(np.flatnonzero(~inside), [5])
    assert (found.bad_loops[inside] == 0).all()
    np.testing.assert_allclose(found.coherence[inside], 200 / 255)
    assert found.coverage[5] == 0
    assert np.isnan(found.coherence[5])


def test_bad_pairs_go_and_their_neighbours_stay():
    reference, secondary = turns.network(20, 3)
    bad = [7, 30, 31]
    result = edit(quality(reference, secondary, bad=bad), reference, secondary)
    np.testing.assert_array_equal(np.flatnonzero(~result.kept), bad)
    for pair in range(reference.size):
        assert bool(result.reasons[pair]) == (pair in bad)
    assert "off by more than half a turn, most 25.0 %" in result.reasons[7]
    assert result.network == ("51 of 54 pairs remain and link 20 of 20 dates.",)


def test_a_sound_network_stays_whole():
    reference, secondary = turns.network(12, 2)
    result = edit(quality(reference, secondary), reference, secondary, coherence=0.5, coverage=0.9)
    assert result.kept.all()
    assert not any(result.reasons)


def test_the_last_link_stays_and_says_so():
    """A chain with one incoherent pair: without it the dates fall apart."""
    reference, secondary = turns.network(6, 1)
    found = quality(reference, secondary)
    found.coherence[2] = 0.1
    stays = edit(found, reference, secondary, coherence=0.3)
    assert stays.kept.all()
    assert stays.reasons[2] == (
        "pair 2 (dates 2 and 3) stays, for nothing else links its dates, "
        "although its mean coherence is 0.10, least 0.30."
    )
    goes = edit(found, reference, secondary, coherence=0.3, keep_linked=False, names=tuple("abcde"))
    np.testing.assert_array_equal(np.flatnonzero(~goes.kept), [2])
    assert goes.reasons[2] == "c is left out: its mean coherence is 0.10, least 0.30."
    assert goes.network == ("4 of 5 pairs remain, over 6 of 6 dates in 2 groups that no pair joins.",)


def test_pairs_without_data_go_whatever_they_link():
    reference, secondary = turns.network(4, 1)
    result = edit(quality(reference, secondary, missing=[2]), reference, secondary)
    assert result.reasons[2] == "pair 2 (dates 2 and 3) is left out: it has no data."
    assert result.network == ("2 of 3 pairs remain and link 3 of 4 dates.", "Without any pair: dates 3.")


@given(seed=st.integers(0, 1000), reach=st.integers(1, 4), limit=st.floats(0, 1))
@settings(max_examples=40, deadline=None)
def test_dates_stay_linked(seed, reach, limit):
    rng = np.random.default_rng(seed)
    reference, secondary = turns.network(9, reach)
    found = quality(reference, secondary, bad=rng.choice(reference.size, 3, replace=False))
    found = found._replace(coherence=rng.random(reference.size))
    result = edit(found, reference, secondary, coherence=limit)
    assert result.network == (f"{result.kept.sum()} of {reference.size} pairs remain and link 9 of 9 dates.",)
    assert all(bool(reason) or kept for reason, kept in zip(result.reasons, result.kept, strict=True))


def test_noise_of_dates_comes_back():
    reference, secondary = turns.network(15, 3)
    noise = np.random.default_rng(1).uniform(0.1, 1.5, 15)
    found = noise_of_dates(noise[reference] ** 2 + noise[secondary] ** 2, reference, secondary, dates=16)
    np.testing.assert_allclose(found[:15], noise, rtol=1e-3)
    assert np.isnan(found[15])


def test_one_noisy_date_stands_out_of_residuals():
    reference, secondary = turns.network(15, 3)
    rng = np.random.default_rng(2)
    date = rng.normal(0, 0.1, (15, 500))
    date[6] *= 10
    residual = date[secondary] - date[reference] + 0.05 * rng.normal(size=(reference.size, 500))
    found = noise_of_dates((residual**2).mean(axis=1), reference, secondary, dates=15)
    assert found.argmax() == 6
    assert found[6] == pytest.approx(1.0, rel=0.1)


def test_a_chain_shares_its_noise():
    """Dates of a chain are not determined; what is given fits, and none is below zero."""
    found = noise_of_dates([2.0, np.nan], [0, 1], [1, 2], dates=3)
    np.testing.assert_allclose(found[:2], 1, rtol=1e-3)
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("options", "words"),
    [({"bad_loops": 1.5}, "bad_loops"), ({"coherence": -1}, "coherence"), ({"names": ("a",)}, "one for each of 3")],
)
def test_refuses_by_name(options, words):
    reference, secondary = turns.network(4, 1)
    with pytest.raises(ValueError, match=words):
        edit(quality(reference, secondary), reference, secondary, **options)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match="of 3 pairs"):
        judge(np.zeros((3, 4), np.float32), np.zeros((3, 5), np.uint8), [0, 1, 2], [1, 2, 3])
    with pytest.raises(ValueError, match="one shape"):
        noise_of_dates([1.0], [0, 1], [1, 2], dates=3)
    with pytest.raises(ValueError, match="expected 0 or more"):
        noise_of_dates([-1.0], [0], [1], dates=2)
