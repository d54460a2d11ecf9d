"""``slidecloud status``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, validators

from slidecloud.cli.console import show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Storage, storage_options

if TYPE_CHECKING:
    from slidecloud.pipeline.status import Status

Interval = Annotated[float, Parameter(validator=validators.Number(gt=0), help="Seconds between two looks.")]


def status(
    run: str, /, *, follow: bool = False, interval: Interval = 10.0, pairs: bool = False, storage: Storage = ()
) -> int:
    """Show how far a run is, from the records in its store.

    Works while the run goes on, from any machine that reaches the store, and after everything that ran it has died.

    For example:

        slidecloud status run.zarr
        slidecloud status s3://bucket/runs/sichuan.zarr --storage profile=geo
        slidecloud status s3://bucket/runs/sichuan.zarr --follow
        slidecloud status run.zarr --pairs

    Exit codes: 0 nothing in quarantine; 1 error; 3 some units are in quarantine.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    follow
        Look again and print what has changed, until nothing is left to do; waits for a run that has not begun.
    pairs
        Show also which pairs each patch leaves out, and why.
    """
    if follow and pairs:
        raise UsageError("--pairs tells of what is done; leave --follow out.")
    from slidecloud.pipeline import status as read

    options = storage_options(storage)
    if not follow:
        found = read.status(run, options)
        show(found.lines())
        if pairs:
            show(_told(read.left_out(run, options)))
        return 3 if found.quarantined else 0
    return _follow(read.follow(run, options, interval=interval), run)


def _told(patches: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """What is left out of each patch."""
    if not patches:
        yield "Every patch that is done uses all its pairs."
    for name, words in patches.items():
        yield f"{name}:"
        yield from (f"  {one}" for one in words)


def _follow(looks: Iterator[Status | None], run: str) -> int:
    """Print each status that differs from the one before."""
    told: list[str] = []
    code = 0
    for found in looks:
        lines = [f"{run} has not begun."] if found is None else found.lines()
        show(line for line in lines if line not in told)
        told, code = lines, 3 if found is not None and found.quarantined else 0
    return code
