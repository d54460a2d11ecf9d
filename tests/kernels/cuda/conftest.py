"""These tests run on an NVIDIA GPU, or in numba's simulator of one, whichever the process has."""

import pytest

from slidecloud.kernels import device


@pytest.fixture(autouse=True, scope="session")
def gpu():
    lack = device.find_lack()
    if lack is not None:
        pytest.skip(lack)
