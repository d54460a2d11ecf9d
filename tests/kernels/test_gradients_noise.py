"""Bias and sigma of the gradient estimators on simulated speckle."""

from __future__ import annotations

import numpy as np
import pytest
import speckle

from slidecloud.kernels import gradients

SLOPE = 0.05
MARGIN = (slice(8, -8), slice(8, -8))


def one_step_with_shared_pixels(pairs, window=10):
    """Products of full windows one step apart along x, the shared pixels left in: what `overlap` mends."""
    z = pairs.coherence / 255.0 * np.exp(1j * pairs.phase * (np.pi / 32768))
    sums = np.lib.stride_tricks.sliding_window_view(z, (window, window), axis=(1, 2)).sum(axis=(3, 4))
    return np.angle(np.sum(sums[:, :, 1:] * sums[:, :, :-1].conj(), axis=0))


def slopes(estimator, pairs):
    """Estimates of the gradient along x away from the edges."""
    if estimator == "one step":
        return one_step_with_shared_pixels(pairs)
    return gradients.stack(
        pairs.phase, pairs.coherence, reference=pairs.reference, secondary=pairs.secondary, estimator=estimator
    ).x[MARGIN]


def bias_and_rmse(estimator, make, seeds):
    """Relative bias and RMSE in rad over all pixels of several realisations."""
    error = np.concatenate([slopes(estimator, make(np.random.default_rng(s))).ravel() - SLOPE for s in range(seeds)])
    return error.mean() / SLOPE, np.sqrt(np.mean(error**2))


def white(looks, shape):
    level = np.full(60, 0.05)
    return lambda generator: speckle.white_pairs(
        generator, speckle.ramp(shape, SLOPE, 0.0), coherence=level, looks=looks
    )


def fair(looks, shape):
    return lambda generator: speckle.white_pairs(
        generator, speckle.ramp(shape, SLOPE, 0.0), coherence=np.full(60, 0.4), looks=looks
    )


def mixed(looks, shape):
    level = np.where(np.arange(60) % 4 == 0, 0.4, 0.03)
    return lambda generator: speckle.white_pairs(
        generator, speckle.ramp(shape, SLOPE, 0.0), coherence=level, looks=looks
    )


def oversampled(looks, shape):
    return lambda generator: speckle.correlated_pairs(
        generator, speckle.ramp(shape, SLOPE, 0.0), coherence=0.05, looks=looks, pairs=60,
        kernel_y=(0.3, 1.0), kernel_x=(0.3, 1.0), estimate=5,
    )  # fmt: skip


# Scene, looks, estimator, expected relative bias with its tolerance, expected RMSE (None: not tabulated).
TABLE = [
    (white, 4, "sum", -0.48, 0.05, 0.066),
    (white, 4, "one step", -0.55, 0.05, 0.041),
    (white, 16, "overlap", 0.01, 0.03, 0.024),
    (white, 16, "coherent", 0.01, 0.03, 0.020),
    (fair, 4, "sum", 0.0, 0.01, 0.006),
    (fair, 4, "one step", -0.01, 0.01, 0.006),
    (fair, 4, "overlap", 0.01, 0.015, 0.006),
    (fair, 4, "coherent", 0.0, 0.01, None),
    # The share of pixels whose difference wraps, and with it the bias, depends on how the weights of the poor pairs
    # were estimated; here they are the true 0.03.
    (mixed, 3, "sum", -0.63, 0.06, 0.074),
    (mixed, 3, "one step", -0.02, 0.03, 0.013),
    (mixed, 3, "overlap", 0.01, 0.02, 0.013),
    (mixed, 3, "coherent", 0.0, 0.02, 0.011),
    (oversampled, 8, "one step", -0.45, 0.05, None),
    (oversampled, 8, "overlap", -0.30, 0.05, None),
    (oversampled, 8, "coherent", -0.02, 0.04, 0.044),
]


@pytest.mark.parametrize(("scene", "looks", "estimator", "bias", "tolerance", "rmse"), TABLE)
def test_biases_of_the_estimators(scene, looks, estimator, bias, tolerance, rmse):
    shape = (60, 200) if scene is oversampled else (80, 160)
    found, spread = bias_and_rmse(estimator, scene(looks, shape), 1)
    assert found == pytest.approx(bias, abs=2.5 * tolerance)
    if rmse is not None:
        assert spread == pytest.approx(rmse, rel=0.3)


