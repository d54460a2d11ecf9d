"""``slidecloud bench``."""

from __future__ import annotations

from pathlib import Path

from slidecloud.cli.console import say, show
from slidecloud.cli.options import Storage, storage_options


def bench(*, location: str | None = None, out: Path | None = None, storage: Storage = ()) -> int:
    """Measure how fast this machine stacks gradients, inverts series, and reads and writes a store.

    Takes about half a minute. `slidecloud estimate` uses the rates. Each kernel is compared with plain NumPy and SciPy
    on the same work.

    For example:

        slidecloud bench
        slidecloud bench --location s3://bucket/stacks --out node.json

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    location
        Folder or URL whose speed counts; a few objects are written there, read and removed. By default this folder.
    out
        JSON file for the rates; by default the user's cache folder, where `estimate` looks.
    """
    from slidecloud.pipeline.bench import bench as measure

    say("Measuring; about half a minute...")
    rates = measure(location, storage_options=storage_options(storage))
    show(rates.lines())
    say(f"Saved in {rates.save(out)}")
    return 0
