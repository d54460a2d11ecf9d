"""``slidecloud verify``."""

from __future__ import annotations

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.errors import DONE, ERROR, UsageError
from slidecloud.cli.options import Storage, storage_options


def verify(store: str, /, *, repair: bool = False, gc: bool = False, yes: bool = False, storage: Storage = ()) -> int:
    """Read every object of a store again and compare its recorded checksum.

    With --repair, the record of each damaged unit is withdrawn, so that the next `slidecloud run` computes that unit
    alone again. A damaged burst stack is mended by the `slidecloud ingest` that made it. With --gc, nothing is read
    again: objects without a record, left by writers that were stopped, are listed, and removed with --yes.

    For example:

        slidecloud verify run.zarr
        slidecloud verify run.zarr --repair && slidecloud run region.yaml
        slidecloud verify run.zarr --gc --yes

    Exit codes: 0 everything is as it was written, or was repaired; 1 damage found, or an error.

    Parameters
    ----------
    store
        Folder or URL of a run store, a burst stack, or a store of hazard, forecasts or optical images.
    repair
        Withdraw the records of damaged units.
    gc
        List the objects that no record owns.
    yes
        Remove them.
    """
    if yes and not gc:
        raise UsageError("--yes removes what --gc lists; give both.")
    if gc and repair:
        raise UsageError("--gc and --repair are two steps; repair first, then run again, then --gc.")
    if gc:
        from slidecloud.pipeline.orphans import collect

        show(collect(store, storage_options(storage), remove=yes).lines())
        return DONE
    from slidecloud.pipeline.verify import verify as read_again

    found = read_again(store, storage_options(storage), repair=repair, progress=progress())
    show(found.lines())
    if found.damaged and not repair:
        say("Add --repair to have the damaged units computed again.", style="yellow")
        return ERROR
    return DONE
