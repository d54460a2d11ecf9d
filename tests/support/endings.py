"""Units that end in every way there is: done, done at the second try, bad, failed, waiting for the bad one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zarr

from slidecloud.pipeline import executors
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Summary
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, locate, records
from slidecloud.store.arrays import Writer
from slidecloud.types import DataError

LETTER = "broken by s3://user:hunter22@host/x?X-Amz-Signature=abcdef0123&y=1"
"""What a careless library might say in an error."""


@dataclass
class Work:
    """Ends as it is told, after some failures."""

    failures: int = 0
    bad: bool = False

    def __call__(self, writer: Writer) -> Mapping[str, Any]:
        if self.failures:
            self.failures -= 1
            raise OSError(LETTER)
        if self.bad:
            raise DataError("The pixels are bad. Ingest them again.")
        return {}


def units() -> list[Unit]:
    """Five of them, which read 1, 2, 4, 8 and 16 bytes and write ten times that."""
    made = [
        _unit("good", Work(), 1),
        _unit("second", Work(failures=1), 2),
        _unit("bad", Work(bad=True), 4),
        _unit("failed", Work(failures=9), 8),
    ]
    return [*made, _unit("waiting", Work(), 16, requires=(made[2].name,))]


def drive_all(folder: Path, progress: Progress | None = None) -> Summary:
    """Drive them in this thread, with one retry."""
    zarr.open_group(str(folder / "run.zarr"), mode="w")
    location = locate(str(folder / "run.zarr"))
    with lease.hold(location) as token:
        return drive(
            units(), location=location, token=token, executor=executors.serial(), retries=1, progress=progress,
            label="run",
        )  # fmt: skip


def _unit(name: str, work: Work, size: int, **options: Any) -> Unit:
    return Unit(records.Key("test", name, "0" * 32), work, bytes_read=size, bytes_written=10 * size, **options)
