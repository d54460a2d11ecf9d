"""The GPU kernels where there is no GPU: in numba's simulator, in a process of its own, and without either."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from slidecloud.kernels import device

CASES = Path(__file__).parent / "cuda"


def test_in_the_simulator():
    """What `pytest -m gpu` runs on a card, in one process whose numba simulates one."""
    command = [sys.executable, "-m", "pytest", "-m", "gpu", "-n", "0", "-p", "no:cacheprovider", "-v", str(CASES)]
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)  # noqa: T201 - the outcomes by name, with pytest -s


def test_host_arrays_are_not_on_a_device():
    assert not device.on_device(np.zeros(3))
    assert not device.on_device([1, 2])


@pytest.mark.skipif(device.find_lack() is None, reason="there is a GPU")
def test_a_gpu_that_is_absent_is_an_error_that_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"bench: expected an NVIDIA GPU, but .*install slidecloud\[gpu\].*cpu"):
        device.require_gpu("bench")


def test_without_numba_cuda(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match="the package numba-cuda is not installed"):
        device.require_gpu()
