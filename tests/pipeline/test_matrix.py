"""The full product: seeds, workers, threads, processes, chunks, tiles, orders of arrival, a stop in the middle."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest
import runs

from slidecloud import cluster, simulate
from slidecloud.pipeline import executors
from slidecloud.stack.arrays import ArraySource

CHUNKS = [(32, 32, 64), (8, 16, 32), (5, 24, 40)]
TILES = [(1, 1), (2, 1), (1, 2), (9, 9)]
KINDS = ["threads-1", "threads-2", "processes-1", "processes-2"]


class _Stopping:
    """An executor that is interrupted after so many results."""

    def __init__(self, executor: executors.Executor, results: int) -> None:
        self._executor, self._left = executor, results
        self.workers, self.shares_memory, self.dashboard = executor.workers, executor.shares_memory, None

    def submit(self, *arguments, **options) -> None:
        self._executor.submit(*arguments, **options)

    def take(self):
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return self._executor.take()

    def close(self) -> None:
        """Leave the inner executor open for the next run; what it still holds is drained."""


@pytest.fixture(scope="module", params=[7, 19], ids=lambda seed: f"seed{seed}")
def small(request):
    """A small scene and its first 48 pairs."""
    scene = simulate.scene(request.param, shape=(72, 80), dates=24, id="sim_small")
    found = simulate.interferograms(scene)
    return scene, found


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, object]]:
    """Clusters of one and two processes, started once."""
    with ExitStack() as stack:
        yield {f"processes-{n}": stack.enter_context(cluster.local(n)) for n in (1, 2)}


def source_of(small, order) -> ArraySource:
    scene, found = small
    return runs.subset(None, found, scene, list(order))


@pytest.fixture(scope="module")
def expected(small, tmp_path_factory):
    """Arrays of an undisturbed serial run."""
    folder = tmp_path_factory.mktemp("expected")
    runs.compute(folder, source_of(small, range(len(small[1].pairs))), "resources: {executor: serial}")
    return runs.arrays(folder / "run.zarr")


@pytest.mark.long
@pytest.mark.parametrize(
    ("chunks", "tile", "kind", "shuffled", "stop"),
    list(itertools.product(CHUNKS, TILES, KINDS, [False, True], [None, 3])),
)
def test_every_way_gives_the_same_bits(tmp_path, small, expected, clients, chunks, tile, kind, shuffled, stop):
    count = len(small[1].pairs)
    order = np.random.default_rng(5).permutation(count) if shuffled else np.arange(count)
    for part in np.array_split(order, 2 if shuffled else 1):
        runs.ingest(source_of(small, part), str(tmp_path / "stacks"), chunks=chunks)
    lines = f"resources: {{executor: serial, memory: 2 GiB, tile: [{tile[0] * chunks[1]}, {tile[1] * chunks[2]}]}}"
    if stop is not None:
        with pytest.raises(KeyboardInterrupt):
            runs.rerun(tmp_path, lines, executor=_Stopping(executor_of(kind, clients), stop))
    summary = runs.rerun(tmp_path, lines, executor=executor_of(kind, clients))
    assert summary.exit_code == 0
    assert runs.arrays(tmp_path / "run.zarr") == expected


def executor_of(kind: str, clients) -> executors.Executor:
    if kind in clients:
        return executors.dask(clients[kind])
    return executors.threads(int(kind[-1]))
