"""A GPU that is asked for: what is planned for it, and what is said where there is none."""

from __future__ import annotations

import pytest
from runs import call, compute, configure, ingest, locate, yaml_text

from slidecloud.config_yaml import ConfigError
from slidecloud.kernels import device
from slidecloud.pipeline import plan
from slidecloud.pipeline.device_runner import batch_size
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.rates import Rates
from slidecloud.store import records

GPU = "resources: {executor: serial, memory: 2 GiB, tile: [32, 64], device: gpu}"
without_gpu = pytest.mark.skipif(device.find_lack() is None, reason="there is a GPU")


def test_batches_fill_the_memory_there_is():
    shape = (1000, 1000)
    assert batch_size(shape, 100, 24_000_000) == 2  # half of it, in two slots of 3 MB a pair
    assert batch_size(shape, 100, 4_000_000_000) == 85  # the largest batch
    assert batch_size(shape, 100, 4_000_000_000, chunk=32) == 64
    assert batch_size(shape, 20, 4_000_000_000, chunk=32) == 20
    assert batch_size(shape, 100, 7_000_000) == 1
    with pytest.raises(MemoryError, match=r"5 MB free; expected at least 6 MB.*resources.tile"):
        batch_size(shape, 100, 5_000_000)


def test_results_of_a_gpu_are_units_of_their_own(source, tmp_path):
    """They differ in their last digits: a store never mixes them with the host's under one digest."""
    ingest(source, str(tmp_path / "stacks"), chunks=(32, 32, 64))
    host, gpu = (plan.make(configure(tmp_path, line)).units for line in (GPU.replace("gpu", "cpu"), GPU))
    for one, other in zip(host, gpu, strict=True):
        assert (one.key == other.key) == one.key.unit.endswith("/levels")  # which the host finds in either case
        # What is made of stored sums and tables, and the classical detector, need no GPU and are sent anywhere.
        anywhere = one.key.unit.endswith(("/maps", "/levels", "/detections", "inventory"))
        assert other.device == ("cpu" if anywhere else "gpu")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gradients: {window_pixels: 8, estimator: overlap}", "found 'overlap' on the GPU"),
        ("gradients: {window_pixels: 8, estimator: rate}", "found 'rate' on the GPU"),
        ("gradients: {window_pixels: 90}", "found 90 x 90 pixels, expected at most about 40 x 40 on a GPU"),
    ],
)
def test_what_the_gpu_cannot_do_is_said_before_anything_runs(source, tmp_path, line, message):
    ingest(source, str(tmp_path / "stacks"), chunks=(32, 32, 64))
    with pytest.raises(ValueError, match=message):
        plan.make(configure(tmp_path, GPU, line))


def test_devices_have_names(tmp_path):
    with pytest.raises(ConfigError, match=r"resources\.device.*'cpu' or 'gpu'.*found 'cuda'"):
        configure(tmp_path, GPU.replace("gpu", "cuda"))


@without_gpu
def test_a_run_without_its_gpu_does_nothing(source, tmp_path):
    with pytest.raises(RuntimeError, match=r"resources.device is gpu: expected an NVIDIA GPU, but .*device: cpu"):
        compute(tmp_path, source, GPU)
    assert not records.done(locate(str(tmp_path / "run.zarr")))
    with pytest.raises(RuntimeError, match=r"resources\.device is gpu"):
        estimate(configure(tmp_path, GPU), Rates())


@without_gpu
@pytest.mark.parametrize(("verb", "executor"), [("run", "dask, workers: 1"), ("estimate", "serial")])
def test_the_command_ends_with_1(source, tmp_path, verb, executor):
    ingest(source, str(tmp_path / "stacks"), chunks=(32, 32, 64))
    (tmp_path / "region.yaml").write_text(yaml_text(tmp_path, GPU.replace("serial", executor)))
    ended = call(verb, str(tmp_path / "region.yaml"))
    assert ended.returncode == 1
    assert "resources.device is gpu: expected an NVIDIA GPU" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
