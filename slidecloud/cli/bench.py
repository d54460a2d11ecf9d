"""``slidecloud bench``."""

from __future__ import annotations

from pathlib import Path

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.options import Storage, storage_options


def bench(
    *,
    location: str | None = None,
    out: Path | None = None,
    quick: bool = False,
    json: bool = False,
    storage: Storage = (),
) -> int:
    """Measure how fast this machine stacks gradients, unwraps, inverts series, and reads and writes a store.

    Takes about three minutes; `slidecloud estimate` uses the rates. Kernels run on one core beside plain ways to do the
    same: NumPy and SciPy, least squares pixel by pixel, one unweighted matrix product for all pixels, and MintPy where
    it is installed. They take turns, processor time counts, and of many short repeats the best, so that a busy machine
    disturbs little; two threads and the store need a quiet one.

    For example:

        slidecloud bench
        slidecloud bench --location s3://bucket/stacks --out node.json
        slidecloud bench --quick --json

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    location
        Folder or URL whose speed counts; about 200 MB are written there, read and removed. By default this folder.
    out
        JSON file for the rates; by default the user's cache folder, where `estimate` looks.
    quick
        A few seconds of each: rough rates.
    json
        Print JSON in place of the table.
    """
    from slidecloud.cluster import executor
    from slidecloud.config_resources import ResourcesConfig
    from slidecloud.pipeline import bench as measuring

    effort = measuring.QUICK if quick else measuring.FULL
    rates = measuring.bench(
        location,
        storage_options=storage_options(storage),
        effort=effort,
        progress=progress(),
        cluster=lambda: executor(ResourcesConfig()),
    )
    show([rates.json()] if json else rates.lines())
    say(f"Saved in {rates.save(out)}")
    return 0
