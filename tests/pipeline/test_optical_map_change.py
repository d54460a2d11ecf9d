"""Scenes that are mapped and then compared: what could not be looked at is no change."""

from __future__ import annotations

import mapped
import numpy as np
import pytest

from slidecloud.config_optical_change import ChangeConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import optical_change, optical_map
from slidecloud.pipeline.executors import SerialExecutor, serial
from slidecloud.pipeline.verify import verify
from slidecloud.store import locate
from slidecloud.store.arrays import reader
from slidecloud.store.optical_specs import COVERS, UNKNOWN

pytest.importorskip("torch")

BLOCK = np.s_[256:512, 0:512]
"""A tile of the scene by itself."""


@pytest.fixture
def config(tmp_path):
    """Two dates of one scene with a slide in a tile by itself, which is in the later one alone."""
    mapped.bright_network(tmp_path / "weights.safetensors")
    later = mapped.slides()
    later[:, 350:380, 100:140] = mapped.BRIGHT
    mapped.scene(tmp_path / "old.tif", mapped.slides())
    mapped.scene(tmp_path / "young.tif", later)
    scenes = {name: {"image": str(tmp_path / f"{name}.tif")} for name in ("old", "young")}
    return mapped.config(tmp_path, scenes, change=ChangeConfig(before="old", after="young"))


class Killed(SerialExecutor):
    """Stops after one unit."""

    left = 1

    def take(self):
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().take()


def run(config, executor=None, **options):
    return optical_map.compute(config, executor=executor or serial(), **options)


def changes(config):
    _, result = optical_change.compute(config, executor=serial())
    assert result is not None
    return result.facts["changes"]


def test_a_tile_that_was_set_aside_is_ground_that_was_not_mapped(config, tmp_path):
    assert run(config).exit_code == 0
    assert changes(config)["new"] == 1
    mapped.corrupt(tmp_path / "old.tif", column=0, row=1)
    assert run(config).exit_code == 3
    maps = reader(locate(config.place), "optical/old")
    assert set(np.unique(maps["score"][BLOCK])) == {UNKNOWN}
    assert set(np.unique(maps["mask"][BLOCK])) == {COVERS["no_data"]}
    found = changes(config)
    # The block is seen from three tiles: ring and bar, which reach into them, have not grown.
    assert {name: number for name, number in found.items() if number} == {"unseen": 3}
    assert verify(config.place).damaged == ()
    mapped.scene(tmp_path / "old.tif", mapped.slides())
    assert run(config).exit_code == 0
    assert not maps["mask"][BLOCK].any()
    assert changes(config)["new"] == 1
    assert verify(config.place).damaged == ()


def test_outlines_of_a_mapping_that_was_stopped_are_not_compared(config, tmp_path):
    run(config)
    table = tmp_path / "optical.zarr" / "optical" / "old.parquet"
    kept = table.read_bytes()
    mapped.corrupt(tmp_path / "old.tif", column=0, row=1)
    with pytest.raises(KeyboardInterrupt):
        run(config, Killed())
    with pytest.raises(ConfigError, match="has no outlines"):
        changes(config)
    assert run(config).exit_code == 3
    without = table.read_bytes()
    # What is in quarantine keeps its outlines, until it is tried again.
    run(config)
    assert table.read_bytes() == without
    with pytest.raises(KeyboardInterrupt):
        run(config, Killed(), retry_quarantined=True)
    assert not table.exists()
    mapped.scene(tmp_path / "old.tif", mapped.slides())
    run(config)
    assert table.read_bytes() == kept
