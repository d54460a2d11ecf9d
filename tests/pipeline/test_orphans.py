"""Objects without a record: found, told from what is not ours, removed only when nobody writes."""

from __future__ import annotations

import uuid

import pytest
import runs
import zarr

from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.store import lease, records
from slidecloud.types import DataError


def everything(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_nothing_in_a_finished_store(run_copy):
    for store in ("run.zarr", "stacks/sim_small.zarr"):
        before = everything(run_copy / store)
        found = collect(str(run_copy / store), remove=True)
        assert (found.orphans, found.foreign) == ((), ())
        assert everything(run_copy / store) == before


def test_left_overs_are_listed_then_removed(run_copy):
    store = run_copy / "run.zarr"
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


def test_chunks_of_a_withdrawn_unit(run_copy):
    location = runs.locate(str(run_copy / "run.zarr"))
    before = runs.objects(run_copy / "run.zarr")
    key = next(key for key in sorted(records.done(location, stage="gradients"), key=str) if "maps" not in key.unit)
    record = records.read(location, key)
    records.withdraw(location, key)
    found = collect(str(location), remove=True)
    assert {orphan.key for orphan in found.orphans} == set(record.objects)
    assert runs.rerun(run_copy).done == 1
    assert runs.objects(run_copy / "run.zarr") == before


def test_nothing_is_removed_under_a_driver(run_copy):
    location = runs.locate(str(run_copy / "run.zarr"))
    location.write("bursts/sim_small/timeseries/velocity/c/9/9", b"in the making")
    with lease.hold(location):
        with pytest.raises(lease.LeaseError):
            collect(str(location), remove=True)
        found = collect(str(location))
    assert "is writing this store" in found.lines()[-1]
    assert location.read("bursts/sim_small/timeseries/velocity/c/9/9") is not None


def test_a_damaged_record_comes_first(run_copy):
    location = runs.locate(str(run_copy / "run.zarr"))
    key = next(iter(records.done(location, stage="timeseries")))
    location.write(key.path(), b"{}")
    with pytest.raises(records.DamagedRecordError, match="--repair"):
        collect(str(location), remove=True)


def test_metadata_without_a_record_is_kept(run_copy):
    location = runs.locate(str(run_copy / "run.zarr"))
    (key,) = (key for key in records.done(location, stage="template") if key.unit.endswith("timeseries"))
    records.withdraw(location, key)
    before = everything(run_copy / "run.zarr")
    with pytest.raises(DataError, match="has no record"):
        collect(str(location), remove=True)
    assert [name for name in everything(run_copy / "run.zarr") if "lease" not in name] == [
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


def test_the_command(run_copy):
    location = runs.locate(str(run_copy / "run.zarr"))
    location.write(f".slidecloud/probe/{'0' * 32}", b"")
    listed = runs.call("verify", str(location), "--gc")
    assert listed.returncode == 0
    assert "1 objects without a record." in listed.stdout
    assert "were removed" in runs.call("verify", str(location), "--gc", "--yes").stdout
    assert runs.call("verify", str(location), "--yes").returncode == 2
    assert runs.call("verify", str(location), "--gc", "--repair").returncode == 2
