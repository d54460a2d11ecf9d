"""A simulated S3 server with a bucket, and keys for it that no test may find anywhere."""

from __future__ import annotations

import os
import urllib.request

import boto3
import pytest
import runs
from faults import SECRET, TOKEN
from moto.server import ThreadedMotoServer


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
def few(source, interferograms, scene):
    """A source with 24 of the small scene's pairs."""
    return runs.subset(source, interferograms, scene, list(range(24)))
