"""HDF5 sources below a URL: the same values as from a folder, a part of the bytes for a part of the rows."""

from __future__ import annotations

import pickle

import boto3
import cslc
import elsewhere
import fsspec
import numpy as np
import pytest
import smallbaseline

from slidecloud.pipeline.folders import ingest_folder
from slidecloud.stack import open_source, remote
from slidecloud.stack.remote import RemotePath
from slidecloud.store.slc import SlcStack
from slidecloud.types import DataError

BIG = (1280, 1024)
"""Rows in ten rows of chunks."""


@pytest.fixture
def asked(monkeypatch):
    """(first, end) of all bytes that were asked for, by name of the file; nothing is kept from before."""
    monkeypatch.setattr(remote, "_kept", remote._Kept())
    found: dict[str, list[tuple[int, int]]] = {}
    fetch = RemotePath.fetch

    def counted(self, start, stop):
        found.setdefault(self.name, []).append((start, stop))
        return fetch(self, start, stop)

    monkeypatch.setattr(RemotePath, "fetch", counted)
    return found


def place(root, where, request, prefix):
    """URL of a folder in S3 or in memory, and its options."""
    if where == "memory":
        return elsewhere.remember(root, prefix), None
    endpoint = request.getfixturevalue("endpoint")
    return elsewhere.upload(root, endpoint, prefix), {"endpoint_url": endpoint}


@pytest.mark.parametrize("where", ["s3", "memory"])
def test_images_are_the_same_wherever_they_lie(tmp_path, where, request):
    root = cslc.folder(tmp_path / "burst")
    url, options = place(root, where, request, "sources/burst")
    here, there = open_source(root), pickle.loads(pickle.dumps(open_source(url, storage_options=options)))
    assert there.header == here.header
    assert [image.time for image in there.images] == [image.time for image in here.images]
    assert [image.perpendicular_baseline for image in there.images] == [
        image.perpendicular_baseline for image in here.images
    ]
    for one, other in zip(here.images, there.images, strict=True):
        for rows in (slice(0, 200), slice(120, 140)):
            np.testing.assert_array_equal(here.read_image(one, rows).samples, there.read_image(other, rows).samples)
    maps = there.static()
    for name, values in here.static().items():
        np.testing.assert_array_equal(maps[name], values)


def test_ingest_of_images_from_a_bucket(tmp_path, request):
    root = cslc.folder(tmp_path / "burst")
    url, options = place(root, "s3", request, "sources/burst")
    location, summary = ingest_folder(url, str(tmp_path / "stacks"), storage_options=options)
    assert (summary.done, summary.exit_code) == (4, 0)
    stack = SlcStack(location)
    for number, day in enumerate(cslc.DAYS):
        found = stack.read([number], slice(0, 200), slice(0, 300)).samples[0]
        np.testing.assert_array_equal(found, cslc.samples(day))


@pytest.mark.parametrize("where", ["s3", "memory"])
def test_a_tenth_of_the_rows_takes_a_tenth_of_the_bytes(tmp_path, where, request, asked):
    rng = np.random.default_rng(1)
    values = cslc.zero_mantissa(rng.standard_normal((*BIG, 2), dtype=np.float32).view(np.complex64)[..., 0])
    name = cslc.name(cslc.DAYS[0])
    path = cslc.write(tmp_path / "burst" / name, cslc.DAYS[0], values)
    size = path.stat().st_size
    assert size > 5_000_000
    cslc.static(tmp_path / "burst" / cslc.STATIC, shape=BIG)
    url, options = place(tmp_path / "burst", where, request, "big/burst")
    source = open_source(url, storage_options=options)
    opening = sum(stop - start for start, stop in asked[name])
    # Metadata, in a few blocks at the beginning and the end.
    assert opening <= 6 * remote.BLOCK
    for tenth in range(10):
        asked.clear()
        rows = slice(128 * tenth, 128 * (tenth + 1))
        np.testing.assert_array_equal(source.read_image(source.images[0], rows).samples, values[rows])
        taken = sum(stop - start for start, stop in asked[name])
        assert 0.9 * size / 10 < taken < 1.1 * size / 10 + 2 * remote.BLOCK
        assert len(asked[name]) <= 4


@pytest.mark.parametrize("where", ["s3", "memory"])
def test_pairs_of_mintpy_are_the_same_wherever_they_lie(tmp_path, where, request, asked):
    root = smallbaseline.geocoded(tmp_path / "field")
    url, options = place(root, where, request, "sources/field")
    here, there = open_source(root), open_source(url, storage_options=options)
    assert there.header == here.header
    for one, other in zip(here.pairs, there.pairs, strict=True):
        assert one.pair == other.pair
        for first, second in zip(here.read(one, slice(3, 30)), there.read(other, slice(3, 30)), strict=True):
            np.testing.assert_array_equal(first, second)
    maps = there.static()
    for name, values in here.static().items():
        np.testing.assert_array_equal(maps[name], values)


def test_a_file_that_changes_or_goes_is_named(tmp_path, endpoint):
    root = cslc.folder(tmp_path / "burst")
    url = elsewhere.upload(root, endpoint, "sources/burst")
    source = open_source(url, storage_options={"endpoint_url": endpoint})
    client = boto3.client("s3", endpoint_url=endpoint)
    first, second = (f"sources/burst/{cslc.name(day)}" for day in cslc.DAYS[:2])
    client.put_object(Bucket="slides", Key=first, Body=b"x" * 90_000)
    client.delete_object(Bucket="slides", Key=second)
    for image, key in zip(source.images, (first, second), strict=False):
        with pytest.raises(DataError, match=f"{key.rsplit('/', 1)[1]}.*(changed|no longer|not|gone)"):
            source.read_image(image, slice(0, 200))
    assert source.read_image(source.images[2], slice(0, 9)).samples.any()


def test_a_store_that_does_not_answer_is_no_fault_of_the_file(tmp_path, monkeypatch):
    """It is tried again, where a bad file would be set aside for good."""
    root = cslc.folder(tmp_path / "burst")
    url = elsewhere.remember(root, "sources/silent")
    source = open_source(url)
    monkeypatch.setattr(remote, "_kept", remote._Kept())

    def silent(self, start, stop):
        raise ConnectionError(f"{self} does not answer")

    monkeypatch.setattr(RemotePath, "fetch", silent)
    with pytest.raises(ConnectionError, match="does not answer"):
        source.read_image(source.images[0], slice(0, 9))
    with pytest.raises(ConnectionError, match="does not answer"):
        open_source(url)


def test_truncated_and_foreign_objects_are_refused_by_name(tmp_path):
    root = cslc.folder(tmp_path / "burst")
    url = elsewhere.remember(root, "sources/damaged")
    files = fsspec.filesystem("memory")
    names = [cslc.name(day) for day in cslc.DAYS]
    for name, data in zip(names[:3], (b"", b"<html>404</html>", (root / names[2]).read_bytes()[:-5000]), strict=True):
        files.pipe_file(f"memory://sources/damaged/{name}", data)
    source = open_source(url)
    assert [image.key for image in source.images] == [cslc.DAYS[3]]
    assert [item.key for item in source.rejected] == names[:3]
    for item in source.rejected:
        assert item.key in item.reason
        assert "cannot be read as HDF5" in item.reason