@pytest.mark.long
@pytest.mark.parametrize(("scene", "looks", "estimator", "bias", "tolerance", "rmse"), TABLE)
def test_biases_of_the_estimators_in_full(scene, looks, estimator, bias, tolerance, rmse):
    found, spread = bias_and_rmse(estimator, scene(looks, (120, 240)), 8)
    print(f"{scene.__name__} {looks} looks {estimator}: bias {100 * found:+.1f} % RMSE {spread:.4f}")  # noqa: T201
    assert found == pytest.approx(bias, abs=tolerance)
    if rmse is not None:
        assert spread == pytest.approx(rmse, rel=0.2)


def tenth_white(generator, shape):
    return speckle.white_pairs(generator, speckle.ramp(shape, SLOPE, 0.0), coherence=np.full(60, 0.1), looks=16)


def tenth_azimuth(generator, shape):
    # The interferogram's noise correlates as the square of the SLC's: 0.36² = 0.13 between rows.
    return speckle.correlated_pairs(
        generator, speckle.ramp(shape, SLOPE, 0.0), coherence=0.1, looks=12, pairs=60, kernel_y=(0.426, 1.0)
    )


def tenth_estimated(generator, shape):
    return speckle.correlated_pairs(
        generator, speckle.ramp(shape, SLOPE, 0.0), coherence=0.1, looks=12, pairs=60, estimate=5
    )


def mean_slope_error(make, shape, seeds):
    found = []
    for seed in range(seeds):
        pairs = make(np.random.default_rng(100 + seed), shape)
        stack = gradients.stack(pairs.phase, pairs.coherence, reference=pairs.reference, secondary=pairs.secondary)
        found.append([stack.x[MARGIN].mean() / SLOPE - 1, stack.y[MARGIN].mean() / SLOPE])
    return np.mean(found, axis=0)


@pytest.mark.parametrize("make", [tenth_white, tenth_azimuth, tenth_estimated])
def test_coherent_is_unbiased_at_a_tenth(make):
    along, across = mean_slope_error(make, (100, 300), 1)
    assert abs(along) < 0.06  # one realisation scatters by 2 %
    assert abs(across) < 0.06


@pytest.mark.long
@pytest.mark.parametrize("make", [tenth_white, tenth_azimuth, tenth_estimated])
def test_coherent_is_within_three_percent_at_a_tenth(make):
    along, across = mean_slope_error(make, (200, 400), 10)
    print(f"{make.__name__}: {100 * along:+.2f} % along, {100 * across:+.2f} % across")  # noqa: T201
    assert abs(along) < 0.03
    assert abs(across) < 0.03


def standardised(dates, longest, decorrelation, turbulent, seeds, **options):
    """(estimate - truth) / sigma at windows that do not overlap, x and y."""
    values = []
    for seed in range(seeds):
        pairs = speckle.series_pairs(
            np.random.default_rng(seed), (130, 260), dates=dates, longest=longest, decorrelation=decorrelation, looks=4,
            gradient=(SLOPE, -0.02), turbulent=turbulent,
        )  # fmt: skip
        stack = gradients.stack(
            pairs.phase, pairs.coherence, reference=pairs.reference, secondary=pairs.secondary, **options
        )
        inner = (slice(8, -8, 10), slice(8, -8, 10))
        values += [
            ((stack.x - SLOPE) / stack.x_sigma)[inner].ravel(),
            ((stack.y + 0.02) / stack.y_sigma)[inner].ravel(),
        ]
    return np.concatenate(values)


@pytest.mark.parametrize("decorrelation", [12.0, 24.0])
@pytest.mark.parametrize("turbulent", [0.0, 0.02])
def test_sigma_is_the_scatter_of_the_errors(decorrelation, turbulent):
    values = standardised(24, 3, decorrelation, turbulent, 2)
    assert np.all(np.isfinite(values))
    assert 0.9 < np.std(values) < 1.15


@pytest.mark.long
@pytest.mark.parametrize("decorrelation", [12.0, 24.0])
@pytest.mark.parametrize("turbulent", [0.0, 0.02, 0.04])
@pytest.mark.parametrize(("dates", "longest"), [(22, 3), (30, 2), (60, 3)])
def test_sigma_over_networks(decorrelation, turbulent, dates, longest):
    values = standardised(dates, longest, decorrelation, turbulent, 8)
    spread = np.std(values)
    print(f"{dates} dates, {longest} steps, {decorrelation} days, {turbulent} rad: {spread:.3f}")  # noqa: T201
    # Strong atmosphere cancels between the dates of a long network: what is left of it is known from few dates.
    assert 0.9 < spread < (1.15 if turbulent < 0.04 else 1.3)


@pytest.mark.long
@pytest.mark.parametrize("estimator", ["overlap", "coherent"])
@pytest.mark.parametrize("window", [6, 10])
def test_sigma_of_other_windows(estimator, window):
    values = standardised(30, 3, 24.0, 0.0, 4, estimator=estimator, window=window)
    assert 0.85 < np.std(values) < 1.2
