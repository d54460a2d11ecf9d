"""One driver at a time: takeovers, writers that were held up, clocks that are wrong, races for a lease."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from slidecloud.store import clock, folder, guarantees, lease, locate, records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.schema import ArraySpec


@pytest.fixture(params=["folder", "bucket"])
def location(request, tmp_path):
    """A store with one array of two chunks."""
    if request.param == "folder":
        made = locate(str(tmp_path / "run.zarr"))
    else:
        made = locate("s3://slides/run.zarr", {"endpoint_url": request.getfixturevalue("endpoint")})
    spec = ArraySpec("values", ("y",), "float32", "m", "values", (4,), np.nan)
    templates.ensure(
        made, "root", templates.group((spec,), {"y": 8}, path="", attributes={}, coordinates={}, grid=None)
    )
    return made


@pytest.fixture
def elsewhere(monkeypatch):
    """Makes this process one of another machine, whose processes cannot be looked up."""
    monkeypatch.setattr(lease, "_machine", lambda: "another machine")
    yield
    monkeypatch.undo()


@pytest.fixture
def later(monkeypatch):
    """Lets time pass: for this machine, as if it had slept, and not for the store."""
    passed = [0.0]
    original = clock.ticks
    monkeypatch.setattr(clock, "ticks", lambda: original() + passed[0])

    def wait(seconds):
        passed[0] += seconds

    return wait


def test_takeover(location):
    with lease.hold(location) as first:
        with pytest.raises(lease.LeaseError, match="--takeover"), lease.hold(location):
            pass
        assert "process" in lease.holder(location)
        with lease.hold(location, takeover=True) as second:
            assert lease.is_held(location, second)
            with pytest.raises(lease.LeaseError, match="nothing is recorded"):
                lease.check(location, first)
        assert not lease.is_held(location, first)
    assert lease.holder(location) is None
    with lease.hold(location):
        pass


def test_an_expired_lease_is_lost_even_if_nobody_took_it(location, later):
    lease.take(location, "ours")
    guard = lease.Guard(location, "ours")
    guard()
    assert not guard.is_due
    later(lease.LIFETIME / 2)
    assert guard.is_due
    guard()
    later(lease.LIFETIME / 2 + 2)
    with pytest.raises(lease.LeaseError):
        guard()


def test_a_writer_that_was_held_up_writes_nothing(location, later, monkeypatch):
    """Between two chunks its machine sleeps; meanwhile another driver takes the lease and finishes the unit."""
    lease.take(location, "ours")
    writer = Writer(location, lease.Guard(location, "ours"))
    writer.write("values", np.ones(4, np.float32), (0,))
    later(lease.LIFETIME + 1)
    monkeypatch.setattr(clock, "_offsets", {})  # the other driver is awake and asks the store for its time
    lease.take(location, "theirs", takeover=True)
    with pytest.raises(lease.LeaseError):
        writer.write("values", np.ones(4, np.float32), (4,))
    assert location.read("values/c/1") is None
    assert list(writer.checksums) == ["values/c/0"]


@pytest.mark.parametrize("skew", [-7200.0, 7200.0])
def test_wrong_clocks_do_not_matter(location, monkeypatch, elsewhere, skew):
    """Expiry goes by the store's clock: a machine two hours off neither loses its lease nor takes a good one."""
    monkeypatch.setattr(clock, "_offsets", {})
    original = time.time
    monkeypatch.setattr(lease.time, "time", lambda: original() + skew)
    monkeypatch.setattr(lease, "_machine", lambda: "a third machine")
    lease.take(location, "theirs")
    assert lease.is_held(location, "theirs")
    monkeypatch.setattr(lease, "_machine", lambda: "a fourth machine")
    with pytest.raises(lease.LeaseError), lease.hold(location):
        pass


def test_renewal_never_writes_over_a_successor(location):
    """The lease changes hands between the renewal's look and its write: the write is refused."""
    lease.take(location, "ours")
    original = Location.replace

    def late(self, key, data, version):
        Location.replace = original
        lease.take(self, "theirs", takeover=True)
        return original(self, key, data, version)

    Location.replace = late
    try:
        assert not lease._rewrite(location, "ours")
    finally:
        Location.replace = original
    assert lease.is_held(location, "theirs")


def test_a_race_has_one_winner(location):
    """Many drivers find the same expired lease and take it at once."""
    lease.take(location, "dead")
    stale = location.fetch(lease.LEASE)
    start, won = threading.Barrier(8), []

    def take(number):
        start.wait()
        if location.replace(lease.LEASE, lease._encode(f"driver{number}"), stale.version):
            won.append(number)

    racers = [threading.Thread(target=take, args=(number,)) for number in range(8)]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert len(won) == 1
    assert lease.is_held(location, f"driver{won[0]}")


def test_a_renewal_outlives_a_store_that_does_not_answer(tmp_path, monkeypatch):
    location = locate(str(tmp_path))
    monkeypatch.setattr(lease, "LIFETIME", 2.0)
    fails = iter([ConnectionError("store is away")] * 2)
    original = Location.fetch

    def fetch(self, key):
        error = next(fails, None) if threading.current_thread().name == "slidecloud-lease" else None
        if error is not None:
            raise error
        return original(self, key)

    monkeypatch.setattr(Location, "fetch", fetch)
    with lease.hold(location) as token:
        time.sleep(2.5)
        assert lease.is_held(location, token)
    assert next(fails, None) is None


def test_a_stopped_process_leaves_no_record(tmp_path):
    """SIGSTOP in the middle of a unit, a takeover, SIGCONT: it writes no further object and no record."""
    location = locate(str(tmp_path))
    program = (
        "import sys, time\nfrom slidecloud.store import lease, locate, records\nlease.LIFETIME = 1.0\n"
        "where = locate(sys.argv[1])\n"
        "with lease.hold(where) as token:\n"
        "    print(token, flush=True)\n"
        "    for part in range(100):\n"
        "        lease.check(where, token)\n"
        "        where.write(f'part{part}', b'late')\n"
        "        time.sleep(0.02)\n"
        "    lease.check(where, token)\n"
        "    records.write(where, records.Record(records.Key('stage', 'unit', '0'), {}, 'late'))\n"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        writer.stdout.readline()
        time.sleep(0.2)
        os.kill(writer.pid, signal.SIGSTOP)
        time.sleep(1.5)
        with lease.hold(location):  # expired: no takeover needed
            before = location.keys()
            os.kill(writer.pid, signal.SIGCONT)
            _, errors = writer.communicate(timeout=60)
            assert b"no longer holds the lease" in errors
            assert len(set(location.keys()) - set(before)) <= 1  # the write it was stopped in
    finally:
        if writer.poll() is None:
            writer.kill()
            writer.communicate()
    assert records.done(location) == set()


def test_a_lock_in_the_hands_of_a_stopped_process(tmp_path, monkeypatch):
    """A driver that was stopped in the middle of its renewal does not keep others waiting for ever."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(folder, "PATIENCE", 0.2)
    location = locate(str(tmp_path))
    lease.take(location, "theirs")
    handle = os.open(tmp_path / ".slidecloud", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(TimeoutError, match="End that process"):
            lease.take(location, "ours", takeover=True)
    finally:
        os.close(handle)
    lease.take(location, "ours", takeover=True)
    assert lease.is_held(location, "ours")


def test_what_a_store_promises_is_asked_once(location, monkeypatch):
    monkeypatch.setattr(guarantees, "_known", {})
    first = guarantees.guarantees(location)
    monkeypatch.setattr(guarantees, "_try_out", None)
    assert guarantees.guarantees(location) == first == guarantees.Guarantees(True, True, True)
