"""Damage to images and to what was mapped: it is told, set aside or found, and mended by the same commands."""

from __future__ import annotations

import random
from pathlib import Path

import geopandas
import inside
import mapped
import numpy as np
import pytest
import rasterio
import xarray as xr

from slidecloud.cli import main
from slidecloud.config_optical_change import ChangeConfig
from slidecloud.pipeline import optical_change, optical_map
from slidecloud.pipeline.executors import SerialExecutor, serial
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store.optical_specs import COVERS
from slidecloud.types import DataError

pytest.importorskip("torch")

LOST = "valley/y0-256x0-512"


def run(config, **options):
    return optical_map.compute(config, executor=serial(), **options)


def outlines(folder, scene="valley"):
    return geopandas.read_parquet(folder / "optical.zarr" / "optical" / f"{scene}.parquet")


def flip(path, seed=0):
    """Change one bit in the second half of a file."""
    data, choice = bytearray(path.read_bytes()), random.Random(seed)
    data[choice.randrange(len(data) // 2, len(data))] ^= 1 << choice.randrange(8)
    path.write_bytes(data)


def spoil(path, row, column):
    """Overwrite the block of the first band at a row and a column of blocks."""
    with rasterio.open(path) as file:
        start, size = (
            int(file.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE")
        )
    data = bytearray(path.read_bytes())
    data[start : start + size] = b"\xff" * size
    path.write_bytes(data)


@pytest.fixture
def known(tmp_path):
    mapped.bright_network(tmp_path / "weights.safetensors")
    mapped.scene(tmp_path / "scene.tif", mapped.slides())
    return tmp_path


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_block_that_holds_no_numbers_is_not_mapped(known, value):
    """In one band alone; ground beside it is mapped as it was."""
    values = mapped.slides().astype(np.float32)
    mapped.scene(known / "scene.tif", values)
    assert run(mapped.config(known, store="whole")).exit_code == 0
    values[2, 256:512, 0:256] = value
    mapped.scene(known / "scene.tif", values)
    assert run(mapped.config(known)).exit_code == 0
    whole, found = (xr.open_zarr(known / name / "optical/valley") for name in ("whole.zarr", "optical.zarr"))
    block = np.zeros(values.shape[1:], bool)
    block[256:512, 0:256] = True
    np.testing.assert_array_equal(found["mask"].values == COVERS["no_data"], block)
    np.testing.assert_array_equal(np.isnan(found["score"].values), block)
    np.testing.assert_array_equal(found["score"].values[~block], whole["score"].values[~block])
    assert outlines(known)["open"].tolist() == [False, True]  # the bar reaches into the block


def test_an_image_that_is_cut_short_is_told_before_work_begins(known):
    path = known / "scene.tif"
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"scene\.tif is truncated: \d+ bytes of at least \d+"):
        run(mapped.config(known))
    assert not (known / "optical.zarr").exists()


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("optical/valley/score/c/0/0", "flipped"),
        ("optical/valley/mask/c/1/1", "gone"),
        ("optical/valley.parquet", "cut"),
        ("zarr.json", "cut"),
        ("zarr.json", "gone"),
        ("optical/valley/zarr.json", "flipped"),
        ("optical/valley/score/zarr.json", "cut"),
        ("optical/valley/x/c/0", "flipped"),
    ],
)
def test_what_is_damaged_in_the_store_is_found_and_mended(known, name, how):
    config = mapped.config(known)
    run(config)
    before, path = mapped.objects(known), known / "optical.zarr" / name
    if how == "flipped":
        flip(path)
    elif how == "cut":
        path.write_bytes(path.read_bytes()[:-7])
    else:
        path.unlink()
    found = verify(config.place, repair=True)
    assert [one.key for one in found.damaged] == [name]
    assert f"slidecloud verify {config.place} --repair' and then the commands of 'slidecloud optical' again" in (
        found.damaged[0].remedy
    )
    assert run(config).exit_code == 0
    assert mapped.objects(known) == before
    assert verify(config.place).damaged == ()
    assert collect(config.place).orphans == ()


