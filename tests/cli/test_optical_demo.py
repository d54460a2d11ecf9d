"""``slidecloud optical map`` with the weights that come with slidecloud."""

from __future__ import annotations

import numpy as np
import pytest
import xarray
import yaml

from slidecloud.cli import main

pytest.importorskip("torch")

from slidecloud.models.unet_predict import load
from slidecloud.optical.simulated import write_images
from slidecloud.simulate.optical import optical_scene

BANDS = ["blue", "green", "red", "nir"]


@pytest.fixture
def valley(tmp_path, monkeypatch):
    """Two images of a valley that no network has learnt, and their configuration."""
    monkeypatch.chdir(tmp_path)
    scene = optical_scene(1002, family="humid", shape=(256, 320))
    write_images(tmp_path / "valley", scene)
    content = {
        "store": "optical.zarr",
        "weights": "demo",
        "scenes": {"valley": {"before": "valley/before.tif", "after": "valley/after.tif", "bands": BANDS}},
        "resources": {"executor": "serial"},
    }
    (tmp_path / "optical.yaml").write_text(yaml.safe_dump(content))
    return scene


def test_a_simulated_valley_is_outlined_and_said_to_mean_nothing(valley, capsys):
    assert main(["optical", "map", "optical.yaml"]) == 0
    assert "learnt simulated images alone" in " ".join(capsys.readouterr().err.split())
    maps = xarray.open_zarr("optical.zarr/optical/valley")
    found, truth = maps.score.values >= load().card.threshold, valley.mask(1)
    # Five such scenes score .54 to .82; the change of NDVI scores .29 on patches.
    assert np.sum(found & truth) / np.sum(found | truth) > 0.45


def test_a_folder_named_demo_is_reached_by_its_path(valley, tmp_path, capsys):
    text = (tmp_path / "optical.yaml").read_text()
    (tmp_path / "optical.yaml").write_text(text.replace("weights: demo", "weights: ./demo"))
    assert main(["optical", "map", "optical.yaml"]) == 1
    assert "There are no weights" in " ".join(capsys.readouterr().err.split())
