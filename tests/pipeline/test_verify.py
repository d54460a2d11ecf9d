"""Damage: a flipped byte anywhere is found by name, and repair computes that unit alone."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest
import runs

from slidecloud.pipeline.verify import verify
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def whole(tmp_path_factory, source):
    """A finished run."""
    folder = tmp_path_factory.mktemp("whole")
    runs.compute(folder, source)
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of it to damage; its stacks are where they were."""
    shutil.copytree(whole / "run.zarr", tmp_path / "run.zarr")
    shutil.copytree(whole / "stacks", tmp_path / "stacks")
    text = (tmp_path / "run.zarr/.slidecloud/run.yaml").read_text()
    assert str(whole) in text
    return tmp_path


def flip(path: Path, choice: random.Random) -> None:
    """Change one bit of a file."""
    data = bytearray(path.read_bytes())
    data[choice.randrange(len(data))] ^= 1 << choice.randrange(8)
    path.write_bytes(data)


def test_sound_stores(whole):
    for store in ("run.zarr", "stacks/sim_small.zarr"):
        result = verify(str(whole / store))
        assert result.damaged == ()
        stored = [p for p in (whole / store).rglob("*") if p.is_file() and p.name != "lease"]
        assert result.objects == len(stored)
        # The records themselves are read too; everything else is counted in bytes.
        assert result.bytes == sum(p.stat().st_size for p in stored if "done" not in p.parts)


def test_every_object_is_watched(whole, tmp_path):
    """Flip a bit of each object in turn: verification names that object, or the unit whose record it is."""
    choice = random.Random(0)
    for store in ("run.zarr", "stacks/sim_small.zarr"):
        target = tmp_path / store
        shutil.copytree(whole / store, target)
        files = sorted(p for p in target.rglob("*") if p.is_file() and p.name != "lease")
        for path in choice.sample(files, 25):
            sound = path.read_bytes()
            flip(path, choice)
            damaged = verify(str(target)).damaged
            assert [item.key for item in damaged] == [str(path.relative_to(target))]
            path.write_bytes(sound)


@pytest.mark.long
def test_every_single_object_is_watched(whole, tmp_path):
    choice = random.Random(1)
    target = tmp_path / "run.zarr"
    shutil.copytree(whole / "run.zarr", target)
    for path in sorted(p for p in target.rglob("*") if p.is_file() and p.name != "lease"):
        sound = path.read_bytes()
        flip(path, choice)
        assert [item.key for item in verify(str(target)).damaged] == [str(path.relative_to(target))]
        path.write_bytes(sound)


@pytest.mark.parametrize("seed", range(4))
def test_repair_computes_one_unit(whole, seed):
    choice = random.Random(seed)
    store = whole / "run.zarr"
    before = runs.objects(store)
    path = choice.choice(
        [p for p in store.rglob("*") if p.is_file() and "c" in p.parts and ".slidecloud" not in p.parts]
    )
    flip(path, choice)
    (found,) = verify(str(store), repair=True).damaged
    assert found.key == str(path.relative_to(store))
    assert "slidecloud run" in found.remedy
    summary = runs.rerun(whole)
    # A coordinate belongs to a template, which repair writes anew by itself.
    assert summary.done == (0 if found.unit.startswith("template") else 1)
    assert runs.objects(store) == before
    assert verify(str(store)).damaged == ()


@pytest.mark.parametrize(
    "name", ["zarr.json", "bursts/sim_small/timeseries/velocity/zarr.json", ".slidecloud/run.yaml"]
)
def test_metadata_is_written_anew(whole, name):
    store = whole / "run.zarr"
    before = runs.objects(store)
    path = store / name
    path.write_bytes(path.read_bytes()[:-7])
    assert [item.key for item in verify(str(store), repair=True).damaged] == [name]
    assert runs.rerun(whole).done == 0
    assert runs.objects(store) == before
    assert verify(str(store)).damaged == ()


def test_damaged_record_is_withdrawn(whole):
    store = whole / "run.zarr"
    before = runs.objects(store)
    record = next((store / ".slidecloud/done/timeseries").rglob("*.json"))
    flip(record, random.Random(3))
    (found,) = verify(str(store), repair=True).damaged
    assert found.key == str(record.relative_to(store))
    assert runs.rerun(whole).done == 1
    assert runs.objects(store) == before


@pytest.mark.parametrize("array", ["phase", "coherence", "unwrapped"])
def test_damaged_stack_is_named_quarantined_and_restored(copy, source, array):
    """A damaged chunk: its unit goes to quarantine with the remedy, the rest completes; ingest restores the batch."""
    stack = copy / "stacks" / "sim_small.zarr"
    before = runs.objects(stack)
    flip(stack / array / "c/1/0/0", random.Random(4))
    shutil.rmtree(copy / "run.zarr")
    summary = runs.rerun(copy)
    assert summary.exit_code == 3
    assert summary.done > 0
    assert all("slidecloud verify" in item.reason for item in summary.quarantined)
    (found,) = verify(str(stack), repair=True).damaged
    assert found.unit == "ingest batch00001"
    assert "slidecloud ingest" in found.remedy
    assert runs.ingest(source, str(copy / "stacks")).done == 1
    assert runs.objects(stack) == before
    summary = runs.rerun(copy, retry_quarantined=True)
    assert summary.exit_code == 0


@pytest.mark.parametrize("name", ["zarr.json", "reference_time/c/0", "elevation/c/0/0", "phase/zarr.json"])
def test_damaged_stack_template_comes_back_from_the_source(copy, source, name):
    stack = copy / "stacks" / "sim_small.zarr"
    before = runs.objects(stack)
    path = stack / name
    path.write_bytes(path.read_bytes()[:-3])
    assert [item.key for item in verify(str(stack), repair=True).damaged] == [name]
    assert runs.ingest(source, str(copy / "stacks"), chunks=runs.CHUNKS).done == 0
    assert runs.objects(stack) == before


def test_missing_chunk_is_no_silent_gap(copy):
    """A chunk that is gone must not read as "no data"."""
    (copy / "stacks/sim_small.zarr/coherence/c/0/0/0").unlink()
    shutil.rmtree(copy / "run.zarr")
    summary = runs.rerun(copy)
    assert summary.exit_code == 3
    assert any("is missing" in item.reason for item in summary.quarantined)


def test_other_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing at"):
        verify(str(tmp_path / "absent"))
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "note.txt").write_text("hello")
    with pytest.raises(DataError, match="no records"):
        verify(str(tmp_path / "other"))
