"""Where the runs of the fault campaign keep their stores: a folder, or a bucket behind a spoiling proxy and wires."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import faults
import runs
from wire import Wire, wire

from slidecloud.store.location import Location

ENDPOINT = "SLIDECLOUD_TEST_ENDPOINT"
"""Environment variable with the endpoint of a process: each one has a wire of its own."""
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATEST",
    "AWS_SECRET_ACCESS_KEY": faults.SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
}


class Bucket:
    """A simulated S3 server in a process of its own, a proxy that spoils its answers, and a wire for each role.

    Attributes
    ----------
    faults
        What the proxy does to all.
    wires
        By role, from a process to the proxy.
    """

    def __init__(self, endpoint: str, spoiler: faults.Faults, wires: dict[str, Wire]) -> None:
        self._endpoint = endpoint
        self.faults, self.wires = spoiler, wires

    def environment(self, role: str) -> dict[str, str]:
        """What a process of a role needs to reach the store."""
        return KEYS | {ENDPOINT: self.wires[role].url}

    def locate(self, name: str) -> Location:
        """A store of the bucket as seen by the test, past all faults."""
        return runs.locate(f"s3://slides/{name}", {"endpoint_url": self._endpoint})


@contextmanager
def bucket(log: Path, *, roles: tuple[str, ...]) -> Iterator[Bucket]:
    """Start one; its keys are those of this process too."""
    before = {name: os.environ.get(name) for name in (*KEYS, "AWS_SESSION_TOKEN")}
    os.environ |= KEYS
    os.environ.pop("AWS_SESSION_TOKEN", None)
    port = free_port()
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=file, stderr=file
        )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(endpoint))
        boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="slides")
        with ExitStack() as stack:
            spoiler = faults.Faults(0, {})
            through = urlsplit(stack.enter_context(faults.between(endpoint, spoiler)))
            address = (str(through.hostname), int(through.port or 0))
            yield Bucket(endpoint, spoiler, {role: stack.enter_context(wire(address)) for role in roles})
    finally:
        server.kill()
        server.wait()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def until(true: Callable[[], Any], patience: float = 120.0, pause: float = 0.02) -> Any:
    """Wait until something is true, and return it."""
    end = time.monotonic() + patience
    while not (found := true()):
        assert time.monotonic() < end, f"waited for {patience:.0f} s in vain"
        time.sleep(pause)
    return found


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5).close()
        return True
    except OSError:
        return False
