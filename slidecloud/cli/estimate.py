"""``slidecloud estimate``."""

from __future__ import annotations

from pathlib import Path

from slidecloud.cli.console import say, show
from slidecloud.cli.options import Workers


def estimate(config: Path, /, *, rates: Path | None = None, workers: Workers = None) -> int:
    """Say what a run will take, before anything runs: units, bytes, memory of a unit, hours.

    Hours follow from the rates that `slidecloud bench` measured on this machine; without them, from built-in rates,
    and the output says so.

    For example:

        slidecloud estimate region.yaml
        slidecloud estimate region.yaml --workers 64 --rates node.json

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    config
        The YAML that describes the run.
    rates
        Rates measured with `slidecloud bench --out FILE`, on this machine or another.
    """
    from slidecloud.config import load
    from slidecloud.pipeline.estimate import estimate as estimate_run
    from slidecloud.pipeline.rates import Rates

    known = Rates.load(rates)
    found = estimate_run(load(config), known)
    show(found.lines())
    if workers is not None:
        show([f"{found.hours(workers):.3g} hours with {workers} workers"])
    if not known.measured:
        say("Rates are built in, not measured on this machine; 'slidecloud bench' measures them.", style="yellow")
    return 0
