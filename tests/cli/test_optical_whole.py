"""``slidecloud optical`` from images with masks to what changed: train, map two dates, compare them."""

from __future__ import annotations

import geopandas
import numpy as np
import pictured
import pytest
import xarray
import yaml

from slidecloud.cli import main

pytest.importorskip("torch")

from slidecloud.models.unet_predict import load
from slidecloud.models.unet_recipe import SimulateConfig
from slidecloud.optical.simulated import make
from slidecloud.simulate.optical import optical_scene

BANDS = ["blue", "green", "red", "nir"]
PARTS = {"train": range(6), "validation": range(10, 12), "test": range(20, 21)}


def written(folder, scene):
    """A recipe with its patches of one date each, and a configuration of a scene of two, in counts as they come."""
    how = SimulateConfig(dates="apart", side=96, spacing=scene.grid.dx, clouds=0.0)
    for part, seeds in PARTS.items():
        make(folder / part, [(seed, scene.family) for seed in seeds], how=how)
    recipe = {
        "data": {part: [part] for part in PARTS} | {"bands": BANDS}, "width": 0.125, "depth": 2, "side": 64,
        "batch": 4, "patch_steps": 200, "rate": 0.01, "average": 0.95, "threads": 1,
    }  # fmt: skip
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    counts = np.rint(scene.images * 1e4).astype(np.uint16)
    about = {"crs": scene.grid.crs, "origin": (scene.grid.left, scene.grid.top), "pixel": scene.grid.dx}
    for name, image in zip(("old", "young"), counts, strict=True):
        pictured.write_tiff(folder / f"{name}.tif", image, names=BANDS, **about)
    content = {
        "store": "optical.zarr", "weights": "trained/weights.safetensors",
        "scenes": {name: {"image": f"{name}.tif", "bands": BANDS} for name in ("old", "young")},
        "map": {"tile": 64}, "change": {"before": "old", "after": "young"}, "resources": {"executor": "serial"},
    }  # fmt: skip
    (folder / "optical.yaml").write_text(yaml.safe_dump(content))
    return dict(zip(("old", "young"), counts.astype(np.float32), strict=True))


def test_from_images_with_masks_to_what_changed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    scene = optical_scene(40, family="humid", shape=(160, 192), spacing=10.0, clouds=0.0)
    images = written(tmp_path, scene)
    assert main(["optical", "train", "recipe.yaml", "--out", "trained"]) == 0
    assert main(["optical", "map", "optical.yaml"]) == 0
    network = load("trained/weights.safetensors")
    inner = (slice(network.card.shape.reach, -network.card.shape.reach),) * 2
    outlines = {}
    for date, (name, image) in enumerate(images.items()):
        maps = xarray.open_zarr(f"optical.zarr/optical/{name}")
        score = maps.score.values
        # Mapped by tiles as the network scores the whole: bands, units and normalisation are those of the training.
        np.testing.assert_allclose(score[inner], network.scores(image, threads=1)[inner], atol=0.51 / 254)
        truth = scene.mask(date)
        assert score[truth].mean() > score[~truth].mean() + 0.25
        outlines[name] = geopandas.read_parquet(f"optical.zarr/optical/{name}.parquet")
    capsys.readouterr()

    assert main(["optical", "change", "optical.yaml", "--report", "report"]) == 0
    said = capsys.readouterr()
    changes = geopandas.read_parquet("optical.zarr/optical/change-old-young/changes.parquet")
    for column, name in (("before", "old"), ("after", "young")):
        told = [one for row in changes[column] for one in row.split(",") if one]
        assert sorted(told) == sorted(outlines[name]["id"])
        assert len(told) > 0
    numbers = [int(line.split()[-1]) for line in said.out.splitlines() if line.split()[0] in set(changes["change"])]
    assert sum(numbers) == len(changes)
    assert "outlines have no class" in " ".join(said.err.split())
    assert (tmp_path / "report/change.html").read_text().count("<img") > 0
