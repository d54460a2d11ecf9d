"""Stores that outlive what made them: other tiles, older dates, other chunks, two writers, half-made templates."""

from __future__ import annotations

import dataclasses
import itertools
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import runs

import slidecloud
from slidecloud import simulate
from slidecloud.pipeline.executors import DaskExecutor, SerialExecutor
from slidecloud.pipeline.units import perform
from slidecloud.pipeline.verify import verify
from slidecloud.stack.arrays import ArraySource
from slidecloud.store import lease, records
from slidecloud.store.folder import Folder

SMALL = (8, 32, 32)


@pytest.fixture(scope="module")
def small():
    """A very small scene of one year."""
    scene = simulate.scene(5, shape=(64, 64), dates=20, id="sim_small")
    return scene, simulate.interferograms(scene)


def source_of(small, order=None, **changes) -> ArraySource:
    scene, i = small
    order = list(range(len(i.pairs)) if order is None else order)
    header = dataclasses.replace(scene.header, **changes)
    pairs = [i.pairs[k] for k in order]
    return ArraySource(header, pairs, i.phase[order], i.coherence[order], i.unwrapped[order], scene.static())


def compute(folder, small, *lines, order=None, chunks=SMALL, **changes):
    runs.ingest(source_of(small, order, **changes), str(folder / "stacks"), chunks=chunks)
    return runs.rerun(folder, *(lines or ("resources: {executor: serial}",)))


