"""A scene that is mapped through every failure that we can cause: the outlines are those of a run in peace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest
from cases import choices
from injuries import KINDS, kill_at_work
from map_cases import Scenery
from processes import Cluster
from stores import bucket

pytest.importorskip("torch")
pytestmark = pytest.mark.long

ROLES = ("worker-0", "worker-1", "balloon", "driver", "second")
QUICK = 0.05
"""Seconds that a unit waits where it need not be hit at work."""


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenery]:
    folder = tmp_path_factory.mktemp("scenery")
    orders = folder / "orders"
    orders.mkdir()
    with bucket(folder / "store.log", roles=ROLES) as store:
        cluster = Cluster(orders, {role: store.environment(role) for role in ROLES})
        try:
            yield Scenery(folder, cluster, store)
        finally:
            cluster.close()


@pytest.mark.parametrize("seed", range(4))
def test_a_worker_killed_while_it_maps(scenery, seed):
    """The command goes on by itself, and only what the killed worker had in hand is begun once more."""
    choice = choices("optical", seed)
    with scenery.case("folder") as case:
        case.driver = case.start()
        hit = [kill_at_work(case, "optical_map", choice) for _ in range(1 + seed % 3)]
        assert hit[0] is not None
        case.finish()
        assert case.attempts == 1, case.said
        case.check(scenery.expected["folder"])
        assert case.repeated == set()
        begun = Counter(unit for what, unit in case.notes() if what == "began")
        assert {unit for unit, number in begun.items() if number > 1} <= set(hit)


@pytest.mark.parametrize(("kind", "place"), [(kind, place) for kind, (_, places) in KINDS.items() for place in places])
def test_a_fault_while_a_scene_is_mapped(scenery, kind, place):
    choice = choices(kind, 0)
    for _ in range(5):  # a run may end before its moment comes
        with scenery.case(place, pace=QUICK) as case:
            faults = KINDS[kind][0](case, choice)
            case.finish()
            case.check(scenery.expected[place])
        if faults:
            break
    assert faults > 0
