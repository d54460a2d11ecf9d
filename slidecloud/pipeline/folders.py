"""Ingest of a folder or URL: interferograms become a burst stack, single-look images an SLC stack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.ingest import ingest, readable_stack
from slidecloud.pipeline.ingest_slc import ingest_slc, readable_images
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Summary
from slidecloud.stack import SlcSource, open_source
from slidecloud.store.location import Location, locate
from slidecloud.types import SourceKind


def ingest_folder(
    path: str,
    stacks: str | Location,
    *,
    kind: SourceKind = "auto",
    id: str | None = None,
    mapping_file: str | None = None,
    keep_dropped: bool = False,
    executor: Executor | None = None,
    progress: Progress | None = None,
    memory: int | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
    storage_options: Mapping[str, Any] | None = None,
) -> tuple[Location, Summary]:
    """Ingest a folder or URL of source products; new pairs of a stack that exists are put on its grid.

    ``storage_options`` are those of a URL of the source; by default those of the stacks, where both are reached alike.

    Returns
    -------
    Location, Summary
        Where the stack is, and what was done.
    """
    stacks = locate(stacks)
    options: dict[str, Any] = {
        "kind": kind, "id": id, "mapping_file": mapping_file, "keep_dropped": keep_dropped,
        "storage_options": source_options(path, stacks, storage_options),
    }  # fmt: skip
    source = open_source(path, **options)
    location = stacks / f"{source.header.id}.zarr"
    origin = str(locate(path))
    stored = readable_images(location) if isinstance(source, SlcSource) else readable_stack(location)
    if stored is not None and stored.header.grid not in (None, source.header.grid):
        source = open_source(path, grid=stored.header.grid, **options)
    if isinstance(source, SlcSource):
        return location, ingest_slc(
            source, stacks, executor=executor, progress=progress, memory=memory, origin=origin,
            retry_quarantined=retry_quarantined, takeover=takeover,
        )  # fmt: skip
    return location, ingest(
        source, stacks, executor=executor, progress=progress, memory=memory, origin=origin,
        retry_quarantined=retry_quarantined, takeover=takeover,
    )  # fmt: skip


def source_options(path: str, stacks: Location, given: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """Storage options of a source: those given, else those of the stacks where both are reached by one scheme."""
    if given is not None:
        return given
    same = "://" in path and path.partition("://")[0] == stacks.url.partition("://")[0]
    return dict(stacks.options) if same else None
