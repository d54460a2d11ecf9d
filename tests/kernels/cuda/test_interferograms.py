"""Interferograms formed on the device against those of the host, and their gradients."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import device, gradients, interferograms

pytestmark = pytest.mark.gpu

PAIRS = {"reference": [1, 0, 0], "secondary": [2, 2, 1]}


def images(*, integer: bool = False):
    cells = (5, 7) if device.is_simulated() else (210, 517)
    shape = (3, cells[0] * 2 + 1, cells[1] * 8 + 3)
    parts = np.random.default_rng(5).standard_normal((*shape, 2), dtype=np.float32)
    parts[1:] += 0.8 * parts[0]
    parts[0, 3, 20], parts[1, 6, 30], parts[2, 8:, :9] = 0, np.nan, np.inf
    if integer:
        return np.rint(np.nan_to_num(parts, posinf=0) * 500).astype(np.int16)
    return parts.view(np.complex64)[..., 0]


def agrees(found, expected):
    """No data alike; coherence to a step, phase to a step or to the rounding of float32 sums, 1e-6 / coherence rad."""
    phase, coherence = (device.to_host(field) for field in found)
    np.testing.assert_array_equal(coherence > 0, expected.coherence > 0)
    assert np.abs(coherence.astype(int) - expected.coherence).max() <= 1
    steps = np.abs((phase - expected.phase).astype(np.int16).astype(int))
    assert np.all(steps <= 1 + 3 / np.maximum(expected.coherence, 1))


@pytest.mark.parametrize("looks", [(2, 8), (1, 3)])
@pytest.mark.parametrize("window", [1, (3, 5)])
def test_against_the_host(looks, window):
    slc = images()
    options = {**PAIRS, "looks": looks, "coherence_window": window}
    found = interferograms.form_pairs(device.to_device(slc), **options)
    agrees(found, interferograms.form_pairs(slc, **options))


def test_integer_samples_and_flattening():
    slc = images(integer=True)
    angle = np.random.default_rng(6).integers(-32768, 32768, slc.shape[:3]).astype(np.int16)
    found = interferograms.form_pairs(device.to_device(slc), **PAIRS, flattening=device.to_device(angle))
    agrees(found, interferograms.form_pairs(slc, **PAIRS, flattening=angle))


def test_gradients_in_one_pass():
    slc = images()
    options = {**PAIRS, "looks": (1, 3), "window": 5}
    found = interferograms.stack(device.to_device(slc), **options)
    formed = interferograms.form_pairs(slc, **PAIRS, looks=(1, 3))
    expected = gradients.stack(*formed, **PAIRS, window=5)
    np.testing.assert_array_equal(found.count, expected.count)
    np.testing.assert_allclose(found.x, expected.x, atol=2e-3 * np.nanmax(np.abs(expected.x)))


def test_host_and_device_do_not_mix():
    slc = images()
    with pytest.raises(TypeError, match="flattening: found ndarray"):
        interferograms.form_pairs(device.to_device(slc), **PAIRS, flattening=np.zeros(slc.shape, np.int16))
    with pytest.raises(TypeError, match="slc: found dtype float32 on the device, expected complex64"):
        interferograms.form_pairs(device.to_device(slc.real), **PAIRS)
