"""The faults of the campaign by name: each harms a case at a moment of its seed and counts what it really caused."""

from __future__ import annotations

import os
import random
import signal
import time

import psutil
from cases import Case, objects
from injuries_store import cut_network, deny, spoil, throttle
from inside import LIFETIME
from moments import Injury, each
from stores import until

from slidecloud.store import lease

PACE = 0.3
"""Seconds that a unit waits before and after its work, so that a worker is surely hit while it has one."""


def kill_workers(case: Case, choice: random.Random) -> int:
    """One to three workers, one after the other; each is replaced as Kubernetes would."""
    return each(case, choice, lambda: _hit_worker(case, choice, signal.SIGKILL))


def kill_at_work(case: Case, stage: str, choice: random.Random) -> str | None:
    """Kill the worker that has a unit of a stage in hand; returns the unit, None where the run ended before."""
    assert case.driver is not None
    until(lambda: case.driver.poll() is not None or _busy(case, stage), patience=300)
    time.sleep(choice.uniform(0, PACE / 2))
    busy = _busy(case, stage)
    if case.driver.poll() is not None or not busy:
        return None
    unit, worker = choice.choice(sorted(busy.items()))
    case.cluster.workers[worker].kill()
    assert case.cluster.workers[worker].wait(120) == -signal.SIGKILL
    case.cluster.heal()
    return unit


def _busy(case: Case, stage: str) -> dict[str, str]:
    """Units of a stage that are in hand, and the worker of each; those of workers that were killed are nobody's."""
    roles = {worker.pid: role for role, worker in case.cluster.workers.items() if worker.poll() is None}
    return {unit: roles[process] for unit, process in case.at_work(stage).items() if process in roles}


def terminate_workers(case: Case, choice: random.Random) -> int:
    """SIGTERM, as a node gets that is to be taken away."""
    return each(case, choice, lambda: _hit_worker(case, choice, signal.SIGTERM))


def kill_drivers(case: Case, choice: random.Random) -> int:
    """The client, and its successors; the cluster stays."""

    def kill() -> None:
        assert case.driver is not None
        case.driver.kill()
        case.driver.wait()
        case.attempts += 1
        case.driver = case.start()

    return each(case, choice, kill)


def kill_scheduler(case: Case, choice: random.Random) -> int:
    """With it goes all that it knew, and its workers leave; another one comes at once, or when the driver has ended."""
    case.driver = case.start()
    if not case.wait_for_records(case.moment(choice, first=1)):
        return 0
    case.cluster.scheduler.kill()
    case.cluster.scheduler.wait()
    if choice.random() < 0.5:
        case.cluster.heal()
    return 1


def exhaust_memory(case: Case, choice: random.Random) -> int:
    """A worker grows in the middle of a unit until its nanny kills it for its memory, once or twice."""
    case.cluster.heal(("worker-0", "balloon"))
    wanted = choice.randint(1, 2)
    case.driver = case.start()
    case.wait_for_records(case.moment(choice))
    for number in range(wanted):
        case.order(f"balloon-{number}")
    case.driver.wait(300)
    log = case.cluster.log(case.cluster.workers["balloon"])
    return log.count("exceeded 95% memory budget")


def step_clocks(case: Case, choice: random.Random) -> int:
    """The clocks of the driver and of one worker jump by hours, either way, in the middle of the run."""
    case.driver = case.start()
    if not case.wait_for_records(case.moment(choice)):
        return 0
    for role in ("driver", choice.choice(("worker-0", "worker-1"))):
        case.order(f"clock-{role}", choice.choice((-1, 1)) * choice.uniform(1, 12) * 3600)
    return 2


