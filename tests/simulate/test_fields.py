"""Random fields have the spectrum and size asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import fft

from slidecloud.simulate import fields
from slidecloud.simulate.atmosphere import Atmosphere, delays, turbulence_density
from slidecloud.simulate.streams import Subject, stream

DATES = np.datetime64("2020-01-01T00:00:00", "s") + np.arange(60) * np.timedelta64(12, "D")


def radial_slope(power, k, band):
    """Log-log slope of a mean periodogram between two wavelengths (m)."""
    inside = (k > 1.0 / max(band)) & (k < 1.0 / min(band))
    return np.polyfit(np.log(k[inside]), np.log(power[inside]), 1)[0]


def mean_periodogram(shape, spacing, density, draws=40):
    of = fields.spectrum(shape, spacing, density)
    window = np.hanning(shape[0])[:, None] * np.hanning(shape[1])[None, :]
    power = sum(
        np.abs(fft.fft2(window * fields.draw(np.random.default_rng(n), of).astype(np.float64))) ** 2
        for n in range(draws)
    )
    k = np.hypot(fft.fftfreq(shape[0], spacing[0])[:, None], fft.fftfreq(shape[1], spacing[1])[None, :])
    return power, k


@pytest.mark.parametrize(
    ("band", "slope"),
    [((2_000.0, 9_000.0), -8 / 3), ((350.0, 1_200.0), -11 / 3), ((105.0, 190.0), -5 / 3)],
    ids=["large", "middle", "fine"],
)
def test_turbulence_falls_with_the_three_slopes_of_hanssen(band, slope):
    step = 100.0 if max(band) > 1_500.0 else 40.0
    shape = (320, 256)
    power, k = mean_periodogram(shape, (step, step), turbulence_density(60_000.0))
    assert radial_slope(power, k, band) == pytest.approx(slope, abs=0.12)


def test_fields_have_unit_variance_and_are_isotropic_on_uneven_pixels():
    of = fields.spectrum((300, 200), (20.0, 40.0), fields.power_law(-3.0, longest=600.0))
    drawn = np.stack([fields.draw(np.random.default_rng(n), of) for n in range(20)])
    assert drawn.dtype == np.float32
    assert drawn.var() == pytest.approx(1.0, rel=0.05)
    # The same distance on the ground, 160 m, decorrelates alike along rows and along columns.
    along = np.mean(drawn[:, 8:] * drawn[:, :-8])
    across = np.mean(drawn[:, :, 4:] * drawn[:, :, :-4])
    assert along == pytest.approx(across, abs=0.02)
    assert 0.2 < along < 0.95


def test_opposite_edges_are_independent():
    of = fields.spectrum((64, 64), (40.0, 40.0), fields.power_law(-2.0, longest=400.0))
    drawn = np.stack([fields.draw(np.random.default_rng(n), of) for n in range(400)])
    wrapped = np.mean(drawn[:, 0] * drawn[:, -1])
    beside = np.mean(drawn[:, 0] * drawn[:, 1])
    assert abs(wrapped) < 0.05 < 0.5 < beside


def atmosphere(model, elevation):
    return np.stack(
        list(
            delays(
                model,
                seed=4,
                dates=DATES,
                elevation=elevation,
                incidence=np.full(elevation.shape, 0.6, dtype=np.float32),
                spacing=(40.0, 40.0),
            )
        )
    )


def test_stratified_delay_follows_height_and_changes_from_date_to_date():
    elevation = np.tile(np.linspace(0.0, 3000.0, 40, dtype=np.float32), (8, 1))
    delay = atmosphere(Atmosphere(turbulence=0.0, stratified=0.02, scale_height=2500.0), elevation)
    ratio = delay[:, 0, -1] / delay[:, 0, 0]
    np.testing.assert_allclose(ratio, np.exp(-3000.0 / 2500.0), rtol=1e-5)
    zenith = delay[:, 0, 0] * np.cos(0.6)
    assert zenith.std() == pytest.approx(0.02, rel=0.25)
    assert np.corrcoef(zenith[:-1], zenith[1:])[0, 1] == pytest.approx(0.0, abs=0.3)


def test_turbulence_has_the_size_asked_for():
    delay = atmosphere(Atmosphere(turbulence=0.006, stratified=0.0), np.zeros((128, 128), dtype=np.float32))
    rms = np.sqrt(np.mean(delay.astype(np.float64) ** 2))
    assert rms == pytest.approx(0.006, rel=0.2)


def test_streams_differ_by_seed_subject_and_key():
    names = [(0, Subject.SPECKLE), (1, Subject.SPECKLE), (0, Subject.TERRAIN), (0, Subject.SPECKLE, 1)]
    assert len({stream(*name).random() for name in names}) == len(names)
    assert stream(0, Subject.SPECKLE, 1).random() == stream(0, Subject.SPECKLE, 1).random()


def test_bad_atmosphere_is_refused():
    with pytest.raises(ValueError, match="positive scale height"):
        Atmosphere(scale_height=0.0)
