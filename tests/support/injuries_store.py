"""Faults between a process and its store: spoiled answers, denials, throttling, a network that is cut."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from cases import Case
from moments import Injury, each
from stores import until


def spoil(*kinds: str, most: int = 20) -> Injury:
    """Some of the store's answers, at random, until there are enough or the run has ended."""

    def injure(case: Case, choice: random.Random) -> int:
        spoiler, wanted = case.bucket.faults, choice.randint(4, most)
        spoiler.pause = choice.uniform(0.5, 3.0)
        return _meanwhile(
            case, choice, dict.fromkeys(kinds, 0.25 / len(kinds)), lambda: spoiler.injected.total() >= wanted
        )

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
    cuts = each(case, choice, cut, most=2)
    return cuts if wire.broken > before else 0


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


def _over(started: list[float], seconds: float) -> bool:
    """True when so many seconds have gone by since the first call."""
    started.append(time.monotonic())
    return started[-1] - started[0] > seconds
