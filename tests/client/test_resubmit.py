"""A run that was submitted before: refused while it goes, taken up again when it is over, also where nobody says so."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from kube import DASK, PODS, Kube, server

from slidecloud import client, config
from slidecloud.client.names import name_of

REGION = config.parse("run: s3://bucket/r.zarr\nstacks: s3://bucket/s\nkubernetes: {image: i, maximum: 1}\n")
NAME = name_of(REGION.run)
DRIVER = {
    "metadata": {"name": f"{NAME}-runner"},
    "spec": {"containers": [{"name": "d", "image": "i", "args": ["sleep", "600"]}]},
}


@pytest.fixture
def operated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kube]:
    """A server to which the run was submitted, and which says what an operator would say."""
    monkeypatch.setattr(sys.modules["slidecloud.client.submit"], "_OPERATOR_PATIENCE", 0.0)
    with server(tmp_path) as found:
        monkeypatch.setenv("KUBECONFIG", str(found.kubeconfig))
        client.submit(REGION)
        found.http.post(PODS, json=DRIVER).raise_for_status()
        _say(found, "Running")
        yield found


def _say(kube: Kube, status: str) -> None:
    kube.http.patch(
        f"{DASK}/daskjobs/{NAME}/status",
        json={"status": {"jobStatus": status, "jobRunnerPodName": f"{NAME}-runner"}},
        headers={"Content-Type": "application/merge-patch+json"},
    ).raise_for_status()


def _uid(kube: Kube) -> str:
    (job,) = kube.items(f"{DASK}/daskjobs")
    return str(job["metadata"]["uid"])


def test_a_run_is_submitted_again_when_it_ended_or_its_driver_is_lost(operated: Kube) -> None:
    first = _uid(operated)
    with pytest.raises(FileExistsError, match="submitted already"):
        client.submit(REGION)
    assert _uid(operated) == first
    _say(operated, "Failed")
    client.submit(REGION)
    second = _uid(operated)
    assert second != first
    _say(operated, "Running")
    with pytest.raises(FileExistsError, match="submitted already"):
        client.submit(REGION)
    operated.lose_pod(f"{NAME}-runner")
    client.submit(REGION)
    assert _uid(operated) not in (first, second)