def test_outlines_over_a_damaged_chunk_are_set_aside_until_it_is_mended(known):
    run(mapped.config(known))
    other = mapped.config(known, map={"threshold": 0.9})
    flip(known / "optical.zarr/optical/valley/score/c/0/0")
    for _ in range(2):
        summary = run(other)
        assert [one.unit for one in summary.quarantined] == ["valley/outlines"]
        assert "Run 'slidecloud verify'" in summary.quarantined[0].reason
    assert [one.unit for one in verify(other.place, repair=True).damaged] == [f"optical_map {LOST}"]
    summary = run(other)
    assert (summary.exit_code, summary.done) == (0, 2)
    whole = mapped.config(known, store="whole", map={"threshold": 0.9})
    run(whole)
    assert mapped.objects(known) == mapped.objects(known, "whole")


def test_a_tile_that_is_set_aside_says_nothing_of_an_older_image(known):
    """Where the later image has a corrupt block no landslide has vanished, nor is the ground mapped."""
    values = mapped.slides()
    values[:, 400:440, 50:120] = mapped.BRIGHT
    for name in ("scene", "young"):
        mapped.scene(known / f"{name}.tif", values)
    scenes = {name: {"image": str(known / f"{file}.tif")} for name, file in (("old", "scene"), ("young", "young"))}
    config = mapped.config(known, scenes, change=ChangeConfig(before="old", after="young"))
    assert run(config).exit_code == 0
    spoil(known / "young.tif", 2, 0)
    summary = run(config)
    assert [one.unit for one in summary.quarantined] == ["young/y256-512x0-512", "young/y512-600x0-512"]
    found = xr.open_zarr(known / "optical.zarr/optical/young")
    lost = np.zeros((600, 700), bool)
    lost[256:600, :512] = True
    np.testing.assert_array_equal(found["mask"].values == COVERS["no_data"], lost)
    np.testing.assert_array_equal(np.isnan(found["score"].values), lost)
    # The other two reach into tiles that are mapped, and lost nothing but what is in the others.
    assert sorted(compared(config)["change"]) == ["unseen", "unseen", "unseen"]
    mapped.scene(known / "young.tif", values)
    assert run(config).exit_code == 0
    assert set(compared(config)["change"]) == {"unchanged"}


def test_a_full_disk_is_told_and_gone_on_from(known, monkeypatch, capsys):
    """From the third unit on nothing can be written; somebody makes room, and the same command goes on."""
    monkeypatch.setattr(inside, "ORDERS", known)
    monkeypatch.setattr(Path, "open", Path.open)
    inside.fill_disk()
    taken, take = [], SerialExecutor.take

    def filling(executor):
        taken.append(0)
        if len(taken) == 3:
            (known / "full").touch()
        return take(executor)

    monkeypatch.setattr(SerialExecutor, "take", filling)
    config = mapped.config(known)
    (known / "optical.yaml").write_text(config.model_dump_json(exclude_none=True))
    assert main(["optical", "map", str(known / "optical.yaml")]) == 1
    words = " ".join(capsys.readouterr().err.split())
    assert "Error: No space left on device" in words
    assert "What is stored is safe; set this right and give the same command again." in words
    (known / "full").unlink()
    summary = run(config, takeover=True)  # the lease is that of this process, which still lives
    assert (summary.exit_code, summary.done, summary.skipped) == (0, 5, 2)
    run(mapped.config(known, store="whole"))
    assert mapped.objects(known) == mapped.objects(known, "whole")
    collect(config.place, remove=True)
    assert mapped.objects(known) == mapped.objects(known, "whole")


def compared(config):
    summary, result = optical_change.compute(config, executor=serial())
    assert result is not None, summary.lines()
    return result.changes


@pytest.mark.parametrize("name", ["young.parquet", "young/mask/c/0/0"])
def test_change_is_not_told_from_damaged_outlines(known, name):
    values = mapped.slides()
    values[:, 200:320, 470:560] = mapped.DARK
    mapped.scene(known / "young.tif", values)
    scenes = {name: {"image": str(known / f"{file}.tif")} for name, file in (("old", "scene"), ("young", "young"))}
    config = mapped.config(known, scenes, change=ChangeConfig(before="old", after="young"))
    run(config)
    expected = compared(config)
    flip(known / "optical.zarr/optical" / name)
    if name.endswith("parquet"):
        with pytest.raises(DataError, match=r"young\.parquet is not what was written.*slidecloud verify"):
            compared(config)
    else:
        summary, result = optical_change.compute(config, executor=serial())
        assert (summary.exit_code, result) == (3, None)
        assert "cannot be read" in summary.quarantined[0].reason
    verify(config.place, repair=True)
    assert run(config).exit_code == 0
    assert compared(config).equals(expected)
