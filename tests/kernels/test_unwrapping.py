"""Unwrapping: smooth surfaces come back, masks stay masks, and nothing but whole turns is ever added."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from slidecloud.kernels.phase import decode, encode
from slidecloud.kernels.unwrapping import unwrap

TURN = 2 * np.pi
METHODS = ["whirlwind", pytest.param("snaphu", marks=pytest.mark.long)]


def surface(shape, *, reach=12.0, spread=8.0, seed=0):
    """A smooth random surface, rad."""
    rough = gaussian_filter(np.random.default_rng(seed).normal(size=shape), reach)
    return spread * rough / rough.std()


def noisy(truth, coherence, looks, seed=0):
    """Binary angles of the phase with the noise of its coherence (Gaussian, as it is at many looks)."""
    spread = np.sqrt((1 - coherence**2) / (2 * looks * coherence**2))
    return encode(truth + spread * np.random.default_rng(seed).normal(size=truth.shape))


def turns_off(found, truth):
    """Whole turns by which a result differs from the truth, less the commonest."""
    apart = np.rint((found - truth) / TURN)
    values, number = np.unique(apart[np.isfinite(apart)], return_counts=True)
    return apart - values[number.argmax()]


def needs(method):
    if method == "snaphu":
        pytest.importorskip("snaphu", reason="SNAPHU is not installed")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("goldstein", [0.0, 0.6])
def test_a_smooth_surface_comes_back(method, goldstein):
    needs(method)
    truth = surface((96, 120))
    coherence = np.full(truth.shape, 0.5)
    angle = noisy(truth, coherence, 10)
    found = unwrap(angle, encode_coherence(coherence), looks=10, method=method, goldstein=goldstein)
    assert not turns_off(found.phase, truth).any()
    assert (found.component == 1).all()


def encode_coherence(coherence):
    return np.rint(255 * coherence).astype(np.uint8)


def test_the_filter_helps_where_noise_breaks_the_phase():
    truth = surface((96, 120), spread=6.0)
    coherence = np.full(truth.shape, 0.3)
    wrong = []
    for goldstein in (0.0, 0.8):
        shares = []
        for seed in range(3):
            angle = noisy(truth, coherence, 2, seed)
            found = unwrap(angle, encode_coherence(coherence), looks=2, goldstein=goldstein)
            shares.append((turns_off(found.phase, truth) != 0).mean())
        wrong.append(np.mean(shares))
    assert wrong[1] < 0.7 * wrong[0]


@given(
    shape=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    missing=st.sampled_from([0.0, 0.3, 0.9]),
    looks=st.sampled_from([0.3, 4.0]),
    goldstein=st.sampled_from([0.0, 0.5, 1.0]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_only_whole_turns_are_added(shape, missing, looks, goldstein, seed):
    """Of pure noise with any mask, single pixels included."""
    rng = np.random.default_rng(seed)
    phase = rng.integers(-32768, 32768, shape).astype(np.int16)
    coherence = np.where(rng.random(shape) < missing, 0, rng.integers(1, 256, shape)).astype(np.uint8)
    found = unwrap(phase, coherence, looks=looks, goldstein=goldstein)
    known = coherence > 0
    assert found.phase.dtype == np.float32
    assert found.component.dtype == np.uint8
    np.testing.assert_array_equal(np.isfinite(found.phase), known)
    assert not found.component[~known].any()
    turns = (found.phase.astype(float) - decode(phase))[known] / TURN
    np.testing.assert_allclose(turns * TURN, np.rint(turns) * TURN, atol=1e-4)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (1, 7), (7, 1), (2, 2), (16, 16)])
def test_any_size(shape):
    row, column = np.indices(shape)
    truth = 0.9 * row + 1.3 * column
    found = unwrap(encode(truth), np.full(shape, 200, np.uint8), looks=10)
    assert found.phase.shape == found.component.shape == shape
    assert not turns_off(found.phase, truth).any() if truth.size else True


@pytest.mark.parametrize("method", METHODS)
def test_nothing_known_stays_unknown(method):
    found = unwrap(np.ones((16, 16), np.int16), np.zeros((16, 16), np.uint8), looks=10, method=method)
    assert np.isnan(found.phase).all()
    assert not found.component.any()


def test_a_constant_stays_one():
    found = unwrap(np.full((20, 30), -31000, np.int16), np.full((20, 30), 150, np.uint8), looks=10)
    assert np.ptp(found.phase) == 0


@pytest.mark.parametrize("method", METHODS)
def test_parts_cut_off_are_components(method):
    """Either side of a gap is right in itself; small parts and incoherent ones belong to no component."""
    needs(method)
    row, column = np.indices((40, 90))
    truth = 0.3 * column + 0.1 * row
    coherence = np.full(truth.shape, 204, np.uint8)
    coherence[:, 45:50] = 0
    coherence[0:8, 82] = coherence[8, 82:90] = 0
    found = unwrap(encode(truth), coherence, looks=10, method=method)
    left, right = found.component[:, :45], found.component[20:, 50:]
    assert left.all()
    assert right.all()
    assert np.ptp(left) == np.ptp(right) == 0
    assert left[0, 0] != right[0, 0]
    assert not found.component[:8, 83:].any()
    assert np.isfinite(found.phase[:8, 83:]).all()
    for part in (np.s_[:, :45], np.s_[20:, 50:]):
        assert not turns_off(found.phase[part], truth[part]).any()


def test_noise_belongs_to_no_component():
    phase = np.random.default_rng(3).integers(-32768, 32768, (64, 64)).astype(np.int16)
    assert not unwrap(phase, np.full((64, 64), 10, np.uint8), looks=4).component.any()


def test_same_input_same_bits():
    truth = surface((60, 80))
    coherence = np.clip(0.4 + surface((60, 80), spread=0.2, seed=1), 0.05, 0.95)
    angle, quality = noisy(truth, coherence, 4), encode_coherence(coherence)
    one, other = (unwrap(angle, quality, looks=4) for _ in range(2))
    assert one.phase.tobytes() == other.phase.tobytes()
    assert one.component.tobytes() == other.component.tobytes()


def test_says_how_to_get_snaphu(monkeypatch):
    monkeypatch.setitem(sys.modules, "snaphu", None)
    with pytest.raises(ImportError, match=r"install slidecloud\[snaphu\]"):
        unwrap(np.zeros((4, 4), np.int16), np.ones((4, 4), np.uint8), looks=4, method="snaphu")


GOOD = np.zeros((4, 5), np.int16), np.ones((4, 5), np.uint8)


@pytest.mark.parametrize(
    ("phase", "coherence", "options", "error", "words"),
    [
        (GOOD[0].astype(np.float32), GOOD[1], {}, TypeError, "encode radians"),
        (GOOD[0], GOOD[1].astype(float), {}, TypeError, "255 times coherence"),
        (GOOD[0], GOOD[1][:3], {}, ValueError, "one shape"),
        (GOOD[0][0], GOOD[1][0], {}, ValueError, "one shape"),
        (*GOOD, {"looks": 0}, ValueError, "effective_looks"),
        (*GOOD, {"looks": np.nan}, ValueError, "effective_looks"),
        (*GOOD, {"method": "magic"}, ValueError, "whirlwind, snaphu"),
        (*GOOD, {"goldstein": 1.5}, ValueError, "0 .no filter. to 1"),
    ],
)
def test_refuses_by_name(phase, coherence, options, error, words):
    with pytest.raises(error, match=words):
        unwrap(phase, coherence, **{"looks": 4, **options})
