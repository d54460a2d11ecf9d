"""What the fault campaign cost: a line for each case, and a table of the kinds at the end."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Loss:
    """One case: its kind, its seed, faults caused, commands given, seconds lost, units begun once more."""

    kind: str
    seed: int
    place: str
    faults: int
    commands: int
    seconds: float
    again: int


def table(losses: Sequence[Loss]) -> Iterator[str]:
    """Lines of a table by kind."""
    yield f"{'kind':<28}{'cases':>6}{'faults':>8}{'commands':>10}{'lost s/case':>13}{'most':>7}{'units again':>13}"
    for kind in dict.fromkeys(loss.kind for loss in losses):
        these = [loss for loss in losses if loss.kind == kind]
        seconds = [loss.seconds for loss in these]
        yield (
            f"{kind:<28}{len(these):>6}{sum(loss.faults for loss in these):>8}"
            f"{sum(loss.commands for loss in these) / len(these):>10.1f}{statistics.median(seconds):>13.1f}"
            f"{max(seconds):>7.1f}{sum(loss.again for loss in these) / len(these):>13.1f}"
        )
    yield f"{'all':<28}{len(losses):>6}{sum(loss.faults for loss in losses):>8}"
