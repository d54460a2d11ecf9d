"""Speckle has the statistics of theory."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, special, stats

from slidecloud import simulate
from slidecloud.kernels import phase as binary_angle


def multilook_density(phi, gamma, looks):
    """Lee et al. (1994), equation 18, mean phase 0."""
    beta = gamma * np.cos(phi)
    first = special.gamma(looks + 0.5) / (2.0 * np.sqrt(np.pi) * special.gamma(looks)) * (1 - gamma**2) ** looks
    first = first * beta / (1.0 - beta**2) ** (looks + 0.5)
    second = (1 - gamma**2) ** looks / (2.0 * np.pi) * special.hyp2f1(looks, 1.0, 0.5, beta**2)
    return first + second


def pair_phase(slc, i, j, looks):
    """Phase of pairs of images with looks summed along x, rad."""
    product = slc[i] * slc[j].conj()
    return np.angle(product.reshape(product.shape[0], -1, looks).sum(axis=2))


@pytest.mark.parametrize("looks", [1, 4, 16])
@pytest.mark.parametrize("gamma", [0.0, 0.1, 0.4, 0.8])
def test_phase_noise_has_the_multilook_distribution(gamma, looks):
    slc = simulate.slc_series(7, dates=2, shape=(100, 100 * looks), persistent=gamma, decorrelation_time=0.5)
    found = pair_phase(slc, 0, 1, looks).ravel()
    grid = np.linspace(-np.pi, np.pi, 4001)
    cumulative = integrate.cumulative_simpson(multilook_density(grid, gamma, looks), x=grid, initial=0.0)
    assert cumulative[-1] == pytest.approx(1.0, abs=1e-6)
    assert stats.kstest(found, lambda phi: np.interp(phi, grid, cumulative)).pvalue > 1e-3
    spread = np.sqrt(integrate.simpson(grid**2 * multilook_density(grid, gamma, looks), x=grid))
    assert found.std() == pytest.approx(spread, rel=0.03)


def test_coherence_of_every_pair_is_that_of_the_model():
    p, tau, q = 0.2, 30.0, 0.9
    dates = np.datetime64("2021-03-01", "s") + np.array([0, 12, 24, 60, 72]) * np.timedelta64(1, "D")
    slc = simulate.slc_series(
        1, dates=dates, shape=(200, 200), persistent=p, decorrelation_time=tau, quality=q
    ).reshape(5, -1)
    sample = slc @ slc.conj().T / slc.shape[1]
    days = (dates[:, None] - dates[None, :]) / np.timedelta64(1, "D")
    model = q * (p + (1 - p) * np.exp(-np.abs(days) / tau))
    np.fill_diagonal(model, 1.0)
    # Each entry of a sample covariance of n looks has a standard deviation of at most 1 / sqrt(n).
    np.testing.assert_allclose(sample, model, atol=4.0 / np.sqrt(slc.shape[1]))


def test_covariances_of_pairs_that_share_a_date_are_those_of_theory():
    # Agram and Simons (2015): cov(ij, kl) = (c_ik c_jl - c_il c_jk) / (2 L c_ij c_kl), here to 10 %.
    looks, p, tau = 64, 0.3, 40.0
    slc = simulate.slc_series(2, dates=3, shape=(150, 150 * looks // 2), persistent=p, decorrelation_time=tau)
    days = 12.0 * np.abs(np.subtract.outer(np.arange(3), np.arange(3)))
    c = p + (1 - p) * np.exp(-days / tau)
    pairs = [(0, 1), (1, 2), (0, 2)]
    noise = np.stack([pair_phase(slc, i, j, looks).ravel() for i, j in pairs])
    theory = np.array(
        [
            [(c[i, k] * c[j, m] - c[i, m] * c[j, k]) / (2 * looks * c[i, j] * c[k, m]) for k, m in pairs]
            for i, j in pairs
        ]
    )
    np.testing.assert_allclose(np.cov(noise), theory, atol=0.1 * theory.max())
    closure = noise[0] + noise[1] - noise[2]
    signs = np.array([1.0, 1.0, -1.0])
    assert closure.var() == pytest.approx(signs @ theory @ signs, rel=0.15)
    assert abs(closure.mean()) < 4.0 * closure.std() / np.sqrt(closure.size)


def test_single_looks_close_exactly_and_multilooked_ones_do_not():
    slc = simulate.slc_series(3, dates=3, shape=(40, 64), persistent=0.2)
    misclosure = []
    for looks in (1, 16):
        phi = [pair_phase(slc, i, j, looks) for i, j in ((0, 1), (1, 2), (0, 2))]
        misclosure.append(np.abs(np.angle(np.exp(1j * (phi[0] + phi[1] - phi[2])))).max())
    assert misclosure[0] < 1e-5
    assert misclosure[1] > 0.1


def test_phase_history_appears_with_the_sign_of_the_project():
    phase = np.array([0.0, 0.7, -1.1])[:, None, None]
    slc = simulate.slc_series(dates=3, shape=(8, 8), persistent=1.0, phase=phase)
    formed = simulate.form_pairs(slc, [0, 1], [1, 2], looks=(2, 2))
    np.testing.assert_allclose(binary_angle.decode(formed.phase[0]), 0.7, atol=1e-4)
    np.testing.assert_allclose(binary_angle.decode(formed.phase[1]), -1.8, atol=1e-4)
    assert formed.coherence.min() == 255


@pytest.mark.parametrize("correlation", [(0.13, 0.0), (0.0, 0.3), (0.2, 0.2)])
def test_neighbours_are_correlated_as_asked_and_power_stays_one(correlation):
    slc = simulate.slc_series(5, dates=2, shape=(300, 300), neighbour_correlation=correlation)[0].astype(complex)
    assert slc.shape == (300, 300)
    assert np.mean(np.abs(slc) ** 2) == pytest.approx(1.0, abs=0.02)
    assert np.mean(slc[1:] * slc[:-1].conj()).real == pytest.approx(correlation[0], abs=0.015)
    assert np.mean(slc[:, 1:] * slc[:, :-1].conj()).real == pytest.approx(correlation[1], abs=0.015)
    assert abs(np.mean(slc[2:] * slc[:-2].conj())) < 0.015


def test_more_dates_and_more_rows_leave_images_as_they_are():
    small = simulate.slc_series(9, dates=5, shape=(6, 10), persistent=0.3)
    np.testing.assert_array_equal(simulate.slc_series(9, dates=8, shape=(9, 10), persistent=0.3)[:5, :6], small)


def test_estimated_coherence_is_biased_at_zero_and_right_where_high():
    for gamma, looks in ((0.0, 25), (0.7, 25)):
        slc = simulate.slc_series(4, dates=2, shape=(80, 80), persistent=gamma, decorrelation_time=0.5)
        found = simulate.form_pairs(slc, [0], [1], coherence_window=5).coherence[0, 2:-2, 2:-2] / 255.0
        # Touzi et al. (1999): mean sample coherence of L looks at true coherence 0 is G(L) G(3/2) / G(L + 1/2).
        expected = gamma or special.gamma(looks) * special.gamma(1.5) / special.gamma(looks + 0.5)
        assert found.mean() == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dates": 1}, "at least two"),
        ({"dates": ["2020-01-02", "2020-01-01"]}, "sort them"),
        ({"dates": ["1969-01-02", "1970-02-01"]}, "1970 or later"),
        ({"persistent": 1.2}, "persistent: found 1.2"),
        ({"decorrelation_time": 0.0}, "days above 0"),
        ({"quality": np.ones(3)}, "quality: found shape"),
        ({"neighbour_correlation": (0.5, 0.0)}, "below 0.5"),
        ({"phase": np.zeros((4, 8, 8))}, "broadcast"),
    ],
)
def test_bad_arguments_say_what_was_expected(change, message):
    with pytest.raises(ValueError, match=message):
        simulate.slc_series(**({"dates": 3, "shape": (8, 8)} | change))


def test_form_pairs_refuses_an_even_window_and_too_many_looks():
    slc = simulate.slc_series(dates=2, shape=(8, 8))
    with pytest.raises(ValueError, match="odd number"):
        simulate.form_pairs(slc, [0], [1], coherence_window=4)
    with pytest.raises(ValueError, match="size of the images"):
        simulate.form_pairs(slc, [0], [1], looks=(9, 1))
