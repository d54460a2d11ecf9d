"""The net in a run: its weights are part of the digest, and neither crew nor batch shows in the tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sliding
import torch

from slidecloud import open_run
from slidecloud.kernels.calibration import Calibration
from slidecloud.models import weights
from slidecloud.models.architecture import Architecture
from slidecloud.models.features import Inputs
from slidecloud.models.weights import Card
from slidecloud.models.yolo import Yolo
from slidecloud.pipeline import executors
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.run import run
from slidecloud.store.inventory_specs import INVENTORY


def make_weights(path: Path, *, seed: int = 5) -> Path:
    """An untrained network that believes in much of what it sees."""
    inputs = Inputs()
    sizes = ((8.0, 9.0), (14.0, 10.0), (12.0, 18.0)), ((20.0, 22.0), (30.0, 20.0), (28.0, 36.0))
    line = Calibration(np.array([0.0, 1.0]), np.array([0.0, 0.5]))
    architecture = Architecture("a-yolov3-t", 0.125, inputs.channels, True, False, sizes)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = Yolo(architecture).train()
        with torch.no_grad():
            for _ in range(10):
                net(torch.randn(2, inputs.channels, 64, 64) * 0.3)
            for head in net.heads:
                head.weight.normal_(std=0.3)
                head.bias[4::5] = 0.0
    return weights.save(path, net.eval(), Card(architecture, inputs, record={"seed": seed}, calibration=line))


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("region")
    sliding.ingest(folder, sliding.scene())
    make_weights(folder / "net.safetensors")
    return folder


def search(region: Path, folder: Path, *, executor: object = None, **changes: object) -> object:
    config = sliding.configure(folder)
    detector = {"method": "net", "weights": str(region / "net.safetensors"), "threshold": 0.6} | changes
    config = config.model_copy(
        update={"stacks": str(region / "stacks"), "detect": config.detect.model_copy(update=detector)}
    )
    return run(config, executor=executor or serial())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def searched(region: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("searched")
    summary = search(region, folder)
    assert summary.exit_code == 0, summary.lines()  # type: ignore[attr-defined]
    return folder


def test_boxes_come_with_probability_and_weights(searched: Path) -> None:
    found = open_run(str(searched / "run.zarr")).inventory
    assert len(found) >= 1
    np.testing.assert_allclose(found["probability"], found["score"] / 2, rtol=1e-5)
    assert found["method"].eq("net").all()
    assert found["weights"].str.len().eq(32).all()


def test_threads_make_the_same_bytes(region: Path, searched: Path, tmp_path: Path) -> None:
    pool = executors.threads(2)
    search(region, tmp_path, executor=pool)
    pool.close()
    assert (tmp_path / "run.zarr" / INVENTORY).read_bytes() == (searched / "run.zarr" / INVENTORY).read_bytes()


def test_other_weights_under_the_same_name_are_looked_at_again(region: Path, searched: Path, tmp_path: Path) -> None:
    own = make_weights(tmp_path / "own.safetensors")
    assert search(region, tmp_path, weights=str(own)).done > 0  # type: ignore[attr-defined]
    assert search(region, tmp_path, weights=str(own)).done == 0  # type: ignore[attr-defined]
    make_weights(own, seed=6)
    assert search(region, tmp_path, weights=str(own)).done == 2  # type: ignore[attr-defined]


def test_weights_that_are_none_are_named(region: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.safetensors"
    bad.write_bytes(b"no weights")
    summary = search(region, tmp_path, weights=str(bad))
    reasons = [item.reason for item in summary.quarantined]  # type: ignore[attr-defined]
    assert any("bad.safetensors" in reason for reason in reasons)
    with pytest.raises(FileNotFoundError, match=r"There are no weights .*absent"):
        search(region, tmp_path / "new", weights=str(tmp_path / "absent"))
