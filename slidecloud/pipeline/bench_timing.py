"""Timing that a busy machine disturbs little: contenders take turns, and the best of many short calls counts."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

_TURNS = 20
"""Into how many parts the time of a race is cut: a contender is called again while its turn lasts."""

Work = Callable[[], object]
Clock = Callable[[], float]

PROCESSOR: Clock = time.perf_counter if sys.platform == "win32" else time.process_time
"""Time of the processor for this program: other programs do not count. For work on one thread. (Too coarse on Windows.)
"""


def race(contenders: Mapping[str, Work], seconds: float, *, clock: Clock = time.perf_counter) -> dict[str, float]:
    """Shortest time of one call of each contender.

    They take turns, so that a slow moment of the machine does not hit one of them alone. Each gets two turns at least,
    so that compilation in the first call does not count.

    Parameters
    ----------
    contenders
        What to call, by name.
    seconds
        Time for all of them together; slow ones may exceed it.
    clock
        What measures a call.

    Returns
    -------
    dict
        Seconds by name.
    """
    best = dict.fromkeys(contenders, math.inf)
    end, rounds = time.perf_counter() + seconds, 0
    while rounds < 2 or time.perf_counter() < end:
        for name, work in contenders.items():
            best[name] = min(best[name], _turn(work, seconds / _TURNS, clock))
        rounds += 1
    return best


def race_threads(parts: Sequence[Work], seconds: float) -> tuple[float, float]:
    """Shortest times of all parts one after the other, and side by side with a thread for each."""
    with ThreadPoolExecutor(len(parts)) as pool:
        best = race(
            {
                "one": lambda: [part() for part in parts],
                "many": lambda: list(pool.map(lambda part: part(), parts)),
            },
            seconds,
        )
    return best["one"], best["many"]


def _turn(work: Work, seconds: float, clock: Clock) -> float:
    best, end = math.inf, time.perf_counter() + seconds
    while True:
        began = clock()
        work()
        best = min(best, clock() - began)
        if time.perf_counter() >= end:
            return best
