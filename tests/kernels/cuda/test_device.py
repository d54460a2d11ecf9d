"""Arrays on the device and back."""

from __future__ import annotations

import numpy as np
import pytest

from slidecloud.kernels import device

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint8, np.float64])
def test_there_and_back(dtype):
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    there = device.to_device(values)
    assert device.on_device(there)
    assert np.array_equal(device.to_host(device.as_device(there, name="there", dtype=dtype, ndim=3)), values)


def test_zeros():
    assert not device.to_host(device.zeros((3, 5), np.int32)).any()
    assert device.to_host(device.zeros((0, 5))).shape == (0, 5)


def test_there_is_memory():
    assert device.free_memory() > 2**20


def test_pinned():
    assert device.pinned((2, 3), np.int16).shape == (2, 3)


def test_a_host_array_among_device_arrays_is_named():
    with pytest.raises(TypeError, match=r"coherence: found ndarray.*cupy.asarray"):
        device.as_device(np.zeros(3), name="coherence", dtype=np.float64, ndim=1)


def test_other_types_and_shapes_are_named():
    there = device.to_device(np.zeros((2, 3), np.float32))
    with pytest.raises(TypeError, match="phase: found dtype float32 on the device, expected int16"):
        device.as_device(there, name="phase", dtype=np.int16, ndim=2)
    with pytest.raises(ValueError, match="3 dimensions"):
        device.as_device(there, name="phase", dtype=np.float32, ndim=3)
    with pytest.raises(ValueError, match="contiguous"):
        device.as_device(there[:, 1:], name="phase", dtype=np.float32, ndim=2)
