"""What the kernels are compared with gives the same results: nobody is faster by doing less."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest

from slidecloud.kernels import gradients, sbas
from slidecloud.pipeline import plain_gradients, plain_sbas
from slidecloud.pipeline.bench_networks import network, unwrapped

NETWORK = network(16, 3)
INNER = (slice(40, -40), slice(40, -40))
"""Where the mean ratios that sigma rests on, three grid points to each side, see no border."""


@pytest.mark.parametrize("holes", [False, True])
def test_plain_gradients_agree_with_the_kernel(holes: bool) -> None:
    """A noisy plane: the same maps up to rounding; with holes, up to the distances of each pair's own blocks."""
    generator = np.random.default_rng(0)
    y, x = np.mgrid[:120, :140]
    noise = generator.normal(0, 0.4, (len(NETWORK.reference), *x.shape))
    phase = np.rint((0.05 * x - 0.03 * y + noise) * 32768 / np.pi).astype(np.int64).astype(np.int16)
    coherence = generator.integers(20, 256, phase.shape, np.uint8)
    if holes:
        coherence[:, 50:60, 50:58] = 0
        coherence[generator.random(coherence.shape) < 0.02] = 0
    pairs = {"reference": NETWORK.reference, "secondary": NETWORK.secondary, "span": NETWORK.span}
    plain, kernel = plain_gradients.stack(phase, coherence, **pairs), gradients.stack(phase, coherence, **pairs)
    fixed_point = 2e-5  # the kernel's samples are rounded to 1/127 of the coherence, which noise averages
    limits = {"x": 1e-3, "y": 1e-3, "x_sigma": 3e-5, "y_sigma": 3e-5} if holes else {}
    for name in plain._fields:
        found, expected = getattr(plain, name)[INNER], getattr(kernel, name)[INNER]
        if holes and name.endswith("sigma"):  # around holes of all pairs the plain grid has no neighbours to lean on
            expected = np.where(np.isfinite(found), expected, np.nan)
            assert np.isfinite(found).mean() > 0.85
        np.testing.assert_allclose(found, expected, atol=limits.get(name, fixed_point), rtol=1e-5, err_msg=name)
    assert np.isnan(plain.x[: plain_gradients.BORDER]).all()
    np.testing.assert_allclose(np.nanmedian(plain.x[INNER]), 0.05, atol=1e-3)
    np.testing.assert_allclose(np.nanmedian(plain.y[INNER]), -0.03, atol=1e-3)


def test_least_squares_agree_with_the_kernel() -> None:
    chosen = network(12, 3)
    phase, weight = unwrapped(chosen, 6)
    plain = plain_sbas.lstsq_series(phase, weight, chosen.reference, chosen.secondary)
    kernel = sbas.invert(phase, weight, chosen.reference, chosen.secondary, time=chosen.time)
    np.testing.assert_allclose(kernel.series[1:], plain, atol=1e-4)


def test_shared_inverse_agrees_with_the_kernel_where_all_pairs_weigh_the_same() -> None:
    chosen = network(12, 5)
    phase, _ = unwrapped(chosen, 6)
    inverse = plain_sbas.shared_inverse(chosen.reference, chosen.secondary)
    kernel = sbas.invert(phase, np.ones_like(phase), chosen.reference, chosen.secondary, time=chosen.time)
    np.testing.assert_allclose(kernel.series[1:], inverse @ phase, atol=1e-4)


def test_mintpy_is_left_out_where_it_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_sbas, "find_spec", lambda _: None)
    assert plain_sbas.mintpy_solver(NETWORK.reference, NETWORK.secondary, NETWORK.time) is None


def test_mintpy_is_asked_for_the_weighted_series_of_each_pixel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with its signature solves what it is given; the matrices must be those of the network."""

    def estimate_timeseries(A, B, y, tbase_diff, weight_sqrt=None, inv_quality_name="", print_msg=True):
        root = weight_sqrt[:, 0]
        phases = np.linalg.lstsq(A * root[:, None], y[:, 0] * root, rcond=None)[0]
        rates = np.linalg.lstsq(B * root[:, None], y[:, 0] * root, rcond=None)[0]
        np.testing.assert_allclose(np.cumsum(rates * tbase_diff[:, 0]), phases, atol=1e-4)
        return np.concatenate([[0], phases])[:, None], 0.0, len(y)

    module = types.ModuleType("mintpy.ifgram_inversion")
    module.estimate_timeseries = estimate_timeseries
    monkeypatch.setitem(sys.modules, "mintpy", types.ModuleType("mintpy"))
    monkeypatch.setitem(sys.modules, "mintpy.ifgram_inversion", module)
    monkeypatch.setattr(plain_sbas, "find_spec", lambda _: True)
    phase, weight = unwrapped(NETWORK, 4)
    solve = plain_sbas.mintpy_solver(NETWORK.reference, NETWORK.secondary, NETWORK.time)
    assert solve is not None
    expected = plain_sbas.lstsq_series(phase, weight, NETWORK.reference, NETWORK.secondary)
    np.testing.assert_allclose(solve(phase, weight)[1:], expected, atol=1e-4)
