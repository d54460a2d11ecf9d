"""Throughput through S3 beside a folder of the same machine: ingest, a run, and reading in one and four streams.

The bucket is on the server at SLIDECLOUD_S3 (tests/ceph/run.sh starts a Ceph), else on a simulated one in a process of
its own. Folder and bucket take turns, and a ratio is the median over the turns.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import boto3
import numpy as np
import pytest
import runs

from slidecloud import open_stack
from slidecloud.network import pairs as make_pairs
from slidecloud.store.arrays import read_pairs, reader
from slidecloud.types import Grid, PairBlock, SourcePair, StackHeader

SHAPE, PAIRS, TURNS, STREAMS = (512, 1024), 64, 3, 4
MEGABYTES = SHAPE[0] * SHAPE[1] * PAIRS * 7 / 1e6
"""Of phase (2 bytes), coherence (1) and unwrapped phase (4)."""


@dataclass
class Noise:
    """Noise does not compress, as real interferograms do not."""

    header: StackHeader
    pairs: tuple[SourcePair, ...]
    rejected: tuple[()] = ()

    def static(self):
        return {}

    def read(self, pair, rows):
        draw = np.random.default_rng([self.pairs.index(pair), rows.start])
        size = rows.stop - rows.start, SHAPE[1]
        phase, coherence = draw.integers(-32768, 32768, size, np.int16), draw.integers(1, 256, size, np.uint8)
        return PairBlock(phase, coherence, draw.random(size, np.float32))


@pytest.fixture
def noise():
    dates = np.datetime64("2020-01-03T23:00:00") + 12 * np.timedelta64(1, "D") * np.arange(40)
    chosen = tuple(SourcePair(pair, (), "") for pair in make_pairs(dates, max_days=36).pairs[:PAIRS])
    grid = Grid("EPSG:32648", 5e5, 3e6, 40.0, -40.0, *SHAPE)
    header = StackHeader("t001_000001_iw1", "map", SHAPE, (40.0, 40.0), 0.05546576, 8, 2, 16.0, -12.3, "right",
        "ascending", 8.8e5, "noise", "simulated", False, True, grid)  # fmt: skip
    return Noise(header, chosen)


@pytest.fixture
def bucket(monkeypatch):
    """Options that reach a bucket ``throughput``, which is emptied afterwards."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    url, server = os.environ.get("SLIDECLOUD_S3"), None
    if not url:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _await(url)
    found = boto3.resource("s3", endpoint_url=url).Bucket("throughput")
    found.create()
    yield {"endpoint_url": url}
    if server is None:
        found.objects.all().delete()
    else:
        server.kill()
        server.wait()


def _await(url):
    for _ in range(600):
        try:
            return urllib.request.urlopen(url).close()
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def measure(noise, base, options):
    """Seconds of everything that is done with a stack, at one place."""
    where = runs.locate(f"{base}/stacks/{noise.header.id}.zarr", options)
    settings = runs.config.parse(
        f"run: {base}/run.zarr\nstacks: {base}/stacks\nstorage_options: {options}\n"
        "resources: {executor: threads, workers: 2, memory: 4 GiB}\n"
    )
    threads = runs.executors.threads(2)
    return {
        "ingest": _seconds(lambda: _good(runs.ingest(noise, runs.locate(f"{base}/stacks", options)))),
        "run": _seconds(lambda: _good(runs.run(settings, executor=threads))),
        "read, 1 stream": _seconds(lambda: _read(where, 1)),
        f"read, {STREAMS} streams": _seconds(lambda: _read(where, STREAMS)),
        "open_stack, 1 stream": _seconds(lambda: _open(where, options, 1)),
        f"open_stack, {STREAMS} streams": _seconds(lambda: _open(where, options, STREAMS)),
    }


def _seconds(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def _good(summary):
    assert summary.exit_code == 0, summary.lines()


def _windows():
    """The chunks of the map, each a window of its own."""
    steps = ((y, x) for y in range(0, SHAPE[0], 256) for x in range(0, SHAPE[1], 512))
    return [(slice(y, y + 256), slice(x, x + 512)) for y, x in steps]


def _read(where, streams):
    """As units read: the stored numbers of all pairs over a window."""
    root = reader(where)

    def read(window):
        for name in ("phase", "coherence", "unwrapped"):
            assert read_pairs(root[name], np.arange(PAIRS), *window).any()

    with ThreadPoolExecutor(streams) as pool:
        list(pool.map(read, _windows()))


def _open(where, options, streams):
    """As people read: decoded phase from a Dataset."""
    phase = open_stack(str(where), options).phase

    def read(window):
        assert phase.isel(y=window[0], x=window[1]).values.any()

    with ThreadPoolExecutor(streams) as pool:
        list(pool.map(read, _windows()))


@pytest.mark.long
def test_bucket_beside_folder(tmp_path, noise, bucket, record_property, capsys):
    measure(noise, tmp_path / "warm", {})
    turns = [
        (measure(noise, tmp_path / f"{turn}", {}), measure(noise, f"s3://throughput/{turn}", bucket))
        for turn in range(TURNS)
    ]
    with capsys.disabled():
        print(f"\n{MEGABYTES:.0f} MB, seconds of folder and bucket (medians of {TURNS}), rate of bucket : folder")  # noqa: T201
        for name in turns[0][0]:
            folder, s3 = (statistics.median(turn[place][name] for turn in turns) for place in (0, 1))
            ratio = statistics.median(turn[0][name] / turn[1][name] for turn in turns)
            record_property(f"{name}, bucket : folder", ratio)
            print(f"  {name:24}{folder:8.2f}{s3:8.2f}{ratio:8.2f}")  # noqa: T201
            assert ratio > 0
