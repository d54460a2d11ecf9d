"""``slidecloud verify``."""

from __future__ import annotations

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.errors import DONE, ERROR
from slidecloud.cli.options import Storage, storage_options


def verify(store: str, /, *, repair: bool = False, storage: Storage = ()) -> int:
    """Read every object of a run store or burst stack again and compare it with its recorded checksum.

    With --repair, the record of each damaged unit is withdrawn, so that the next `slidecloud run` computes that unit
    alone again. A damaged burst stack is mended by the `slidecloud ingest` that made it.

    For example:

        slidecloud verify run.zarr
        slidecloud verify run.zarr --repair && slidecloud run region.yaml

    Exit codes: 0 everything is as it was written, or was repaired; 1 damage found, or an error.

    Parameters
    ----------
    store
        Folder or URL of a run store or burst stack.
    repair
        Withdraw the records of damaged units.
    """
    from slidecloud.pipeline.verify import verify as read_again

    found = read_again(store, storage_options(storage), repair=repair, progress=progress())
    show(found.lines())
    if found.damaged and not repair:
        say("Add --repair to have the damaged units computed again.", style="yellow")
        return ERROR
    return DONE
