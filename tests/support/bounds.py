"""Reading a source that may be spoiled, within limits of time and memory."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from slidecloud.stack import SlcSource, open_source

LIMIT = 120
"""Seconds after which a case counts as hanging; they take fractions of one."""
MEMORY = 4 * 2**30
"""Bytes of address space that a case may add: what a damaged header claims is far more."""
MOST_ROWS = 256


@contextmanager
def bounded() -> Iterator[None]:
    """Limits of time and memory around a case."""

    def too_long(*_):
        raise AssertionError(f"still at work after {LIMIT} s")

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(LIMIT)
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)


def read_all(root: Path, options: dict[str, Any]) -> list[str]:
    """Open, read maps and the first rows of pixels; returns the messages of all that went wrong."""
    said = []
    try:
        source = open_source(root, **options)
        said += [item.reason for item in source.rejected]
        try:
            source.static()
        except (ValueError, OSError) as error:
            said.append(str(error))
        images = isinstance(source, SlcSource)
        for item in source.images if images else source.pairs:
            try:
                block = (source.read_image if images else source.read)(
                    item, slice(0, min(MOST_ROWS, source.header.shape[0]))
                )
            except (ValueError, OSError) as error:
                said.append(str(error))
            else:
                assert block[0].shape[1] == source.header.shape[1]
    except (ValueError, OSError) as error:
        said.append(str(error))
    return said
