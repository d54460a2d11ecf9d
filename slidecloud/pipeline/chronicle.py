"""What the driver tells of units: to the person who looks, to the log, to Prometheus."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from slidecloud.pipeline import metrics
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.units import Outcome, Unit
from slidecloud.store.location import Location

_log = logging.getLogger("slidecloud.driver")


class Chronicle:
    """Tells of the units of one drive.

    Parameters
    ----------
    location
        Store that they write to; its URL names the run in logs and metrics.
    progress
        The person who looks, or None.
    label
        What the drive does, in a word.
    """

    def __init__(self, location: Location, progress: Progress | None, *, label: str) -> None:
        self._run = str(location)
        self._progress = progress or Silent()
        self._label = label
        self._ahead = 0

    def begin(self, units: Sequence[Unit]) -> None:
        """So much lies ahead."""
        total = sum(unit.bytes_read for unit in units)
        self._progress.start(units=len(units), bytes=total, label=self._label)
        self._say(logging.INFO, f"{self._label} begins", units=len(units), bytes_read=total)
        self._come_nearer(len(units))

    def done(self, unit: Unit, outcome: Outcome, *, attempt: int) -> None:
        """A unit is done."""
        self._say(
            logging.INFO, "done", unit, outcome="done", seconds=outcome.seconds, bytes_read=unit.bytes_read,
            bytes_written=unit.bytes_written, worker=outcome.worker, attempt=attempt,
        )  # fmt: skip
        counters = metrics.served()
        if counters is not None:
            counters.done(
                self._run, unit.key.stage, read=unit.bytes_read, written=unit.bytes_written, seconds=outcome.seconds
            )
        self._end(unit, done=True)

    def refused(self, unit: Unit, outcome: Outcome, *, attempt: int) -> None:
        """A unit's data is bad: it is in quarantine."""
        self._say(
            logging.ERROR, "quarantined", unit, outcome="quarantined", reason=outcome.reason, worker=outcome.worker,
            seconds=outcome.seconds, attempt=attempt,
        )  # fmt: skip
        self._count(unit, "quarantined")
        self._end(unit)

    def retried(self, unit: Unit, error: BaseException, *, attempt: int) -> None:
        """A unit failed and is tried again."""
        self._progress.message(f"{' '.join(unit.name)} failed, trying again: {short(error)}")
        self._say(
            logging.WARNING, "failed, trying again", unit, error, outcome="retried", reason=short(error),
            attempt=attempt,
        )  # fmt: skip
        self._count(unit, "retried")

    def failed(self, unit: Unit, error: BaseException, *, attempt: int) -> None:
        """A unit failed too often: it is in quarantine."""
        self._say(
            logging.ERROR, "failed, quarantined", unit, error, outcome="failed", reason=short(error), attempt=attempt
        )
        self._count(unit, "failed")
        self._end(unit)

    def stop(self) -> None:
        """Nothing more comes, whatever the reason."""
        self._progress.stop()

    def end(self, summary: Summary) -> None:
        """All is tried."""
        for name in summary.blocked:
            stage, _, unit = name.partition(" ")
            self._say(logging.WARNING, "waits for a unit in quarantine", stage=stage, unit=unit, outcome="blocked")
        self._say(
            logging.INFO, f"{self._label} ends: {summary.lines()[0]}", units=summary.done, seconds=summary.seconds,
            bytes_read=summary.bytes_read, bytes_written=summary.bytes_written,
        )  # fmt: skip
        self._come_nearer(0)

    def _end(self, unit: Unit, *, done: bool = False) -> None:
        written = unit.bytes_written if done else 0
        self._progress.advance(unit=" ".join(unit.name), bytes=unit.bytes_read, written=written)
        self._come_nearer(self._ahead - 1)

    def _come_nearer(self, ahead: int) -> None:
        self._ahead = ahead
        counters = metrics.served()
        if counters is not None:
            counters.lie_ahead(self._run, ahead)

    def _count(self, unit: Unit, ending: metrics.Ending) -> None:
        counters = metrics.served()
        if counters is not None:
            counters.count(self._run, unit.key.stage, ending)

    def _say(
        self, level: int, text: str, about: Unit | None = None, error: BaseException | None = None, **fields: Any
    ) -> None:
        if about is not None:
            fields |= {"stage": about.key.stage, "unit": about.key.unit}
            text = f"{' '.join(about.name)} {text}"
        _log.log(level, text, exc_info=error, extra={"run": self._run, **fields})


def short(error: BaseException) -> str:
    """An error in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
