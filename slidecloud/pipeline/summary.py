"""What a run did, in numbers and words, and the exit code that says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EXIT_DONE = 0
EXIT_QUARANTINED = 3


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A unit that was set aside: bad data, or a failure that its retries did not cure."""

    stage: str
    unit: str
    reason: str
    kind: Literal["data", "failed"]


@dataclass(frozen=True, slots=True)
class Summary:
    """Result of driving units.

    Attributes
    ----------
    done, skipped
        Units computed now, and units that were already done.
    quarantined
        Units set aside, with the reason.
    blocked
        Units not tried because something they need is set aside, as ``stage unit``.
    seconds
        Wall time.
    bytes_read, bytes_written
        Uncompressed bytes of the units computed now, as planned; of an ingest bytes of the files read.
    notes
        What a person should know about the results.
    """

    done: int = 0
    skipped: int = 0
    quarantined: tuple[Quarantined, ...] = ()
    blocked: tuple[str, ...] = ()
    seconds: float = 0.0
    bytes_read: int = 0
    bytes_written: int = 0
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 when all is done, 3 when the run finished with units in quarantine."""
        return EXIT_QUARANTINED if self.quarantined or self.blocked else EXIT_DONE

    def __add__(self, other: Summary) -> Summary:
        return Summary(
            self.done + other.done,
            self.skipped + other.skipped,
            self.quarantined + other.quarantined,
            self.blocked + other.blocked,
            self.seconds + other.seconds,
            self.bytes_read + other.bytes_read,
            self.bytes_written + other.bytes_written,
            self.notes + other.notes,
        )

    def lines(self) -> list[str]:
        """The summary as lines for people."""
        moved = f"read {self.bytes_read / 1e6:,.0f} MB, wrote {self.bytes_written / 1e6:,.0f} MB"
        lines = [f"{self.done} units done, {self.skipped} were done before, in {self.seconds:.1f} s ({moved})."]
        lines.extend(f"Quarantined ({i.kind}): {i.stage} {i.unit}: {i.reason}" for i in self.quarantined)
        lines.extend(f"Note: {note}" for note in self.notes)
        if self.blocked:
            shown = ", ".join(self.blocked[:5]) + (", …" if len(self.blocked) > 5 else "")
            lines.append(f"{len(self.blocked)} units wait for quarantined ones: {shown}")
        return lines
