"""The measurements run, cover every kernel, and leave nothing behind."""

from __future__ import annotations

import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from slidecloud.pipeline import bench, bench_sbas, executors
from slidecloud.pipeline.bench_gradients import read_once
from slidecloud.pipeline.bench_networks import interferograms, network
from slidecloud.pipeline.bench_runs import measure_tasks
from slidecloud.pipeline.bench_timing import PROCESSOR, race, race_threads
from slidecloud.pipeline.bench_unwrapping import LINES
from slidecloud.pipeline.rates import BLOBS, LEVELS, MAPS, READ_TOGETHER, START, UNIT, UNWRAP, WRITE_TOGETHER

TINY = bench.Effort(seconds=0.01, shape=(64, 64), dates=8, pixels=64, objects=1)


class Steps:
    """A progress that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self, *, units: int, bytes: int, label: str) -> None:
        self.told.append(f"{label} {units}")

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:
        self.told.append(unit)

    def message(self, text: str) -> None:
        self.told.append(text)

    def stop(self) -> None:
        self.told.append("stop")


def test_bench_measures_every_kernel_and_leaves_nothing_behind(tmp_path: Path) -> None:
    steps = Steps()
    found = bench.bench(tmp_path, effort=TINY, progress=steps)
    assert list(tmp_path.iterdir()) == []
    assert found.measured
    assert found.seconds > 0
    assert found.location == str(tmp_path)
    assert min(found.gradients, found.series, found.read, found.write) > 0
    assert all(m.rate > 0 and not m.ratio <= 0 for m in found.measurements)
    assert {m.name for m in found.measurements if not m.alternative} == {MAPS, LEVELS, BLOBS, UNIT, START}
    compared = {(m.name, m.alternative, m.pairs) for m in found.measurements}
    assert len(compared) == len(found.measurements)
    assert compared >= {
        ("read", "plain objects", 0),
        ("write", "plain objects", 0),
        (READ_TOGETHER, "one core", 0),
        (WRITE_TOGETHER, "one core", 0),
        ("gradients", "NumPy + SciPy", 0),
        ("gradients", "reading the input once", 0),
        ("gradients", "NumPy's sums of the input", 0),
        ("gradients, 2 threads", "1 thread", 0),
        ("sbas", bench_sbas.SOLVE, 429),
        (bench_sbas.SOLVE, "unweighted, one matrix product", 429),
        (bench_sbas.SOLVE, "unweighted, one matrix product", 295),
        (bench_sbas.SOLVE, "numpy.linalg.lstsq, per pixel", 295),
        (bench_sbas.SOLVE_ROBUST, bench_sbas.SOLVE, 429),
        ("sbas, robust", "sbas", 429),
        ("sbas, 2 threads", "1 thread", 429),
        (UNWRAP, LINES, 0),
    }
    assert steps.told == [
        "bench 8",
        "store",
        "gradients",
        "sbas",
        "sbas, wider band",
        "maps and levels",
        "landslides",
        "unwrapping",
        "runs",
        "stop",
    ]


def test_a_bar_is_cleared_where_measuring_fails(tmp_path: Path) -> None:
    steps = Steps()
    (tmp_path / "plain").write_text("a file where a folder was meant")
    with pytest.raises(OSError, match="plain"):
        bench.bench(tmp_path / "plain", effort=TINY, progress=steps)
    assert steps.told == ["bench 8", "stop"]


def test_tasks_are_timed_one_by_one() -> None:
    """A cluster whose every task takes the driver 2 ms, however many workers it has."""

    class Slow(executors.ThreadExecutor):
        def take(self) -> tuple[int, object]:
            time.sleep(0.002)
            return super().take()

    (found,) = measure_tasks(Slow(4), tasks=30)
    assert 0.002 <= found.rate < 0.05


def test_a_cluster_whose_tasks_fail_has_no_speed() -> None:
    class Broken(executors.ThreadExecutor):
        def take(self) -> tuple[int, object]:
            return super().take()[0], OSError("no worker")

    with pytest.raises(OSError, match="no worker"):
        measure_tasks(Broken(2), tasks=30)


def test_reading_reads_every_sample() -> None:
    phase, coherence = interferograms(3, (7, 33))
    assert read_once(phase, coherence) == phase.astype(int).sum() + coherence.astype(int).sum()


@pytest.mark.parametrize(("dates", "connections", "pairs"), [(145, 3, 429), (62, 5, 295), (98, 3, 288)])
def test_networks_are_those_of_the_comparison(dates: int, connections: int, pairs: int) -> None:
    found = network(dates, connections)
    assert found.reference.size == found.secondary.size == pairs
    assert found.time.size == dates
    assert (found.secondary - found.reference).max() == connections
    np.testing.assert_allclose(np.diff(found.time), 12 / 365.25)
    np.testing.assert_allclose(found.span, (found.secondary - found.reference) * 12 / 365.25)


def test_contenders_take_turns_and_the_best_counts() -> None:
    """Without time left each has its two turns of one call: the first, with compilation, does not count."""
    calls: list[str] = []
    now, costs = [0.0], {"fast": iter([9.0, 1.0]), "slow": iter([30.0, 20.0])}

    def spend(name: str) -> None:
        calls.append(name)
        now[0] += next(costs[name])

    best = race({name: partial(spend, name) for name in costs}, 0.0, clock=lambda: now[0])
    assert best == {"fast": 1.0, "slow": 20.0}
    assert calls == ["fast", "slow", "fast", "slow"]


def test_a_contender_is_called_again_while_its_turn_lasts() -> None:
    calls: list[str] = []
    race({name: partial(calls.append, name) for name in ("one", "two")}, 0.02)
    assert len(calls) > 10
    assert calls[0] == calls[1] == "one"


@pytest.mark.skipif(sys.platform == "win32", reason="processor time is too coarse on Windows")
def test_processor_time_leaves_waiting_out() -> None:
    best = race({"asleep": partial(time.sleep, 0.02)}, 0.05, clock=PROCESSOR)
    assert best["asleep"] < 0.01


def test_threads_work_side_by_side() -> None:
    """Each part meets the other at a barrier where they run together, and gives up waiting where they do not."""
    together, met = threading.Barrier(2), []

    def part() -> None:
        if threading.current_thread() is not threading.main_thread():
            together.wait(timeout=60)
            met.append(threading.get_ident())

    one, two = race_threads([part, part], 0.0)
    assert len(met) == 4
    assert len(set(met)) == 2
    assert min(one, two) > 0