def fill_disk(case: Case, choice: random.Random) -> int:
    """No space is left, in the middle of what is being written; after a while somebody makes room."""
    case.driver = case.start()
    if not case.wait_for_records(case.moment(choice, first=1)):
        return 0
    filler = case.folder / "filler"
    started = time.monotonic()
    if case.folder.is_mount():
        with filler.open("wb") as file:
            _fill(file.fileno(), leave=choice.randrange(0, 65536))
    else:
        case.order("full")
    until(lambda: case.driver.poll() is not None or time.monotonic() - started > 3.0)
    filler.unlink(missing_ok=True)
    case.withdraw("full")
    case.driver.wait(300)
    words = case.cluster.log(case.driver)
    return 1 if "No space left on device" in words else 0


def pause_writer(case: Case, choice: random.Random) -> int:
    """A driver is stopped until its lease has expired and another has done its work; then it wakes."""
    case.executor = choice.choice(("dask", "serial"))
    case.prepare()
    lifetime, takeover = 4.0, choice.random() < 0.5
    late = case.start(**{LIFETIME: str(lifetime)})
    case.driver = late
    if not case.wait_for_records(case.moment(choice, first=1)):
        return 0
    time.sleep(choice.uniform(0, 0.2))
    os.kill(late.pid, signal.SIGSTOP)
    try:
        until(lambda: psutil.Process(late.pid).status() == psutil.STATUS_STOPPED)
        until(lambda: takeover or lease.holder(case.location) is None)
        case.driver = case.start(*(["--takeover"] if takeover else []))
        if case.driver.wait(300) != 0:  # stopped in the milliseconds in which it held the lock of the folder
            assert "has been locked" in case.cluster.log(case.driver), case.cluster.log(case.driver)
            return 0
        done, stored = runs_done(case), objects(case.location)
        os.kill(late.pid, signal.SIGCONT)
        assert late.wait(300) == 1, case.cluster.log(late)
    finally:
        case.cluster.end(late)
    words = case.cluster.log(late)
    assert "lease" in words, words
    assert (runs_done(case), objects(case.location)) == (done, stored)
    return 1


def runs_done(case: Case) -> dict[str, str]:
    """Every record with the version that the store gives it: another write of it would show."""
    keys = case.location.keys(".slidecloud/done")
    return {key: found.version for key in keys if (found := case.location.fetch(key)) is not None}


KINDS: dict[str, tuple[Injury, tuple[str, ...]]] = {
    "worker kill -9": (kill_workers, ("folder", "bucket")),
    "scheduler kill -9": (kill_scheduler, ("folder", "bucket")),
    "driver kill -9": (kill_drivers, ("folder", "bucket")),
    "worker SIGTERM": (terminate_workers, ("folder", "bucket")),
    "worker out of memory": (exhaust_memory, ("folder", "bucket")),
    "store answers 500": (spoil("500"), ("bucket",)),
    "store answers 503": (spoil("503"), ("bucket",)),
    "store slow": (spoil("slow", most=12), ("bucket",)),
    "store throttles": (throttle, ("bucket",)),
    "store denies": (deny("403"), ("bucket",)),
    "answers lost or cut short": (spoil("cut", "lost", "short"), ("bucket",)),
    "clock steps": (step_clocks, ("folder", "bucket")),
    "clock refused by store": (deny("skewed"), ("bucket",)),
    "network cut": (cut_network, ("bucket",)),
    "disk full": (fill_disk, ("folder",)),
    "paused writer": (pause_writer, ("folder", "bucket")),
}
"""By name: what it does, and which places it is for in turn."""


def _hit_worker(case: Case, choice: random.Random, number: int) -> None:
    worker = case.cluster.workers[choice.choice(("worker-0", "worker-1"))]
    worker.send_signal(number)
    code = worker.wait(120)
    assert code == (0 if number == signal.SIGTERM else -number), case.cluster.log(worker)
    case.cluster.heal()


def _fill(file: int, *, leave: int) -> None:
    """Take all the space of a file system but a few bytes."""
    state = os.fstatvfs(file)
    os.posix_fallocate(file, 0, max(1, state.f_bavail * state.f_frsize - leave))
