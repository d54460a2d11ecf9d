"""A mapped scene made small: what can be read of it is drawn, and no block more is left out."""

from __future__ import annotations

import mapped
import numpy as np
import pytest

from slidecloud.pipeline import optical_map
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.optical_map_view import view
from slidecloud.store import locate
from slidecloud.store.arrays import reader
from slidecloud.store.optical_specs import LEVELS, UNKNOWN

pytest.importorskip("torch")


def test_one_bad_block_is_left_out_and_its_neighbours_are_drawn(tmp_path):
    mapped.bright_network(tmp_path / "weights.safetensors")
    values = mapped.slides()
    mapped.scene(tmp_path / "scene.tif", values)
    config = mapped.config(tmp_path)
    assert view(config, "valley") is None
    optical_map.compute(config, executor=serial())
    levels = np.asarray(reader(locate(config.place), "optical/valley")["score"][...])
    scores = np.where(levels == UNKNOWN, np.nan, levels / np.float32(LEVELS))

    def check(image, scores):
        for step in (1, 3):
            seen = view(config, "valley", most=-(-700 // step))
            np.testing.assert_array_equal(seen.image, image[:, ::step, ::step])
            np.testing.assert_array_equal(seen.scores, scores[::step, ::step])
        assert len(seen.outlines) == 2
        assert seen.extent == (500_000.0, 503_500.0, 3_297_000.0, 3_300_000.0)

    check(values.astype(np.float32), scores)
    mapped.corrupt(tmp_path / "scene.tif", column=0, row=1)
    (tmp_path / "optical.zarr" / "optical" / "valley" / "score" / "c" / "0" / "1").unlink()
    image = values.astype(np.float32)
    image[:, 256:512, :512] = np.nan
    scores[:256, 512:] = np.nan
    check(image, scores)