class Interrupted(SerialExecutor):
    """Stops after so many units."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self._units = units

    def take(self):
        if self._units == 0:
            raise KeyboardInterrupt
        self._units -= 1
        return super().take()


def sound(folder) -> bool:
    return verify(str(folder / "run.zarr")).damaged == ()


def test_other_tiles_leave_no_record_of_the_old_ones(tmp_path, small):
    tiles = "resources: {{executor: serial, tile: [{0}, {0}]}}"
    half = [k for k, pair in enumerate(small[1].pairs) if pair.secondary < small[0].dates[-4]]
    compute(tmp_path, small, tiles.format(32), order=half)
    compute(tmp_path, small, tiles.format(64))
    assert sound(tmp_path)
    runs.rerun(tmp_path, tiles.format(32))
    assert sound(tmp_path)
    compute(tmp_path / "fresh", small, tiles.format(64))
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(tmp_path / "fresh" / "run.zarr")


def test_older_dates_shift_the_bins(tmp_path, small):
    """Pairs older than all others, and a run that is cut short: bins move, and no old record vouches for them."""
    late = [k for k, pair in enumerate(small[1].pairs) if pair.reference >= small[0].dates[10]]
    compute(tmp_path, small, order=late)
    kept = shutil.copytree(tmp_path / "stacks", tmp_path / "before")
    runs.ingest(source_of(small), str(tmp_path / "stacks"))
    with pytest.raises(KeyboardInterrupt):
        runs.rerun(tmp_path, "resources: {executor: serial}", executor=Interrupted(1))
    shutil.rmtree(tmp_path / "stacks")
    shutil.move(kept, tmp_path / "stacks")
    runs.rerun(tmp_path, "resources: {executor: serial}")
    compute(tmp_path / "fresh", small, order=late)
    fresh, found = (runs.arrays(base / "run.zarr") for base in (tmp_path / "fresh", tmp_path))
    assert {name: found.get(name) for name in fresh} == fresh
    assert sound(tmp_path)


@pytest.mark.parametrize("changes", [{"chunks": (8, 16, 64)}, {"grid": 400.0}])
def test_a_stack_made_again_is_noticed(tmp_path, small, changes):
    compute(tmp_path, small)
    shutil.rmtree(tmp_path / "stacks")
    if "grid" in changes:
        grid = small[0].header.grid
        changes = {"grid": dataclasses.replace(grid, left=grid.left + changes["grid"])}
    assert compute(tmp_path, small, **changes).done > 0
    compute(tmp_path / "fresh", small, **changes)
    assert runs.arrays(tmp_path / "run.zarr") == runs.arrays(tmp_path / "fresh" / "run.zarr")


def test_repair_after_an_append_leaves_the_dates_of_the_results(tmp_path, small):
    half = [k for k, pair in enumerate(small[1].pairs) if pair.secondary < small[0].dates[-4]]
    compute(tmp_path, small, order=half)
    before = slidecloud.open_run(str(tmp_path / "run.zarr")).timeseries("sim_small").time.values
    runs.ingest(source_of(small), str(tmp_path / "stacks"))
    chunk = tmp_path / "run.zarr/bursts/sim_small/timeseries/velocity/c/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert len(verify(str(tmp_path / "run.zarr"), repair=True).damaged) == 1
    after = slidecloud.open_run(str(tmp_path / "run.zarr")).timeseries("sim_small").time.values
    np.testing.assert_array_equal(before, after)


def test_a_season_without_pairs(tmp_path, small):
    """Nothing in one summer: its bin stays, empty, and the rest is what it is."""
    scene, i = small
    quarter = 365 * np.timedelta64(1, "D")
    moved = [
        dataclasses.replace(pair, reference=pair.reference + quarter, secondary=pair.secondary + quarter)
        if pair.reference > scene.dates[12]
        else pair
        for pair in i.pairs
        if not pair.reference <= scene.dates[12] < pair.secondary
    ]
    kept = [k for k, pair in enumerate(i.pairs) if not pair.reference <= scene.dates[12] < pair.secondary]
    source = ArraySource(scene.header, moved, i.phase[kept], i.coherence[kept], i.unwrapped[kept], {})
    runs.ingest(source, str(tmp_path / "stacks"))
    assert runs.rerun(tmp_path, "resources: {executor: serial}").exit_code == 0
    gradients = slidecloud.open_run(str(tmp_path / "run.zarr")).gradients("sim_small")
    counts = gradients.sum_count.max(["y", "x"]).values
    assert (counts == 0).any()
    assert counts[0] > 0
    assert counts[-1] > 0


def test_stages_may_be_added_later(tmp_path, small):
    compute(tmp_path, small, "resources: {executor: serial}", "stages: [gradients]")
    run = slidecloud.open_run(str(tmp_path / "run.zarr"))
    with pytest.raises(KeyError, match="add the stage 'timeseries' and run again"):
        run.timeseries("sim_small")
    assert runs.rerun(tmp_path, "resources: {executor: serial}").skipped > 0
    runs.rerun(tmp_path, "resources: {executor: serial}", "stages: [gradients]")
    assert "displacement" in slidecloud.open_run(str(tmp_path / "run.zarr")).timeseries("sim_small")


def test_a_burst_refused_today_keeps_its_results(tmp_path, small):
    compute(tmp_path, small)
    compute(tmp_path, small, id="other")
    next((tmp_path / "stacks/other.zarr/.slidecloud/done/ingest").rglob("*.json")).unlink()
    assert runs.rerun(tmp_path, "resources: {executor: serial}").exit_code == 3
    run = slidecloud.open_run(str(tmp_path / "run.zarr"))
    assert np.isfinite(run.timeseries("other").velocity.values).any()
    assert "/bursts/other/timeseries" in run.tree.groups


def test_one_driver_at_a_time(tmp_path, small):
    compute(tmp_path, small)
    location = runs.locate(str(tmp_path / "run.zarr"))
    with lease.hold(location), pytest.raises(lease.LeaseError, match=r"is being written by process \d+ on"):
        runs.rerun(tmp_path, "resources: {executor: serial}")
    with lease.hold(runs.locate(str(tmp_path / "stacks/sim_small.zarr"))), pytest.raises(lease.LeaseError):
        runs.ingest(source_of(small), str(tmp_path / "stacks"))
    assert runs.rerun(tmp_path, "resources: {executor: serial}").done == 0


def test_the_lease_of_a_dead_process_is_taken_over(tmp_path):
    location = runs.locate(str(tmp_path))
    program = (
        "import os, sys\nfrom slidecloud.store import lease, locate\n"
        "held = lease.hold(locate(sys.argv[1]))\nheld.__enter__()\nos._exit(9)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert location.read(lease.LEASE) is not None
    with lease.hold(location) as token:
        assert lease.is_held(location, token)
    assert lease.holder(location) is None


def test_a_lease_of_another_machine_expires(tmp_path, monkeypatch):
    location = runs.locate(str(tmp_path))
    monkeypatch.setattr(lease, "LIFETIME", 1.0)
    monkeypatch.setattr(lease.socket, "gethostname", lambda: "elsewhere")
    lease.take(location, "theirs")
    monkeypatch.undo()
    with pytest.raises(lease.LeaseError, match="elsewhere"), lease.hold(location):
        pass
    time.sleep(1.1)
    with lease.hold(location):
        assert not lease.is_held(location, "theirs")


def test_a_late_writer_leaves_no_record(tmp_path, small):
    """A unit of a driver that lost its lease meanwhile: nothing says that it is done."""
    from slidecloud.pipeline import plan as planning

    compute(tmp_path, small)
    location = runs.locate(str(tmp_path / "run.zarr"))
    (unit, *_) = planning.make(runs.configure(tmp_path, "resources: {executor: serial}")).units
    records.withdraw(location, unit.key)

    class Stolen:
        def __call__(self, writer):
            location.write(lease.LEASE, lease._encode("another"))
            return unit.work(writer)

    with lease.hold(location) as token, pytest.raises(lease.LeaseError, match="nothing is recorded"):
        perform(location, dataclasses.replace(unit, work=Stolen()), token)
    assert unit.key not in records.done(location)


def test_killed_at_any_write_of_an_append(tmp_path, small, monkeypatch):
    """Die at each write of an append in turn; the next ingest ends where an undisturbed one does."""
    half = [k for k, pair in enumerate(small[1].pairs) if pair.secondary < small[0].dates[-6]]
    runs.ingest(source_of(small, half), str(tmp_path / "start"), chunks=SMALL)
    shutil.copytree(tmp_path / "start", tmp_path / "whole")
    runs.ingest(source_of(small), str(tmp_path / "whole"))
    expected = runs.objects(tmp_path / "whole")
    original = Folder.put
    for fatal in itertools.count():
        folder = tmp_path / f"killed{fatal}"
        shutil.copytree(tmp_path / "start", folder)
        left = [fatal]

        def dying(self, key, data, left=left):
            if not {"lease", "probe"} & set(key.split("/")):
                if left[0] == 0:
                    raise SystemExit(9)
                left[0] -= 1
            original(self, key, data)

        monkeypatch.setattr(Folder, "put", dying)
        try:
            runs.ingest(source_of(small), str(folder))
            break
        except SystemExit:
            pass
        finally:
            monkeypatch.setattr(Folder, "put", original)
        runs.ingest(source_of(small), str(folder))
        assert runs.objects(folder) == expected
        assert verify(str(folder / "sim_small.zarr")).damaged == ()
        shutil.rmtree(folder)
    assert fatal > 5


def test_an_append_onto_a_damaged_batch_can_be_mended(tmp_path, small):
    half = [k for k, pair in enumerate(small[1].pairs) if pair.secondary < small[0].dates[-6]]
    runs.ingest(source_of(small, half), str(tmp_path / "stacks"), chunks=(64, 32, 32))
    chunk = tmp_path / "stacks/sim_small.zarr/phase/c/0/0/0"
    chunk.write_bytes(chunk.read_bytes()[:-4] + b"junk")
    assert runs.ingest(source_of(small), str(tmp_path / "stacks")).exit_code == 3
    verify(str(tmp_path / "stacks/sim_small.zarr"), repair=True)
    assert runs.ingest(source_of(small), str(tmp_path / "stacks")).exit_code == 0
    runs.ingest(source_of(small, half), str(tmp_path / "fresh"), chunks=(64, 32, 32))
    runs.ingest(source_of(small), str(tmp_path / "fresh"))
    assert runs.objects(tmp_path / "stacks") == runs.objects(tmp_path / "fresh")


def test_a_pair_that_could_not_be_read_is_tried_again_on_request(tmp_path, small, monkeypatch):
    from slidecloud.types import DataError

    key, original = small[1].pairs[3].key, ArraySource.read

    def failing(self, pair, rows):
        if pair.pair.key == key:
            raise DataError(f"{key} cannot be read just now")
        return original(self, pair, rows)

    monkeypatch.setattr(ArraySource, "read", failing)
    summary = runs.ingest(source_of(small), str(tmp_path / "stacks"), chunks=SMALL)
    assert [item.unit for item in summary.quarantined] == [key]
    monkeypatch.setattr(ArraySource, "read", original)
    assert runs.ingest(source_of(small), str(tmp_path / "stacks")).exit_code == 3
    assert runs.ingest(source_of(small), str(tmp_path / "stacks"), retry_quarantined=True).exit_code == 0
    runs.ingest(source_of(small), str(tmp_path / "fresh"), chunks=SMALL)
    assert runs.objects(tmp_path / "stacks") == runs.objects(tmp_path / "fresh")


def test_a_lost_scheduler_ends_the_wait():
    class Client:
        status = "running"
        dashboard_link = None

        def nthreads(self):
            return {"worker": 1}

    client = Client()
    executor = DaskExecutor(client)
    client.status = "closed"
    with pytest.raises(ConnectionError, match=r"scheduler is gone.*give the same command again"):
        executor.take()


def test_a_scheduler_lost_while_a_result_is_fetched():
    """Its connection breaks before the client knows that it is gone."""

    class Future:
        key, status = "task", "finished"

        def add_done_callback(self, call):
            call(self)

        def result(self):
            raise ConnectionResetError("by peer")

    class Client:
        status = "running"
        dashboard_link = None

        def submit(self, function, *arguments, key, **options):
            Future.key = key
            return Future()

    executor = DaskExecutor(Client())
    executor.submit(0, print)
    with pytest.raises(ConnectionError, match=r"scheduler is gone.*give the same command again"):
        executor.take()
