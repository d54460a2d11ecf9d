"""What scenes are made of: masks that cover the ground, snow, and images of two dates."""

from __future__ import annotations

import geopandas
import mapped
import numpy as np
import pictured
import pytest
import rasterio
from rasterio.warp import transform_bounds

from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import optical_map
from slidecloud.pipeline.executors import serial
from slidecloud.store import locate
from slidecloud.store.arrays import reader
from slidecloud.store.optical_specs import COVERS, LEVELS, UNKNOWN

pytest.importorskip("torch")


def run(config):
    return optical_map.compute(config, executor=serial())


def outlines(folder):
    return geopandas.read_parquet(folder / "optical.zarr" / "optical" / "valley.parquet")


def array(config, name):
    return np.asarray(reader(locate(config.place), "optical/valley")[name][...])


def test_masked_ground_has_no_score_and_outlines_there_are_open(tmp_path):
    mapped.bright_network(tmp_path / "weights.safetensors")
    mapped.scene(tmp_path / "scene.tif", mapped.slides())
    marks = np.zeros((600, 700), np.uint8)
    marks[210:230, 400:520] = 1
    pictured.write_tiff(tmp_path / "cloud.tif", marks, crs=mapped.CRS)
    with rasterio.open(tmp_path / "cloud.tif") as file:
        west, south, east, north = transform_bounds(file.crs, "EPSG:4326", *file.bounds)
    classes = np.full((30, 40), 6, np.uint8)
    classes[:15] = 4
    step = max((east - west) / 40, (north - south) / 30)
    pictured.write_tiff(tmp_path / "water.tif", classes, crs="EPSG:4326", origin=(west, north), pixel=step)
    masks = [
        {"kind": "cloud", "path": str(tmp_path / "cloud.tif")},
        {"kind": "water", "path": str(tmp_path / "water.tif"), "values": [6]},
    ]
    config = mapped.config(tmp_path, {"valley": {"image": str(tmp_path / "scene.tif"), "masks": masks}})
    assert run(config).exit_code == 0
    mask, score = array(config, "mask"), array(config, "score")
    np.testing.assert_array_equal(mask & COVERS["cloud"] > 0, marks > 0)
    wet = mask & COVERS["water"] > 0
    assert not wet[:100].any()
    assert wet[-100:].mean() > 0.9  # in another CRS, turned a little
    np.testing.assert_array_equal(score == UNKNOWN, mask > 0)
    assert outlines(tmp_path)["open"].iloc[0]


def test_snow_is_told_by_bands_of_the_scene_and_by_rasters(tmp_path):
    mapped.bright_network(tmp_path / "weights.safetensors")
    values = np.full((4, 100, 120), 60, np.uint8)
    values[[1, 3], 20:40, 30:50] = 200  # bright in green and near infrared
    mapped.scene(tmp_path / "scene.tif", values, names=("blue", "green", "red", "nir"))
    pictured.write_tiff(tmp_path / "swir.tif", np.full((100, 120), 20, np.uint8), crs=mapped.CRS)
    snow = {
        "kind": "snow", "green": "green", "shortwave": str(tmp_path / "swir.tif"), "infrared": "nir", "scale": 1 / 255
    }  # fmt: skip
    config = mapped.config(tmp_path, {"valley": {"image": str(tmp_path / "scene.tif"), "masks": [snow]}})
    run(config)
    wanted = np.zeros((100, 120), bool)
    wanted[20:40, 30:50] = True
    np.testing.assert_array_equal(array(config, "mask") == COVERS["snow"], wanted)
    # Another band of the scene is another mask: tiles of the first are not taken for it.
    other = {"valley": {"image": str(tmp_path / "scene.tif"), "masks": [snow | {"green": "red"}]}}
    run(mapped.config(tmp_path, other))
    assert not array(config, "mask").any()


def test_two_dates_are_laid_on_each_other(tmp_path):
    mapped.bright_network(tmp_path / "weights.safetensors", bands=4)
    before = np.full((2, 300, 300), mapped.DARK, np.uint8)
    before[0, 100:150, 120:180] = mapped.BRIGHT
    mapped.scene(tmp_path / "before.tif", before, origin=(500_000.0 - 100.0, 3_300_000.0 + 50.0))
    mapped.scene(tmp_path / "after.tif", np.full((2, 260, 280), mapped.DARK, np.uint8))
    config = mapped.config(
        tmp_path, {"valley": {"before": str(tmp_path / "before.tif"), "after": str(tmp_path / "after.tif")}}
    )
    run(config)
    (score,) = np.unique(array(config, "score")[90:140, 100:160])  # 10 rows and 20 columns into the earlier image
    assert score > 0.99 * LEVELS


def test_bands_are_held_against_those_that_the_network_learnt(tmp_path):
    learnt = ("green", "red", "nir", "swir")
    mapped.bright_network(tmp_path / "weights.safetensors", names=learnt)
    values = mapped.slides((100, 120))
    for name, bands in (("same", learnt), ("turned", learnt[::-1]), ("other", ("B3", "B4", "B8", "B11"))):
        mapped.scene(tmp_path / f"{name}.tif", values, names=bands)

    def of(name, **about):
        return mapped.config(tmp_path, {"valley": {"image": str(tmp_path / f"{name}.tif"), **about}})

    assert run(of("same")).notes == run(of("turned", bands=learnt)).notes == ()
    with pytest.raises(ConfigError, match=r"in another order; give 'bands: \[green, red, nir, swir\]'"):
        run(of("turned"))
    (note,) = run(of("other")).notes
    assert "has 4 bands (B3, B4, B8, B11), and the network learnt 4 (green, red, nir, swir)" in note


def test_bands_of_two_dates_are_the_same_or_are_named(tmp_path):
    both = ("before_red", "before_nir", "after_red", "after_nir")
    mapped.bright_network(tmp_path / "weights.safetensors", names=both)
    for date, bands in (("before", ("red", "nir")), ("after", ("nir", "red"))):
        mapped.scene(tmp_path / f"{date}.tif", mapped.slides((100, 120), 2), names=bands)
    paths = {date: str(tmp_path / f"{date}.tif") for date in ("before", "after")}
    with pytest.raises(ConfigError, match=r"before has the bands red, nir and after has nir, red; name those"):
        run(mapped.config(tmp_path, {"valley": paths}))
    with pytest.raises(ConfigError, match=r"give 'bands: \[red, nir\]'"):
        run(mapped.config(tmp_path, {"valley": paths | {"bands": ["nir", "red"]}}))
    assert run(mapped.config(tmp_path, {"valley": paths | {"bands": ["red", "nir"]}})).notes == ()
