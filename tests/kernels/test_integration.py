"""Velocity put together from gradients."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from slidecloud.kernels import gradients
from slidecloud.kernels._integration_solver import Blocks, Problem
from slidecloud.kernels.injection import standard_slide
from slidecloud.kernels.integration import gradient_rates, integrate
from slidecloud.kernels.phase import encode

SHAPE = (72, 64)
SPAN = 0.1
METRES = -0.0555 / (4 * np.pi)


def measured(velocity, *, window=10, noise=0.0, seed=0, pairs=1):
    """Gradient rates that stacking finds for ground of a velocity in white phase noise, m/yr per pixel."""
    phase = velocity.astype(np.float64) * SPAN / METRES
    rng = np.random.default_rng(seed)
    stack = encode(np.stack([phase + noise * rng.standard_normal(phase.shape) for _ in range(pairs)]))
    found = gradients.stack(
        stack, np.full(stack.shape, 200, np.uint8), reference=np.arange(pairs) * 2, secondary=np.arange(pairs) * 2 + 1,
        span=np.full(pairs, SPAN), window=window,
    )  # fmt: skip
    return gradient_rates(found, wavelength=-4 * np.pi * METRES)[:2]


def level(value):
    return np.full(SHAPE, value, np.float32)


def mound(centre=(35.3, 31.7), size=7.0, rate=-0.03):
    rows, columns = np.indices(SHAPE)
    return rate * np.exp(-0.5 * ((rows - centre[0]) ** 2 + (columns - centre[1]) ** 2) / size**2)


def around(velocity):
    return np.abs(velocity) < 0.02 * np.abs(velocity).max()


@pytest.mark.parametrize("window", [10, 7, 5])
def test_a_mound_comes_back_in_size_and_place(window):
    truth = mound()
    x, y = measured(truth, window=window)
    found = integrate(x, y, level(1e-4), level(1e-4), stable=around(truth), window=window, draws=0)
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_allclose(found.velocity[inner], truth[inner], atol=0.02 * 0.03)
    # Even windows lie half a pixel after their pixel; what is put together does not.
    weight = found.velocity[inner] / found.velocity[inner].sum()
    centre = [np.sum(weight * each[inner]) for each in np.indices(SHAPE)]
    np.testing.assert_allclose(centre, (35.3, 31.7), atol=0.1)


def test_a_slide_as_small_as_two_windows_is_not_smoothed_away():
    truth = standard_slide(SHAPE, (36, 32), length=24, width=18, rate=0.02, margin=0.35)
    x, y = measured(truth)
    found = integrate(x, y, level(1e-4), level(1e-4), stable=~ndimage.binary_dilation(truth > 0, iterations=3), draws=0)
    inside = truth > 0.2 * 0.02
    kept = (found.velocity * truth)[inside].sum() / (truth[inside] ** 2).sum()
    # Stated in the notes: 97 % where local slopes give 85 %.
    assert 0.93 < kept < 1.01
    assert found.false_offset < 0.1 * 0.02


def test_it_turns_and_changes_sign_with_its_gradients():
    truth = mound()
    x, y = measured(truth, noise=0.3, pairs=4)
    # A window of ten lies half a pixel after its pixel, so mirrored maps are one pixel short.
    x, y, sigma = x[:-1, :-1], y[:-1, :-1], level(1e-4)[:-1, :-1]
    stable = around(truth)[:-1, :-1]
    plain = integrate(x, y, sigma, sigma, stable=stable, draws=0).velocity
    np.testing.assert_allclose(integrate(-x, -y, sigma, sigma, stable=stable, draws=0).velocity, -plain, atol=1e-7)
    doubled = integrate(2 * x, 2 * y, 2 * sigma, 2 * sigma, stable=stable, draws=0).velocity
    np.testing.assert_allclose(doubled, 2 * plain, rtol=1e-4, atol=1e-7)
    across = integrate(y.T, x.T, sigma.T, sigma.T, stable=stable.T, draws=0).velocity
    np.testing.assert_allclose(across.T, plain, atol=1e-5)


def test_it_is_the_least_squares_solution():
    rng = np.random.default_rng(3)
    blocks = Blocks((12, 11), (3, 3), (1, 1))
    sigma = np.exp(rng.normal(0, 0.5, (2, 12, 11)))
    sigma[:, 4:6, 3:5] = np.inf
    data = np.where(np.isfinite(sigma), rng.normal(size=sigma.shape), 0.0)
    problem = Problem(blocks, data, sigma, smooth=3.0)
    hold = np.where(rng.random((12, 11)) > 0.4, 0.3, 0.0)
    unit = np.eye(np.prod(blocks.padded)).reshape(-1, *blocks.padded)
    rows, columns = blocks.shape
    design = blocks.see(unit).reshape(len(unit), -1)
    held = unit[:, :rows, :columns].reshape(len(unit), -1)
    square = sum(np.meshgrid(*((2 * np.pi * np.fft.fftfreq(n)) ** 2 for n in blocks.padded), indexing="ij"))
    shortest = (2 * np.pi / 3.0) ** 2
    rough = np.fft.ifft2(shortest * (square / shortest) ** 3 * np.fft.fft2(unit)).real.reshape(len(unit), -1)
    normal = (design * problem.weight.ravel()) @ design.T + (held * hold.ravel()) @ held.T + rough
    exact = np.linalg.solve(normal, design @ (problem.weight * data).ravel())
    exact = exact.reshape(blocks.padded)[:rows, :columns]
    found = problem.solve(data[None], hold)[0]
    assert np.abs(found - exact).max() < 0.02 * np.abs(exact).max()


def test_a_gradient_is_that_of_stacking():
    truth = mound()
    blocks = Blocks(SHAPE, (10, 10), (4, 4))
    padded = np.zeros(blocks.padded)
    padded[: SHAPE[0], : SHAPE[1]] = truth
    inner = (slice(5, -6), slice(5, -6))
    for expected, found in zip(blocks.see(padded), measured(truth), strict=True):
        np.testing.assert_allclose(found[inner], expected[inner], atol=2e-3 * np.abs(expected).max())


def test_holes_are_bridged_and_what_is_cut_off_is_left_out():
    truth = mound()
    x, y = measured(truth)
    x[30:34, 28:32] = y[30:34, 28:32] = np.nan
    sigma = level(1e-4)
    found = integrate(x, y, sigma, sigma, stable=around(truth), draws=0)
    assert np.abs(found.velocity - truth)[20:50, 20:45].max() < 0.05 * 0.03
    x[:, 40:] = y[:, 40:] = np.nan
    x[30:34, 60:] = y[30:34, 60:] = 1e-3
    stable = around(truth)
    stable[:, 45:] = False
    cut = integrate(x, y, sigma, sigma, stable=stable, draws=0).velocity
    assert np.isfinite(cut[36, 20])
    assert np.isnan(cut[10, 52])
    assert np.isnan(cut[32, 62])


def test_sigma_is_that_of_the_velocity():
    """White phase noise alone, patches of ground at rest: errors over sigma where velocity is free."""
    free = standard_slide(SHAPE, (36, 32), length=26, width=26, rate=1.0) > 0
    sigma = level(0.6 * abs(METRES) / SPAN / np.sqrt(12) * np.sqrt(2 / 40) / 6)
    score = []
    for seed in range(4):
        x, y = measured(np.zeros(SHAPE), noise=0.6, pairs=12, seed=seed)
        found = integrate(x, y, sigma, sigma, stable=~free)
        assert found.sigma_factor < 1.3
        score.append((found.velocity / found.sigma)[free])
    # Four patches of about eight independent values each tell it to an eighth; sigma itself comes from six draws.
    assert float(np.sqrt(np.mean(np.square(score)))) == pytest.approx(1.0, abs=0.3)


def test_what_moves_on_stable_ground_shows():
    truth = mound((20, 32), 5.0)
    stable = np.ones(SHAPE, bool)
    stable[4:36, 14:50] = False
    found = []
    for rate in (0.0, 0.01):
        x, y = measured(truth + mound((52, 32), 5.0, rate=rate))
        found.append(integrate(x, y, level(1e-4), level(1e-4), stable=stable, draws=0).false_offset)
    # The squares set free cut through it and hold some of it at zero.
    assert found[0] < 0.001
    assert 0.005 < found[1] < 0.012


def test_equal_input_gives_equal_sigma():
    truth = mound()
    x, y = measured(truth, noise=0.3)
    once, again = (integrate(x, y, level(1e-3), level(1e-3), stable=around(truth), draws=4) for _ in range(2))
    np.testing.assert_array_equal(once.sigma, again.sigma)
    without = integrate(x, y, level(1e-3), level(1e-3), stable=around(truth), draws=0)
    assert np.isnan(without.sigma).all()
    np.testing.assert_allclose(without.velocity, once.velocity, atol=2e-4)


def test_bad_input_is_named():
    x, sigma, stable = level(0.0), level(1e-4), np.ones(SHAPE, bool)
    with pytest.raises(ValueError, match="one shape"):
        integrate(x, x[1:], sigma, sigma, stable=stable)
    with pytest.raises(ValueError, match="expected bool"):
        integrate(x, x, sigma, sigma, stable=stable.astype(int))
    with pytest.raises(ValueError, match="no gradient with a sigma"):
        integrate(x * np.nan, x, sigma, sigma * 0, stable=stable)
    with pytest.raises(ValueError, match="no stable pixel"):
        integrate(x, x, sigma, sigma, stable=~stable)
    with pytest.raises(ValueError, match="hold, smooth"):
        integrate(x, x, sigma, sigma, stable=stable, smooth=0)
    with pytest.raises(ValueError, match="window"):
        integrate(x, x, sigma, sigma, stable=stable, window=2)
