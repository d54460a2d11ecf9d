"""Fixtures that several test folders share: real data by name, a small simulated stack, a simulated bucket."""

from __future__ import annotations

import os
import shutil
import urllib.request
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import boto3
import pytest
import runs
from faults import SECRET, TOKEN
from moto.server import ThreadedMotoServer

from slidecloud import simulate
from slidecloud.kernels import device
from slidecloud.stack.arrays import ArraySource
from slidecloud.store import aws, bucket


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests marked ``gpu`` run on a card, or in numba's simulator of one, whichever the process has."""
    lack = device.find_lack() if item.get_closest_marker("gpu") else None
    if lack is not None:
        pytest.skip(lack)


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """Folder of a named set of real data, or a visible skip that names it."""

    def folder(name: str) -> Path:
        root = os.environ.get("SLIDECLOUD_DATA")
        if not root or not (Path(root) / name).is_dir():
            pytest.skip(f"real data set {name!r} is absent: set SLIDECLOUD_DATA to the folder that holds it")
        return Path(root) / name

    return folder


@pytest.fixture(scope="session")
def scene() -> simulate.Scene:
    """A small scene of two years with slides, atmosphere and speckle."""
    return simulate.scene(7, shape=(96, 128), dates=44, id="sim_small")


@pytest.fixture(scope="session")
def interferograms(scene: simulate.Scene) -> simulate.Interferograms:
    """All its default pairs."""
    return simulate.interferograms(scene)


@pytest.fixture(scope="session")
def source(scene: simulate.Scene, interferograms: simulate.Interferograms) -> ArraySource:
    """The small scene as a source."""
    i = interferograms
    return ArraySource(scene.header, i.pairs, i.phase, i.coherence, i.unwrapped, scene.static())


@pytest.fixture(scope="session")
def finished_run(
    tmp_path_factory: pytest.TempPathFactory,
    source: ArraySource,
    interferograms: simulate.Interferograms,
    scene: simulate.Scene,
) -> Path:
    """Folder of a finished run of 24 pairs and of its stack, not to be changed."""
    folder = tmp_path_factory.mktemp("finished")
    runs.compute(folder, runs.subset(source, interferograms, scene, list(range(24))))
    return folder


@pytest.fixture
def run_copy(finished_run: Path, tmp_path: Path) -> Path:
    """A copy of it to tamper with."""
    for name in ("run.zarr", "stacks"):
        shutil.copytree(finished_run / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def keys(monkeypatch):
    """Credentials in the environment alone: no files of the machine, no role."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")


@pytest.fixture
def endpoint(keys, monkeypatch):
    """Endpoint of an S3 server with an empty bucket ``slides``: simulated, or the real one at SLIDECLOUD_S3."""
    real = os.environ.get("SLIDECLOUD_S3")
    if real:
        monkeypatch.delenv("AWS_SESSION_TOKEN")  # these keys belong to a user, not to a session
        bucket = boto3.resource("s3", endpoint_url=real).Bucket("slides")
        bucket.create()
        bucket.objects.all().delete()
        yield real
        return
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST")).close()
    boto3.client("s3", endpoint_url=url).create_bucket(Bucket="slides")
    yield url
    server.stop()


@pytest.fixture
def quick(monkeypatch):
    """The same retries of requests with shorter pauses."""
    pauses = {"init_backoff": timedelta(seconds=0.01), "max_backoff": timedelta(seconds=0.2), "base": 4}
    monkeypatch.setitem(aws._RETRY, "backoff", pauses)
    monkeypatch.setattr(bucket, "_PAUSES", (0.01,) * 3 + (0.2,) * 5)
