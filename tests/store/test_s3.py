"""A run whose stacks and results are in an S3 bucket (a simulated one)."""

from __future__ import annotations

import boto3
import numpy as np
import pytest
import runs
from moto.server import ThreadedMotoServer

import slidecloud
from slidecloud.pipeline.verify import verify


@pytest.fixture
def endpoint(monkeypatch):
    """Endpoint of an S3 server with a bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    boto3.client("s3", endpoint_url=url).create_bucket(Bucket="slides")
    yield url
    server.stop()


def test_run_in_a_bucket(endpoint, tmp_path, source, interferograms, scene):
    few = runs.subset(source, interferograms, scene, list(range(24)))
    options = {"endpoint_url": endpoint}
    stacks = runs.locate("s3://slides/stacks", options)
    runs.ingest(few, stacks)
    settings = runs.config.parse(
        "run: s3://slides/run.zarr\nstacks: s3://slides/stacks\ngradients: {window_pixels: 8}\n"
        f"storage_options: {{endpoint_url: '{endpoint}'}}\n"
    )
    assert runs.run(settings, executor=runs.serial()).exit_code == 0
    assert runs.run(settings, executor=runs.serial()).done == 0
    assert verify("s3://slides/run.zarr", options).damaged == ()
    runs.compute(tmp_path, few, "resources: {executor: serial, memory: 2 GiB}")
    here = slidecloud.open_run(str(tmp_path / "run.zarr")).timeseries("sim_small").velocity.values
    there = slidecloud.open_run("s3://slides/run.zarr", options).timeseries("sim_small").velocity.values
    np.testing.assert_array_equal(here, there)
