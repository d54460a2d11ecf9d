"""Objects without a record: found, told from what is not ours, removed only when nobody writes."""

from __future__ import annotations

import shutil
import uuid

import pytest
import runs
import zarr

from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store import lease, records
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def made(tmp_path_factory, source, interferograms, scene):
    """A finished run of 24 pairs."""
    folder = tmp_path_factory.mktemp("made")
    runs.compute(folder, runs.subset(source, interferograms, scene, list(range(24))))
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A copy of it."""
    for name in ("run.zarr", "stacks"):
        shutil.copytree(made / name, tmp_path / name)
    return tmp_path


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_nothing_in_a_finished_store(folder):
    for store in ("run.zarr", "stacks/sim_small.zarr"):
        before = everything(folder / store)
        found = collect(str(folder / store), remove=True)
        assert (found.orphans, found.foreign) == ((), ())
        assert everything(folder / store) == before


def test_left_overs_are_listed_then_removed(folder):
    store = folder / "run.zarr"
    location = runs.locate(str(store))
    before = everything(store)
    left = [
        f"bursts/sim_small/timeseries/velocity/c/0/0.{uuid.uuid4().hex}.partial",
        f".slidecloud/done/gradients/x.{uuid.uuid4().hex}.partial",
        f".slidecloud/probe/{uuid.uuid4().hex}",
        "bursts/sim_small/timeseries/velocity/c/9/9",
        "bursts/gone/gradients/pair_count/c/0/0/0",
    ]
    theirs = ["notes.txt", "bursts/sim_small/timeseries/mine/c/0", ".slidecloud/report.html", "x.partial"]
    for key in (*left, *theirs):
        location.write(key, b"?")
    for remove in (False, True):
        found = collect(str(store), remove=remove)
        assert sorted(orphan.key for orphan in found.orphans) == sorted(left)
        assert sorted(found.foreign) == sorted(theirs)
    assert everything(store) == sorted([*before, *theirs])
    assert verify(str(store)).damaged == ()


def test_chunks_of_a_withdrawn_unit(folder):
    location = runs.locate(str(folder / "run.zarr"))
    before = runs.objects(folder / "run.zarr")
    key = next(key for key in sorted(records.done(location, stage="gradients"), key=str) if "maps" not in key.unit)
    record = records.read(location, key)
    records.withdraw(location, key)
    found = collect(str(location), remove=True)
    assert {orphan.key for orphan in found.orphans} == set(record.objects)
    assert runs.rerun(folder).done == 1
    assert runs.objects(folder / "run.zarr") == before


def test_nothing_is_removed_under_a_driver(folder):
    location = runs.locate(str(folder / "run.zarr"))
    location.write("bursts/sim_small/timeseries/velocity/c/9/9", b"in the making")
    with lease.hold(location):
        with pytest.raises(lease.LeaseError):
            collect(str(location), remove=True)
        found = collect(str(location))
    assert "is writing this store" in found.lines()[-1]
    assert location.read("bursts/sim_small/timeseries/velocity/c/9/9") is not None


def test_a_damaged_record_comes_first(folder):
    location = runs.locate(str(folder / "run.zarr"))
    key = next(iter(records.done(location, stage="timeseries")))
    location.write(key.path(), b"{}")
    with pytest.raises(records.DamagedRecordError, match="--repair"):
        collect(str(location), remove=True)


def test_metadata_without_a_record_is_kept(folder):
    location = runs.locate(str(folder / "run.zarr"))
    (key,) = (key for key in records.done(location, stage="template") if key.unit.endswith("timeseries"))
    records.withdraw(location, key)
    before = everything(folder / "run.zarr")
    with pytest.raises(DataError, match="has no record"):
        collect(str(location), remove=True)
    assert [name for name in everything(folder / "run.zarr") if "lease" not in name] == [
        name for name in before if "lease" not in name
    ]


def test_stores_of_others_are_refused(tmp_path):
    zarr.create_group(str(tmp_path / "theirs.zarr"), attributes={"title": "theirs"})
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.partial").write_text("")
    for name in ("theirs.zarr", "folder", "absent"):
        before = everything(tmp_path)
        with pytest.raises(DataError, match="expected a run store, a burst stack"):
            collect(str(tmp_path / name), remove=True)
        assert everything(tmp_path) == before


def test_the_command(folder):
    location = runs.locate(str(folder / "run.zarr"))
    location.write(f".slidecloud/probe/{'0' * 32}", b"")
    listed = runs.call("verify", str(location), "--gc")
    assert listed.returncode == 0
    assert "1 objects without a record." in listed.stdout
    assert "were removed" in runs.call("verify", str(location), "--gc", "--yes").stdout
    assert runs.call("verify", str(location), "--yes").returncode == 2
    assert runs.call("verify", str(location), "--gc", "--repair").returncode == 2
