"""Units that come after others whatever their end: they wait, take what there is, and are done again when more is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import runs

from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.status import _blocked
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, records
from slidecloud.types import DataError

NAMES = ("a", "b", "c")


@dataclass(frozen=True)
class Write:
    """Writes its name; fails as it is told."""

    name: str
    fails: type[Exception] | None = None

    def __call__(self, writer: Any) -> dict[str, Any]:
        if self.fails is not None:
            raise self.fails(f"{self.name} is bad")
        writer.write_object(f"{self.name}.txt", self.name.encode())
        return {}


@dataclass(frozen=True)
class Gather:
    """Writes the names of those that are done."""

    location: Any
    keys: tuple[records.Key, ...]

    def __call__(self, writer: Any) -> dict[str, Any]:
        found = "".join(key.unit for key in self.keys if records.read(self.location, key) is not None)
        writer.write_object("gathered.txt", found.encode())
        return {"found": found, "note": f"gathered {found}"}


def units(location, *, broken=(), fails=DataError):
    """Each of a, b, c is prepared, then written; the last unit comes after all that are written."""
    parts = []
    for name in NAMES:
        first = Unit(records.Key("prepare", name, "1"), Write(f"prepared-{name}", fails if name in broken else None))
        parts += [first, Unit(records.Key("write", name, "1"), Write(name), requires=(first.name,))]
    written = tuple(unit.key for unit in parts if unit.key.stage == "write")
    last = Unit(
        records.Key("gather", "all", "1"), Gather(location, written), after=tuple((k.stage, k.unit) for k in written)
    )
    return [*parts, last]


def go(location, *, broken=(), fails=DataError, **options):
    with lease.hold(location) as token:
        return drive(
            units(location, broken=broken, fails=fails), location=location, token=token, executor=serial(), **options
        )


def gathered(location):
    return (location.read("gathered.txt") or b"").decode()


@pytest.fixture
def location(tmp_path):
    return runs.locate(str(tmp_path / "store"))


def test_it_waits_for_all(location):
    summary = go(location)
    assert (summary.done, summary.exit_code, gathered(location)) == (7, 0, "abc")
    assert summary.notes == ("gathered abc",)
    assert go(location).done == 0


@pytest.mark.parametrize("fails", [DataError, RuntimeError])
def test_it_works_with_what_there_is_and_is_never_blocked(location, fails):
    summary = go(location, broken="b", fails=fails, retries=0)
    assert gathered(location) == "ac"
    assert summary.blocked == ("write b",)
    assert [item.unit for item in summary.quarantined] == ["b"]
    assert summary.exit_code == 3


def test_bad_data_is_not_asked_again_and_nor_is_what_comes_after(location):
    go(location, broken="b")
    again = go(location, broken="b")
    assert (again.done, gathered(location)) == (0, "ac")


@pytest.mark.parametrize("how", ["requires", "after"])
def test_bad_data_is_asked_again_where_it_is_made_anew(location, how):
    """As when a chunk was damaged, and ``verify --repair`` has withdrawn the record of the unit that wrote it."""
    first = Unit(records.Key("prepare", "a", "1"), Write("prepared-a"))

    def drive_both(fails=None):
        second = Unit(records.Key("write", "a", "1"), Write("a", fails), **{how: (first.name,)})
        with lease.hold(location) as token:
            return drive([first, second], location=location, token=token, executor=serial())

    assert drive_both(DataError).exit_code == 3
    assert (drive_both().done, drive_both().exit_code) == (0, 3)
    records.withdraw(location, first.key)
    assert (drive_both().done, drive_both().exit_code) == (2, 0)
    assert records.quarantined(location) == {}


def test_it_is_done_again_when_what_was_missing_is_there(location):
    go(location, broken="b")
    mended = go(location, retry_quarantined=True)
    assert (mended.done, gathered(location)) == (3, "abc")
    assert go(location).done == 0


def test_what_failed_is_tried_again_and_gathered(location):
    go(location, broken="bc", fails=RuntimeError, retries=0)
    assert gathered(location) == "a"
    assert go(location).done == 5
    assert gathered(location) == "abc"


def test_all_set_aside_leaves_an_empty_gathering(location):
    summary = go(location, broken="abc")
    assert gathered(location) == ""
    assert len(summary.quarantined) == 3


def test_it_is_stale_while_others_lie_ahead(location):
    """A run that stops between the two leaves no record that speaks of less than there is."""
    go(location, broken="b")
    with lease.hold(location) as token:
        first = [unit for unit in units(location) if unit.key.stage != "gather"]
        last = units(location)[-1]
        stopped = _Stopping()
        with pytest.raises(KeyboardInterrupt):
            drive([*first, last], location=location, token=token, executor=stopped, retry_quarantined=True)
    assert not records.done(location, stage="gather")
    assert go(location).exit_code == 0
    assert gathered(location) == "abc"


def test_status_counts_it_as_not_blocked(location):
    found = units(location)
    assert [unit.name for unit in _blocked(found, set(), {("prepare", "b")})] == [("write", "b")]


class _Stopping:
    """An executor whose user interrupts before the last unit."""

    workers, shares_memory, dashboard = 1, True, None

    def __init__(self) -> None:
        self._inner = serial()

    def submit(self, number, function, *arguments, device="cpu"):
        if arguments[1].key.stage == "gather":
            raise KeyboardInterrupt
        self._inner.submit(number, function, *arguments, device=device)

    def take(self):
        return self._inner.take()

    def close(self):
        self._inner.close()
