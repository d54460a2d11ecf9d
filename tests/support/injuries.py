"""The faults of the campaign: each does what it is named for to a case at a moment of its seed, and counts what it did.

Each takes the case and its random choices and returns how many faults it really caused.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable

import psutil
from cases import Case, objects
from inside import LIFETIME
from stores import until

from slidecloud.store import lease

Injury = Callable[[Case, random.Random], int]


def kill_workers(case: Case, choice: random.Random) -> int:
    """One to three workers, one after the other; each is replaced as Kubernetes would."""
    return _each(case, choice, lambda: _hit_worker(case, choice, signal.SIGKILL))


def terminate_workers(case: Case, choice: random.Random) -> int:
    """SIGTERM, as a node gets that is to be taken away."""
    return _each(case, choice, lambda: _hit_worker(case, choice, signal.SIGTERM))


def kill_drivers(case: Case, choice: random.Random) -> int:
    """The client, and its successors; the cluster stays."""

    def kill() -> None:
        assert case.driver is not None
        case.driver.kill()
        case.driver.wait()
        case.attempts += 1
        case.driver = case.start()

    return _each(case, choice, kill)


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


def spoil(*kinds: str, most: int = 20) -> Injury:
    """Some of the store's answers, at random, until there are enough or the run has ended."""

    def injure(case: Case, choice: random.Random) -> int:
        spoiler, wanted = case.bucket.faults, choice.randint(4, most)
        spoiler.pause = choice.uniform(0.5, 3.0)
        return _meanwhile(case, choice, dict.fromkeys(kinds, 0.25 / len(kinds)), lambda: _enough(case, wanted))

    return injure


def throttle(case: Case, choice: random.Random) -> int:
    """Bursts in which the store asks everybody to slow down."""
    end = choice.uniform(1.0, 4.0)
    started: list[float] = []
    return _meanwhile(case, choice, {"503": 0.5, "429": 0.5}, lambda: _over(started, end))


def deny(kind: str) -> Injury:
    """Everything for a while: the run ends with an error or with units set aside, never with a wrong record."""

    def injure(case: Case, choice: random.Random) -> int:
        started: list[float] = []
        injected = _meanwhile(case, choice, {kind: 1.0}, lambda: _over(started, 1.0))
        assert case.driver is not None
        if injected and case.driver.wait(300) == 1:
            words = case.cluster.log(case.driver)
            assert "was denied" in words, words
            assert {"403": "AccessDenied", "skewed": "RequestTimeTooSkewed"}[kind] in words, words
        return injected

    return injure


def step_clocks(case: Case, choice: random.Random) -> int:
    """The clocks of the driver and of one worker jump by hours, either way, in the middle of the run."""
    case.driver = case.start()
    if not case.wait_for_records(case.moment(choice)):
        return 0
    for role in ("driver", choice.choice(("worker-0", "worker-1"))):
        case.order(f"clock-{role}", choice.choice((-1, 1)) * choice.uniform(1, 12) * 3600)
    return 2


def cut_network(case: Case, choice: random.Random) -> int:
    """Between one worker, or the driver, and the store: connections are reset and refused, or nothing arrives."""
    wire = case.bucket.wires[choice.choice(("worker-0", "worker-1", "worker-0", "worker-1", "driver"))]

    def cut() -> None:
        broken, end = wire.broken, time.monotonic() + choice.uniform(0.5, 5.0)
        wire.cut(silent=choice.random() < 0.5)
        try:
            while time.monotonic() < end or wire.broken == broken:
                assert case.driver is not None
                if case.driver.poll() is not None:
                    break
                time.sleep(0.02)
        finally:
            wire.mend()

    before = wire.broken
    cuts = _each(case, choice, cut, most=2)
    return cuts if wire.broken > before else 0


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
    case.__post_init__()
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
        assert case.driver.wait(300) == 0, case.cluster.log(case.driver)
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


def _each(case: Case, choice: random.Random, act: Callable[[], None], *, most: int = 3) -> int:
    """Do something at one to ``most`` moments of a run; returns how often the run was still going on."""
    case.driver = case.start()
    moments = sorted(case.moment(choice) for _ in range(choice.randint(1, most)))
    injected = 0
    for moment in moments:
        if not case.wait_for_records(moment):
            break
        time.sleep(choice.uniform(0, 0.1))
        if case.driver.poll() is not None:
            break
        act()
        injected += 1
    return injected


def _hit_worker(case: Case, choice: random.Random, number: int) -> None:
    worker = case.cluster.workers[choice.choice(("worker-0", "worker-1"))]
    worker.send_signal(number)
    code = worker.wait(120)
    assert code == (0 if number == signal.SIGTERM else -number), case.cluster.log(worker)
    case.cluster.heal()


def _meanwhile(case: Case, choice: random.Random, rates: dict[str, float], over: Callable[[], bool]) -> int:
    """Spoil answers from a moment of the run until it is over; returns how many were spoiled."""
    spoiler = case.bucket.faults
    spoiler.injected.clear()
    case.driver = case.start()
    if not case.wait_for_records(case.moment(choice)):
        return 0
    spoiler.rates = rates
    try:
        until(lambda: over() or case.driver.poll() is not None)
    finally:
        spoiler.rates = {}
    return spoiler.injected.total()


def _enough(case: Case, wanted: int) -> bool:
    return case.bucket.faults.injected.total() >= wanted


def _over(started: list[float], seconds: float) -> bool:
    """True when so many seconds have gone by since the first call."""
    started.append(time.monotonic())
    return started[-1] - started[0] > seconds


def _fill(file: int, *, leave: int) -> None:
    """Take all the space of a file system but a few bytes."""
    state = os.fstatvfs(file)
    os.posix_fallocate(file, 0, max(1, state.f_bavail * state.f_frsize - leave))
