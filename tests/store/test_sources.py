"""Sources below a URL: the same stack as from a folder, few requests, and errors that say what to do."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import boto3
import elsewhere
import faults
import fsspec
import hyp3_files
import miniature as mini
import numpy as np
import pytest
import rasterio
import runs
from fsspec.implementations.memory import MemoryFileSystem

from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import open_source, remote
from slidecloud.stack.names import list_files
from slidecloud.store import aws
from slidecloud.types import DataError


@pytest.fixture
def frame(tmp_path):
    return mini.licsar(tmp_path)


@pytest.fixture
def url(frame, endpoint):
    """The frame in the bucket."""
    return elsewhere.upload(frame, endpoint, f"sources/{mini.FRAME}")


@pytest.fixture
def options(endpoint):
    return {"endpoint_url": endpoint}


@pytest.fixture
def forgetful(monkeypatch):
    """Nothing that was fetched is kept, as if files were large."""
    monkeypatch.setattr(remote, "_kept", remote._Kept())
    monkeypatch.setattr(remote, "_KEPT_BLOCKS", 0)


@pytest.fixture
def impatient(monkeypatch):
    """Requests are given up after two seconds instead of minutes."""
    patience = {**aws._RETRY, "max_retries": 3, "retry_timeout": timedelta(seconds=2)}
    monkeypatch.setattr(aws, "_RETRY", patience)


def same(one, other):
    assert one.header == other.header
    assert [item.pair for item in one.pairs] == [item.pair for item in other.pairs]
    assert [item.key for item in one.rejected] == [item.key for item in other.rejected]
    for here, there in zip(one.pairs, other.pairs, strict=True):
        for rows in (slice(0, 5), slice(3, one.header.shape[0])):
            for first, second in zip(one.read(here, rows), other.read(there, rows), strict=True):
                np.testing.assert_array_equal(first, second)
    maps, others = one.static(), other.static()
    assert maps.keys() == others.keys()
    for name, values in maps.items():
        np.testing.assert_array_equal(values, others[name])


def make(kind, folder):
    if kind == "hyp3":
        return hyp3_files.stack(folder / "hyp3")
    return mini.gamma(folder / "field") if kind == "gamma" else mini.licsar(folder)


@pytest.mark.parametrize("place", ["s3", "memory", "http", "file"])
@pytest.mark.parametrize("kind", ["gamma", "hyp3", "licsar"])
def test_a_source_is_the_same_wherever_it_lies(kind, place, tmp_path, request):
    root = make(kind, tmp_path)
    here = open_source(root)
    if place == "s3":
        endpoint = request.getfixturevalue("endpoint")
        address = elsewhere.upload(root, endpoint, f"sources/{root.name}")
        same(here, pickle.loads(pickle.dumps(open_source(address, storage_options={"endpoint_url": endpoint}))))
    elif place == "http":
        with elsewhere.web(tmp_path) as address:
            same(here, open_source(f"{address}/{root.name}"))
    elif place == "file":
        same(here, open_source(f"file://{root}"))
    else:
        same(here, pickle.loads(pickle.dumps(open_source(elsewhere.remember(root, f"b/{root.name}")))))


def test_ingest_from_a_bucket_is_that_from_a_folder(frame, url, options, tmp_path):
    local, _ = ingest_folder(str(frame), str(tmp_path / "stacks"))
    stacks = runs.locate("s3://slides/stacks", options)
    remote, summary = ingest_folder(url, stacks)  # with the options of the stacks
    assert summary.exit_code == 0
    assert summary.bytes_read > sum(path.stat().st_size for path in frame.rglob("*.cc.tif"))
    chunks = [key for key in local.keys("") if "/c/" in key]
    assert chunks
    assert local.read_many(chunks) == remote.read_many(chunks)
    _, again = ingest_folder(url, stacks)
    assert (again.done, again.bytes_read) == (0, 0)


def test_ingest_killed_goes_on_from_the_bucket(frame, url, options, tmp_path):
    """A process that dies in the middle of a batch leaves nothing that the next one has to mend."""
    script = (
        "import os, sys\n"
        "from slidecloud.pipeline import batches, ingest\n"
        "from slidecloud.pipeline.folders import ingest_folder\n"
        "ingest.STACK_CHUNKS = (1, 4, 512)\n"
        "ingest.ingest.__kwdefaults__['chunks'] = (1, 4, 512)\n"
        "original = batches.BatchWork._write_band\n"
        "def dying(self, writer, rows, *rest):\n"
        "    if self.first == 2 and rows.start > 0: os.kill(os.getpid(), 9)\n"
        "    return original(self, writer, rows, *rest)\n"
        "batches.BatchWork._write_band = dying\n"
        f"ingest_folder(sys.argv[1], sys.argv[2], storage_options={options!r})\n"
    )
    killed = subprocess.run([sys.executable, "-c", script, url, str(tmp_path / "stacks")], check=False)
    assert killed.returncode == -signal.SIGKILL
    stack, summary = ingest_folder(url, str(tmp_path / "stacks"), storage_options=options)
    assert (summary.done, summary.skipped, summary.exit_code) == (1, 2, 0)
    straight, _ = ingest_folder(str(frame), str(tmp_path / "straight"))
    pixels = [runs.Stack(location).pair_digests for location in (stack, straight)]
    assert pixels[0] == pixels[1]


def test_a_changed_object_is_refused_by_name_and_read_the_next_time(url, options, endpoint, tmp_path, forgetful):
    source = open_source(url, storage_options=options)
    key = f"sources/{mini.FRAME}/interferograms/{mini.KEYS[0]}/{mini.KEYS[0]}.geo.cc.tif"
    client = boto3.client("s3", endpoint_url=endpoint)
    old = client.get_object(Bucket="slides", Key=key)["Body"].read()
    client.put_object(Bucket="slides", Key=key, Body=old + b"\0")
    with pytest.raises(DataError, match=rf"{mini.KEYS[0]}\.geo\.cc\.tif has changed since it was listed"):
        source.read(source.pairs[0], slice(0, 4))
    summary = runs.ingest(source, str(tmp_path / "stacks"))
    assert [(item.unit, item.kind) for item in summary.quarantined] == [(mini.KEYS[0], "data")]
    stack, summary = ingest_folder(url, str(tmp_path / "stacks"), storage_options=options)
    assert summary.exit_code == 0
    assert None not in runs.Stack(stack).pair_digests


def test_an_object_that_is_gone_is_refused_by_name(url, options, endpoint, forgetful):
    source = open_source(url, storage_options=options)
    key = f"sources/{mini.FRAME}/interferograms/{mini.KEYS[1]}/{mini.KEYS[1]}.geo.unw.tif"
    boto3.client("s3", endpoint_url=endpoint).delete_object(Bucket="slides", Key=key)
    with pytest.raises(DataError, match=r"geo\.unw\.tif is no longer there"):
        source.read(source.pairs[1], slice(0, 4))


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("s3://nowhere/frame", FileNotFoundError, r"no bucket for s3://nowhere/frame"),
        ("s3://slides/nothing", FileNotFoundError, r"nothing below s3://slides/nothing"),
        ("s3://", ValueError, "names no bucket"),
        ("s3://slides/../x", ValueError, "has a part"),
        ("s3://a:b@slides/x", ValueError, "secret"),
        ("memory://nothing/here", FileNotFoundError, "nothing below"),
        ("nosuchscheme://bucket/x", ValueError, "cannot be reached"),
    ],
)
def test_an_address_that_is_none_says_so(address, error, words, options):
    with pytest.raises(error, match=words):
        list_files(address, options if address.startswith("s3") else None)


@pytest.mark.parametrize(
    ("fault", "words"),
    [("403", "was denied .*AccessDenied"), ("expired", "credentials for .* have expired"), ("skewed", "clock")],
)
def test_denied_access_says_why(fault, words, url, endpoint, impatient, monkeypatch):
    monkeypatch.setitem(faults._CODES, "expired", (400, "ExpiredToken"))
    with (
        faults.between(endpoint, faults.Faults(0, {fault: 1.0})) as spoiled,
        pytest.raises(PermissionError, match=words),
    ):
        open_source(url, storage_options={"endpoint_url": spoiled})


def test_expired_credentials_set_no_pair_aside_for_good(url, endpoint, impatient, forgetful, monkeypatch, tmp_path):
    """It is no fault of the pairs: with new credentials the same command goes on."""
    monkeypatch.setitem(faults._CODES, "expired", (400, "ExpiredToken"))
    state = faults.Faults(0, {})
    with faults.between(endpoint, state) as spoiled:
        source = open_source(url, storage_options={"endpoint_url": spoiled})
        assert runs.ingest(replace(source, pairs=source.pairs[:2]), str(tmp_path / "stacks")).exit_code == 0
        state.rates["expired"] = 1.0
        with pytest.raises(PermissionError, match="expired"):
            source.read(source.pairs[0], slice(0, 12))
        failed = runs.ingest(source, str(tmp_path / "stacks"), retries=0)
        assert {(item.kind, "expired" in item.reason) for item in failed.quarantined} == {("failed", True)}
        state.rates.clear()
        assert runs.ingest(source, str(tmp_path / "stacks")).exit_code == 0


def test_a_denied_web_server_says_so(tmp_path):
    with elsewhere.web(tmp_path, status=403) as address, pytest.raises(PermissionError, match="denied"):
        list_files(address)


def test_hostile_names_are_left_out_by_name(endpoint, options):
    client = boto3.client("s3", endpoint_url=endpoint)
    for key in ("ok.txt", "100% [a]*?#+ü.txt"):
        client.put_object(Bucket="slides", Key=f"odd/{key}", Body=b"x")
    listing = list_files("s3://slides/odd", options)
    assert [(listing.name(path), path.read_text()) for path in listing.files] == [
        ("100% [a]*?#+ü.txt", "x"),
        ("ok.txt", "x"),
    ]
    client.put_object(Bucket="slides", Key="odd/tab\there.txt", Body=b"x")
    with pytest.raises(ValueError, match=r"holds an object with a name that cannot be used .*tab"):
        list_files("s3://slides/odd", options)
    files = fsspec.filesystem("memory")
    for key in ("ok.txt", "tab\there.txt", "back\\slash.txt"):
        files.pipe_file(f"memory://odd/{key}", b"x")
    listing = list_files("memory://odd")
    assert [listing.name(path) for path in listing.files] == ["ok.txt"]
    assert len(listing.refused) == 2


class Counting(MemoryFileSystem):
    """Counts what is asked for, and how many ask at the same time."""

    protocol = "counting"
    store: dict = {}  # noqa: RUF012 - the base class keeps its files in one, too
    pseudo_dirs = [""]  # noqa: RUF012
    asked: Counter = Counter()  # noqa: RUF012

    def cat_file(self, path, start=None, end=None, **options):
        data = super().cat_file(path, start=start, end=end, **options)
        self.asked["requests"] += 1
        self.asked["bytes"] += len(data)
        return data


@pytest.fixture
def counting():
    fsspec.register_implementation("counting", Counting, clobber=True)
    yield Counting.asked
    Counting.store.clear()
    Counting.asked.clear()


def test_only_the_rows_asked_for_are_fetched(counting, tmp_path):
    """A tenth of the rows costs about a tenth of the bytes, by one request a file beyond its header."""
    frame = mini.licsar(tmp_path)
    key, shape = mini.KEYS[0], (1000, 600)
    folder = frame / "interferograms" / key
    draw = np.random.default_rng(5)
    for name, values in (
        ("geo.diff_unfiltered_pha", draw.uniform(-3, 3, shape).astype(np.float32)),
        ("geo.cc", draw.integers(1, 255, shape, np.uint8)),
    ):
        mini.write(folder / f"{key}.{name}.tif", values)
    for path in (frame / "interferograms").rglob("*.tif"):
        if path not in (folder / f"{key}.geo.diff_unfiltered_pha.tif", folder / f"{key}.geo.cc.tif"):
            path.unlink()
    source = open_source(elsewhere.remember(frame, mini.FRAME, scheme="counting"))
    counting.clear()
    first = source.read(source.pairs[0], slice(200, 300))
    whole = 5 * shape[0] * shape[1]
    assert counting["bytes"] < 0.1 * whole + 2 * 2 * 65536
    assert counting["requests"] <= 2 * 3
    counting.clear()
    second = source.read(source.pairs[0], slice(300, 400))
    assert counting["requests"] == 2  # the headers are known by now
    assert counting["bytes"] < 0.105 * whole  # whole strips of some rows
    expected = open_source(frame)
    for rows, block in ((slice(200, 300), first), (slice(300, 400), second)):
        for one, other in zip(expected.read(expected.pairs[0], rows), block, strict=True):
            if other is not None:
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("tiled", [False, True])
def test_any_layout_of_blocks_is_read_right(counting, tiled, tmp_path):
    frame = mini.licsar(tmp_path)
    for path in sorted(frame.rglob("2018*.tif")):
        with rasterio.open(path) as dataset:
            values, profile = dataset.read(1), dataset.profile
        layout = {"tiled": True, "blockxsize": 16, "blockysize": 16} if tiled else {"blockysize": 5}
        with rasterio.open(path, "w", **(profile | {"compress": "deflate", "predictor": 1} | layout)) as dataset:
            dataset.write(values, 1)
    same(open_source(frame), open_source(elsewhere.remember(frame, mini.FRAME, scheme="counting")))
