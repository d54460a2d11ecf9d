"""Moments of a run at which something is done to it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from cases import Case

Injury = Callable[[Case, random.Random], int]
"""Takes the case and its random choices, and returns how many faults it really caused."""


def each(case: Case, choice: random.Random, act: Callable[[], None], *, most: int = 3) -> int:
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
