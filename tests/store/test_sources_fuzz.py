"""Sources whose store misbehaves, by seeds: what is read is right, or the error names the file, and nothing hangs."""

from __future__ import annotations

import threading
from datetime import timedelta

import elsewhere
import faults
import fsspec
import miniature as mini
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from slidecloud.stack import licsar, open_source, remote
from slidecloud.stack.names import list_files
from slidecloud.store import aws
from slidecloud.types import DataError

LIMIT = 60.0
"""Seconds that no case may take; most take one."""
INJURIES = {
    "gone": None,
    "empty": lambda data, draw: b"",
    "cut short": lambda data, draw: data[: int(draw.integers(1, len(data)))],
    "grown": lambda data, draw: data + draw.bytes(100),
    "other bytes": lambda data, draw: draw.bytes(len(data)),
    "another product": lambda data, draw: data[::-1],
}
PASSING = ("500", "503", "429", "slow", "cut", "lost", "short")
LASTING = ("500", "503", "429", "cut", "403")
ALWAYS = {"503", "short", "403"}
"""Storms that blow in every run."""


def some(names):
    return [pytest.param(name, marks=() if name in ALWAYS else pytest.mark.long) for name in names]


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Nothing is kept, and requests are given up after seconds instead of minutes."""
    monkeypatch.setattr(remote, "_kept", remote._Kept())
    monkeypatch.setattr(remote, "_KEPT_BLOCKS", 0)
    backoff = {"init_backoff": timedelta(milliseconds=10), "max_backoff": timedelta(milliseconds=50), "base": 2}
    for name, retries in (("_RETRY", 25), ("_SINGLE", 0)):
        patience = {"max_retries": retries, "backoff": backoff, "retry_timeout": timedelta(seconds=5)}
        monkeypatch.setattr(aws, name, patience)


@pytest.fixture
def frame(tmp_path):
    return mini.licsar(tmp_path)


@pytest.fixture
def truth(frame):
    source = open_source(frame)
    return {item.pair.key: source.read(item, slice(0, mini.HEIGHT)) for item in source.pairs}


def read_all(source, truth):
    """Read all pairs; returns the errors, after a look at the pixels that came without."""
    errors = [DataError(item.reason) for item in source.rejected]
    for item in source.pairs:
        try:
            block = source.read(item, slice(0, mini.HEIGHT))
        except (DataError, OSError) as error:
            errors.append(error)
            continue
        for here, there in zip(block, truth[item.pair.key], strict=True):
            np.testing.assert_array_equal(here, there)
    return errors


def within_limit(work):
    """What a function returns or raises, if it does within the limit."""
    ended = []

    def run():
        try:
            ended.append((work(), None))
        except Exception as error:  # noqa: BLE001 - handed on to the test
            ended.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(LIMIT)
    assert ended, f"still at it after {LIMIT:.0f} s"
    ((result, error),) = ended
    if error is not None:
        raise error
    return result


@pytest.mark.parametrize("moment", ["after it was listed", "after it was opened"])
@pytest.mark.parametrize("injury", INJURIES)
@pytest.mark.parametrize("store", ["memory", pytest.param("s3", marks=pytest.mark.long)])
def test_an_object_that_is_another_one_now(injury, moment, store, frame, truth, request):
    draw = np.random.default_rng([len(injury), len(moment)])
    url, options = f"memory://slides/sources/{mini.FRAME}", {}
    if store == "s3":
        options = {"endpoint_url": request.getfixturevalue("endpoint")}
        url = elsewhere.upload(frame, options["endpoint_url"], f"sources/{mini.FRAME}")
    else:
        elsewhere.remember(frame, url.removeprefix("memory://"))
    files = fsspec.filesystem(store, **options)
    key = mini.KEYS[int(draw.integers(3))]
    name = f"interferograms/{key}/{key}.geo.{draw.choice(['unw', 'cc', 'diff_unfiltered_pha'])}.tif"

    def injure():
        if INJURIES[injury] is None:
            files.rm_file(f"{url}/{name}")
        else:
            files.pipe_file(f"{url}/{name}", INJURIES[injury](files.cat_file(f"{url}/{name}"), draw))

    def work():
        listing = list_files(url, options)
        if moment == "after it was listed":
            injure()
        source = licsar.open_licsar(listing)
        if moment == "after it was opened":
            injure()
        return read_all(source, truth)

    (error,) = within_limit(work)
    assert isinstance(error, DataError)
    assert name in str(error)
    assert "changed since it was listed" in str(error) or "no longer there" in str(error)


@pytest.mark.parametrize("fault", some(PASSING))
def test_a_storm_that_passes_leaves_no_trace(fault, frame, truth, endpoint):
    url = elsewhere.upload(frame, endpoint, f"sources/{mini.FRAME}")
    spoiler = faults.Faults(len(fault), {fault: 0.3})
    spoiler.pause = 0.05
    with faults.between(endpoint, spoiler) as spoiled:
        source = within_limit(lambda: open_source(url, storage_options={"endpoint_url": spoiled}))
        assert within_limit(lambda: read_all(source, truth)) == []
    assert spoiler.injected[fault] > 0


@pytest.mark.parametrize("moment", ["from the first", "after it was opened"])
@pytest.mark.parametrize("fault", some(LASTING))
def test_a_storm_that_stays_is_an_error_of_the_store(fault, moment, frame, truth, endpoint):
    """Not one of the pairs, which are as good as before."""
    url = elsewhere.upload(frame, endpoint, f"sources/{mini.FRAME}")
    spoiler = faults.Faults(0, {})
    with faults.between(endpoint, spoiler) as spoiled:
        options = {"endpoint_url": spoiled}
        if moment == "from the first":
            spoiler.rates[fault] = 1.0
            with pytest.raises(PermissionError if fault == "403" else OSError, match=mini.FRAME):
                within_limit(lambda: open_source(url, storage_options=options))
            return
        source = open_source(url, storage_options=options)
        spoiler.rates[fault] = 1.0
        few = source.pairs[:1]
        with pytest.raises(PermissionError if fault == "403" else OSError, match=r"20180106_20180118\.geo"):
            within_limit(lambda: source.read(few[0], slice(0, 5)))


class Lying(MemoryFileSystem):
    """Answers in its own ways."""

    protocol = "lying"
    store: dict = {}  # noqa: RUF012 - the base class keeps its files in one, too
    pseudo_dirs = [""]  # noqa: RUF012
    way = ""

    def cat_file(self, path, start=None, end=None, **options):
        data = super().cat_file(path, start=start, end=end, **options)
        if not path.endswith(".tif"):
            return data
        if self.way == "half":
            return data[: len(data) // 2]
        if self.way == "all":
            return super().cat_file(path)
        if self.way == "late":
            raise TimeoutError("no answer")
        if self.way == "odd":
            raise RuntimeError("session is closed")
        return data


@pytest.mark.parametrize(
    ("way", "error"), [("half", OSError), ("all", None), ("late", TimeoutError), ("odd", ConnectionError)]
)
def test_a_file_system_with_ways_of_its_own(way, error, frame, truth, monkeypatch):
    fsspec.register_implementation("lying", Lying, clobber=True)
    source = open_source(elsewhere.remember(frame, mini.FRAME, scheme="lying"))
    monkeypatch.setattr(Lying, "way", way)
    try:
        if error is None:
            assert read_all(source, truth) == []
        else:
            with pytest.raises(error):
                source.read(source.pairs[0], slice(0, 5))
    finally:
        Lying.store.clear()
