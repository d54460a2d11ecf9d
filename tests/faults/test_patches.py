"""Workers killed in the second round, while patches are unwrapped and inverted: nothing is lost, nothing done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import patched
import pytest
import runs
from cases import Case, choices, objects
from injuries import PACE, kill_at_work
from processes import Cluster

QUICK, WHOLE = ("integrate: false", "recovered: false"), ()
"""Settings of the stage: a few units, or all that there are."""


class Ground:
    """Ingested pairs with two slides, a cluster, and what undisturbed runs of one process make of them."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder, self.cluster = folder, cluster
        self._expected: dict[tuple[str, ...], dict[str, bytes]] = {}
        self._number = 0

    def expected(self, series: tuple[str, ...]) -> dict[str, bytes]:
        """Objects of an undisturbed run."""
        if series not in self._expected:
            folder = self.folder / f"undisturbed{len(self._expected)}"
            folder.mkdir()
            (folder / "stacks").symlink_to(self.folder / "stacks")
            summary = runs.rerun(folder, *patched.lines(*series))
            assert summary.exit_code == 0, summary.lines()
            self._expected[series] = objects(runs.locate(str(folder / "run.zarr")))
        return self._expected[series]

    def case(self, series: tuple[str, ...]) -> Case:
        """A new run store on the cluster."""
        self.cluster.heal()
        self._number += 1
        folder = self.folder / f"case{self._number}"
        lines = tuple(line for line in patched.lines(*series) if not line.startswith("resources"))
        case = Case(
            self.cluster, None, folder.name, folder, "folder", str(self.folder / "stacks"), lines=lines,
            tile=(256, 512),
        )  # fmt: skip
        case.order("pace", PACE)
        return case


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("ground")
    orders = folder / "orders"
    orders.mkdir()
    runs.ingest(patched.source(patched.scene()), str(folder / "stacks"))
    cluster = Cluster(orders, {})
    try:
        yield Ground(folder, cluster)
    finally:
        cluster.close()


def check(case: Case, expected: dict[str, bytes], hit: list[str]) -> None:
    """The run went on by itself, and only what the killed workers had in hand was begun once more."""
    case.finish()
    assert case.attempts == 1, case.said
    case.check(expected)
    assert case.repeated == set()
    begun = Counter(unit for what, unit in case.notes() if what == "began")
    assert {unit for unit, number in begun.items() if number > 1} <= set(hit)


def test_a_worker_killed_while_it_unwraps(ground):
    case, choice = ground.case(QUICK), choices("patches", 0)
    case.driver = case.start()
    hit = kill_at_work(case, "unwrap", choice)
    assert hit is not None
    check(case, ground.expected(QUICK), [hit])
    assert case.begun_again == 1


@pytest.mark.long
@pytest.mark.parametrize("stage", ["unwrap", "timeseries"])
@pytest.mark.parametrize("seed", range(4))
def test_workers_killed_again_and_again(ground, stage, seed):
    choice, hit = choices(stage, seed), []
    case = ground.case(WHOLE)
    case.driver = case.start()
    for _ in range(choice.randint(1, 3)):
        found = kill_at_work(case, stage, choice)
        hit += [found] if found is not None else []
    assert hit
    check(case, ground.expected(WHOLE), hit)
