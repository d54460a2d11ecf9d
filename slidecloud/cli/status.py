"""``slidecloud status``."""

from __future__ import annotations

from slidecloud.cli.console import show
from slidecloud.cli.options import Storage, storage_options


def status(run: str, /, *, storage: Storage = ()) -> int:
    """Show how far a run is, from the records in its store.

    Works while the run goes on, from any machine that reaches the store, and after everything that ran it has died.

    For example:

        slidecloud status run.zarr
        slidecloud status s3://bucket/runs/sichuan.zarr --storage profile=geo

    Exit codes: 0 nothing in quarantine; 1 error; 3 some units are in quarantine.

    Parameters
    ----------
    run
        Folder or URL of the run store.
    """
    from slidecloud.pipeline.status import status as read_status

    found = read_status(run, storage_options(storage))
    show(found.lines())
    return 3 if found.quarantined else 0
