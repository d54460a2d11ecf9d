"""The real Dask operator and KubeCluster with our objects, on a server whose pods are processes of this machine."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import runs
from kube import Kube, kube, until

from slidecloud import client, cluster, config
from slidecloud.client.names import name_of
from slidecloud.config import RunConfig
from slidecloud.pipeline import executors
from slidecloud.pipeline.run import run
from slidecloud.pipeline.status import status
from slidecloud.stack.arrays import ArraySource
from slidecloud.store import lease, locate

PATIENCE = 240.0
"""Seconds for a whole run, on a machine that has other things to do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """One server and operator for all tests; each leaves it empty."""
    with kube(tmp_path_factory.mktemp("kube")) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(found.kubeconfig))
        yield found


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, source: ArraySource) -> dict[str, bytes]:
    """What the run gives in one thread of one process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    settings = _region(folder, source)
    run(settings, executor=executors.serial())
    return runs.arrays(folder / "run.zarr")


def test_an_interactive_cluster_grows_runs_loses_a_pod_shrinks_and_leaves_nothing(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source)
    lost: list[str] = []

    def lose() -> None:
        _await_unit(settings)
        lost.append(server.pods("worker")[0])
        server.lose_pod(lost[0])

    with cluster.kubernetes(settings.kubernetes, memory="1 GiB") as opened:
        until(lambda: len(opened.nthreads()) == 1, what="a worker")
        futures = [opened.submit(time.sleep, 0.5, pure=False) for _ in range(400)]
        until(lambda: len(opened.nthreads()) == 2, what="a second worker for more work")
        opened.cancel(futures)
        loser = threading.Thread(target=lose, daemon=True)
        loser.start()
        summary = run(settings, executor=executors.dask(opened, expected=2))
        loser.join(60)
        until(lambda: len(opened.nthreads()) == 1, what="one worker for no work")
    assert lost
    assert summary.exit_code == 0
    assert runs.arrays(tmp_path / "run.zarr") == expected
    until(lambda: not server.leftovers(), what="an empty cluster")


def test_a_submitted_run_is_cancelled_submitted_again_and_ends_by_itself(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source, gpu_workers=1)
    name = client.submit(settings)
    assert name == name_of(settings.run)
    with pytest.raises(FileExistsError, match="submitted already"):
        client.submit(settings)
    until(lambda: any("-gpu-worker-" in pod for pod in server.pods("worker")), what="the worker with a GPU")
    _await_unit(settings)
    client.cancel(settings.run)
    assert lease.holder(locate(settings.run)) is None
    until(lambda: not server.leftovers(), what="an empty cluster")
    with pytest.raises(LookupError, match="not submitted"):
        client.cancel(settings.run)
    client.submit(settings)
    until(lambda: server.job(name) == "Successful", patience=PATIENCE, what="the end of the job")
    assert any("units done" in line for line in client.logs(settings.run))
    assert status(settings.run).ended
    assert runs.arrays(tmp_path / "run.zarr") == expected
    until(lambda: not server.pods("worker") and not server.pods("scheduler"), what="the end of the cluster")
    assert any(what.startswith("DaskJob") for what in client.cancel(settings.run))
    until(lambda: not server.leftovers(), what="an empty cluster")


@pytest.mark.long
def test_a_submitted_run_outlives_its_scheduler(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source)
    name = _submit_and_lose(server, settings, "scheduler")
    until(lambda: server.job(name) == "Successful", patience=PATIENCE, what="the end of the job")
    assert any("goes on from there" in line for line in client.logs(settings.run))
    assert runs.arrays(tmp_path / "run.zarr") == expected
    client.cancel(settings.run)
    until(lambda: not server.leftovers(), what="an empty cluster")


@pytest.mark.long
def test_a_submitted_run_whose_driver_is_lost_is_submitted_again(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source)
    name = _submit_and_lose(server, settings, "job-runner")
    until(lambda: not server.pods("job-runner"), what="the end of the driver")
    assert server.job(name) == "Running"  # the operator has no eye for it
    client.submit(settings)
    until(lambda: server.job(name) == "Successful", patience=PATIENCE, what="the end of the job")
    assert runs.arrays(tmp_path / "run.zarr") == expected
    client.cancel(settings.run)
    until(lambda: not server.leftovers(), what="an empty cluster")


def _region(folder: Path, source: ArraySource, **kubernetes: object) -> RunConfig:
    """The stack of a small scene, and a configuration in which the folder stands for a volume of the pods."""
    runs.ingest(source, str(folder / "stacks"), chunks=runs.CHUNKS)
    own = {"image": "slidecloud", "minimum": 1, "maximum": 2, "grace": 5, "volume_claim": "data"}
    own |= {"volume_path": str(folder), "env": {"PYTHONWARNINGS": "ignore", "NUMBA_CACHE_DIR": ""}} | kubernetes
    text = runs.yaml_text(folder, "resources: {memory: 1 GiB, tile: [32, 64]}", f"kubernetes: {own}")
    return config.parse(text)


def _submit_and_lose(server: Kube, settings: RunConfig, component: str) -> str:
    """Submit a run and lose the pod of a component when a unit is done; the job's name."""
    name = client.submit(settings)
    _await_unit(settings)
    (lost,) = server.pods(component)
    server.lose_pod(lost)
    return name


def _await_unit(settings: RunConfig) -> None:
    begun = Path(settings.run) / ".slidecloud/run.yaml"
    until(
        lambda: begun.exists() and status(settings.run).stages[0].done >= 1, patience=PATIENCE, what="a first unit done"
    )
