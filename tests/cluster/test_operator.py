"""The real Dask operator and KubeCluster with our objects, on a server whose pods are processes of this machine."""

from __future__ import annotations

import gc
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import runs
from kube import Kube, kube, until

from slidecloud import client, cluster, config
from slidecloud.client.names import name_of
from slidecloud.client.objects import submission
from slidecloud.config import RunConfig
from slidecloud.pipeline import executors
from slidecloud.pipeline.run import run
from slidecloud.pipeline.status import status
from slidecloud.stack.arrays import ArraySource

pytestmark = [
    pytest.mark.long,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # kr8s keeps its connections open to the end
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """One server and operator for all tests; each leaves it empty."""
    with kube(tmp_path_factory.mktemp("kube")) as found, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(found.kubeconfig))
        yield found
        with warnings.catch_warnings():
            # kr8s keeps its connections open to the end of the process.
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, source: ArraySource) -> dict[str, bytes]:
    """What the run gives in one thread of one process."""
    folder = tmp_path_factory.mktemp("undisturbed")
    settings = _region(folder, source)
    run(settings, executor=executors.serial())
    return runs.arrays(folder / "run.zarr")


def _region(folder: Path, source: ArraySource, **kubernetes: object) -> RunConfig:
    """The stack of a small scene, and a configuration in which the folder stands for a volume of the pods."""
    runs.ingest(source, str(folder / "stacks"), chunks=runs.CHUNKS)
    own = {"image": "slidecloud", "minimum": 1, "maximum": 2, "grace": 5, "volume_claim": "data"}
    own |= {"volume_path": str(folder), "env": {"PYTHONWARNINGS": "ignore", "NUMBA_CACHE_DIR": ""}} | kubernetes
    text = runs.yaml_text(folder, "resources: {memory: 1 GiB, tile: [32, 64]}", f"kubernetes: {own}")
    return config.parse(text)


def test_an_interactive_cluster_runs_grows_loses_a_pod_and_leaves_nothing(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source)
    killed: list[str] = []

    def kill() -> None:
        until(lambda: status(str(tmp_path / "run.zarr")).stages[0].done >= 2 if _begun(tmp_path) else False)
        killed.append(server.pods("worker")[0])
        server.delete_pod(killed[0])

    with cluster.kubernetes(settings.kubernetes, memory="1 GiB") as opened:
        killer = threading.Thread(target=kill, daemon=True)
        killer.start()
        summary = run(settings, executor=executors.dask(opened, expected=2))
        killer.join(60)
        grown = until(lambda: len(opened.nthreads()) >= 1)
    assert killed
    assert grown
    assert summary.exit_code == 0
    assert runs.arrays(tmp_path / "run.zarr") == expected
    until(lambda: not server.leftovers(), what="an empty cluster")


def test_more_work_brings_more_workers(server: Kube, tmp_path: Path, source: ArraySource) -> None:
    settings = _region(tmp_path, source).kubernetes
    with cluster.kubernetes(settings, memory="1 GiB") as opened:
        until(lambda: len(opened.nthreads()) == 1)
        futures = [opened.submit(time.sleep, 8, pure=False) for _ in range(6)]
        until(lambda: len(opened.nthreads()) == 2, what="the second worker")
        opened.gather(futures)
        until(lambda: len(opened.nthreads()) == 1, what="the second worker's end")
    until(lambda: not server.leftovers(), what="an empty cluster")


def test_a_submitted_run_ends_by_itself(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source, gpu_workers=1)
    began = time.monotonic()
    name = _submit(settings, tmp_path)
    assert time.monotonic() - began < 20
    assert name == name_of(settings.run)
    with pytest.raises(FileExistsError, match="submitted already"):
        _submit(settings, tmp_path)
    until(lambda: any("-gpu-worker-" in pod for pod in server.pods("worker")), what="the worker with a GPU")
    until(lambda: server.job(name) == "Successful", patience=240, what="the end of the job")
    assert any("units done" in line for line in client.logs(settings.run))
    assert status(settings.run).ended
    assert runs.arrays(tmp_path / "run.zarr") == expected
    until(lambda: not server.pods("worker") and not server.pods("scheduler"), what="the end of the cluster")
    assert any(what.startswith("DaskJob") for what in client.cancel(settings.run))
    until(lambda: not server.leftovers(), what="an empty cluster")


def test_a_submitted_run_outlives_its_scheduler(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source)
    name = _submit(settings, tmp_path)
    until(lambda: _begun(tmp_path) and status(settings.run).stages[0].done >= 1, patience=240, what="a first unit")
    (lost,) = server.pods("scheduler")
    server.delete_pod(lost)
    until(lambda: server.job(name) == "Successful", patience=300, what="the end of the job")
    assert any("goes on from there" in line for line in client.logs(settings.run))
    assert runs.arrays(tmp_path / "run.zarr") == expected
    client.cancel(settings.run)
    until(lambda: not server.leftovers(), what="an empty cluster")


def test_a_run_is_cancelled_and_submitted_again(
    server: Kube, expected: dict[str, bytes], tmp_path: Path, source: ArraySource
) -> None:
    settings = _region(tmp_path, source)
    name = _submit(settings, tmp_path)
    until(lambda: _begun(tmp_path) and status(settings.run).stages[0].done >= 1, patience=240, what="a first unit")
    client.cancel(settings.run)
    until(lambda: not server.leftovers(), what="an empty cluster")
    until(lambda: not (tmp_path / "run.zarr/.slidecloud/lease").exists(), patience=20, what="the lease given back")
    with pytest.raises(LookupError, match="not submitted"):
        client.cancel(settings.run)
    _submit(settings, tmp_path)
    until(lambda: server.job(name) == "Successful", patience=240, what="the end of the job")
    assert runs.arrays(tmp_path / "run.zarr") == expected
    client.cancel(settings.run)


def _submit(settings: RunConfig, folder: Path) -> str:
    """Submit; the server mounts nothing, so the configuration lies where the driver looks for it."""
    mounted = folder / "etc"
    made = submission(settings, folder=str(mounted))
    mounted.mkdir(exist_ok=True)
    (text,) = (item["data"]["region.yaml"] for item in made.beside if item["kind"] == "ConfigMap")
    (mounted / "region.yaml").write_text(text)
    return client.submit(settings, made=made)


def _begun(folder: Path) -> bool:
    return (folder / "run.zarr/.slidecloud/run.yaml").exists()
