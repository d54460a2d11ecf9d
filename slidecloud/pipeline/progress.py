"""How a long piece of work tells that it gets on: a protocol, silence, a live bar, and plain lines for logs."""

from __future__ import annotations

import logging
import time
from typing import Final, Protocol

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from slidecloud import logs

_PLAIN_INTERVAL: Final = 15.0
_log = logging.getLogger("slidecloud.progress")


class Progress(Protocol):
    """What the pipeline tells while it works; called from one thread."""

    def start(self, *, units: int, bytes: int, label: str) -> None:
        """A stage begins: how many units lie ahead, how many bytes they read, and its name."""
        ...

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:
        """One unit is finished, whatever its end, after reading and writing so many bytes."""
        ...

    def message(self, text: str) -> None:
        """Something a person should read: the dashboard's address, a retry, a quarantined unit."""
        ...

    def stop(self) -> None:
        """The stage is over."""
        ...


class Silent:
    """A `Progress` that shows nothing."""

    def start(self, *, units: int, bytes: int, label: str) -> None:
        """Show nothing."""

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:
        """Show nothing."""

    def message(self, text: str) -> None:
        """Show nothing."""

    def stop(self) -> None:
        """Show nothing."""


class RichProgress:
    """A live bar with units, percentage, bytes, MB/s, units/s and time left; messages scroll above it.

    Parameters
    ----------
    console
        Where to draw; by default the standard error stream.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True)
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._by_bytes = False

    def start(self, *, units: int, bytes: int, label: str) -> None:
        """Draw the bar of a stage; percentage and time left go by bytes where they are known, else by units."""
        self.stop()
        if units == 0:
            return
        self._by_bytes = bytes > 0
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:>3.0f}%"),
            _Units(),
            _Bytes(),
            _Rate(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=self._console,
            expand=True,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task(label, total=bytes or units, units=units, finished_units=0, moved=0, written=0)
        self._bar.start()

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:  # noqa: ARG002
        """Move the bar by one unit."""
        if self._bar is None:
            return
        task = self._bar.tasks[0]
        finished, units = task.fields["finished_units"] + 1, task.fields["units"]
        total = task.total or 1.0
        # Bytes of the plan and bytes moved differ a little (edge chunks, retries): the last unit fills the bar.
        position = task.completed + (bytes if self._by_bytes else 1)
        position = total if finished >= units else min(position, total * (1 - 0.5 / units))
        gone, out = task.fields["moved"] + bytes, task.fields["written"] + written
        self._bar.update(self._task, completed=position, finished_units=finished, moved=gone, written=out)

    def message(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(Text(text))

    def stop(self) -> None:
        """Leave the bar as it is and free the screen."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class PlainProgress:
    """A line every few seconds, for log files and pipes.

    Parameters
    ----------
    console
        Where to print; by default the standard error stream.
    interval
        Seconds between lines.
    """

    def __init__(self, console: Console | None = None, *, interval: float = _PLAIN_INTERVAL) -> None:
        self._console = console or Console(stderr=True)
        self._interval = interval
        self._label = ""
        self._units = self._finished = self._told = self._moved = self._written = 0
        self._began = self._printed = 0.0

    def start(self, *, units: int, bytes: int, label: str) -> None:
        """Print what lies ahead."""
        self._label, self._units = label, units
        self._finished = self._told = self._moved = self._written = 0
        self._began = self._printed = time.monotonic()
        if units:
            self._print(f"{label}: {units} units" + (f", {megabytes(bytes)}" if bytes else ""))

    def advance(self, *, unit: str, bytes: int, written: int = 0) -> None:  # noqa: ARG002
        """Count a unit; print where the last line is old."""
        self._finished += 1
        self._moved += bytes
        self._written += written
        now = time.monotonic()
        if now - self._printed >= self._interval or self._finished == self._units:
            self._printed, self._told = now, self._finished
            self._print(self._line(now - self._began))

    def message(self, text: str) -> None:
        """Print a line."""
        self._print(text)

    def stop(self) -> None:
        """Print how far it came, where the last line does not say so."""
        if self._finished > self._told:
            self._told = self._finished
            self._print(self._line(time.monotonic() - self._began))

    def _line(self, seconds: float) -> str:
        seconds = max(seconds, 1e-3)
        left = seconds * (self._units - self._finished) / self._finished
        share = 100 * self._finished / max(self._units, 1)
        return (
            f"{self._label}: {self._finished}/{self._units} units, {share:.0f}%, "
            f"{moved(self._moved, self._written)}{rate(self._finished, self._moved, seconds)}, {duration(left)} left"
        )

    def _print(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


class LoggedProgress(PlainProgress):
    """Now and then a record of how far it is, where the log is read by a machine and no other line may be in it."""

    def message(self, text: str) -> None:
        """Say nothing: what is worth a message has a record of its own."""

    def _print(self, text: str) -> None:
        _log.info(text, extra={"units": self._finished})


def progress_for(console: Console) -> Progress:
    """The live bar on a terminal, plain lines elsewhere, records where the log is for machines."""
    if logs.started() == "json":
        return LoggedProgress(console)
    return RichProgress(console) if console.is_terminal else PlainProgress(console)


def moved(read: int, written: int) -> str:
    """``read 3.6 GB, wrote 2.1 GB, ``, or nothing where no bytes are known."""
    parts = [f"{word} {megabytes(count)}, " for word, count in (("read", read), ("wrote", written)) if count]
    return "".join(parts)


def rate(units: int, bytes: int, seconds: float) -> str:
    """``120 MB/s, 3.2 units/s``."""
    return f"{bytes / 1e6 / seconds:.0f} MB/s, {units / seconds:.2g} units/s"


def megabytes(count: float) -> str:
    """A number of bytes in the unit that fits: kB, MB, GB or TB."""
    for unit, scale in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def duration(seconds: float) -> str:
    """A time span as ``12 s``, ``3 min 20 s`` or ``5 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class _Units(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.fields['finished_units']}/{task.fields['units']} units")


class _Bytes(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(moved(task.fields["moved"], task.fields["written"]).removesuffix(", "))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        seconds = task.finished_time or task.elapsed or 0.0
        if seconds <= 0 or not task.fields["finished_units"]:
            return Text("- MB/s")
        return Text(rate(task.fields["finished_units"], task.fields["moved"], seconds))
