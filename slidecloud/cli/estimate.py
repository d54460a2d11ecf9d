"""``slidecloud estimate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter, validators

from slidecloud.cli.console import say, show
from slidecloud.cli.errors import UsageError

if TYPE_CHECKING:
    from slidecloud.pipeline.estimate import Estimate
    from slidecloud.pipeline.nation import Nation
    from slidecloud.pipeline.rates import Rates

Count = Annotated[int, Parameter(validator=validators.Number(gte=1))]
Counts = Annotated[tuple[Count, ...], Parameter(consume_multiple=True, show_default=False)]
Positive = Annotated[float, Parameter(validator=validators.Number(gt=0))]
NotNegative = Annotated[float, Parameter(validator=validators.Number(gte=0))]


def estimate(
    config: Path | None = None,
    /,
    *,
    interferograms: Count | None = None,
    shape: tuple[Count, Count] | None = None,
    pairs_per_burst: Count | None = None,
    images_per_burst: Count | None = None,
    rates: Path | None = None,
    workers: Counts = (),
    preemption: NotNegative = 0.0,
    replacement: NotNegative = 120.0,
    throughput: Positive | None = None,
    price: NotNegative | None = None,
) -> int:
    """Say what a run will take, before anything runs: units, bytes, memory of a unit, hours, wall time, cost.

    With the YAML of a run: what is still to do of it. Without one, and with --interferograms: gradient stacking of that
    many burst interferograms that nobody has yet, as large as a nation; bytes, core hours, and GPU hours where a GPU
    was measured.

    Hours follow from the rates that `slidecloud bench` measured on this machine; without them, from built-in rates,
    and the output says so. Wall time comes from a simulation of the units on each number of workers: they wait for each
    other, for the scheduler and for the store, and on spot nodes workers are taken away and units begin again.

    For example:

        slidecloud estimate region.yaml
        slidecloud estimate region.yaml --workers 64 --rates node.json
        slidecloud estimate --interferograms 130977 --shape 768 2816 --workers 1 64 2000 --preemption 0.05 --price 0.04

    Exit codes: 0 done; 1 error; 2 wrong usage.

    Parameters
    ----------
    config
        The YAML that describes the run.
    interferograms
        Burst interferograms in all, in place of the YAML.
    shape
        Rows and columns of a burst interferogram, in pixels of 40 m; by default 768 2816.
    pairs_per_burst
        Interferograms of each burst, from which follows of how many bursts maps are written; by default 270.
    images_per_burst
        Acquisitions of each burst, one every 12 days, from which follow its season bins; by default 121.
    rates
        Rates measured with `slidecloud bench --out FILE`, on this machine or another.
    workers
        Numbers of workers, each one core like those measured; by default those of the YAML, else the cores of this
        machine.
    preemption
        Times per hour that a worker is taken away, on average.
    replacement
        Seconds until another takes its place.
    throughput
        MB/s that the store gives all workers together; by default what all cores together were measured to get from a
        disk, and no limit for a bucket.
    price
        Of one worker for one hour, in any currency.
    """
    from slidecloud.pipeline.costs import crew, limits, lines
    from slidecloud.pipeline.rates import Rates
    from slidecloud.pipeline.scale import forecast

    options = {"shape": shape, "pairs_per_burst": pairs_per_burst, "images_per_burst": images_per_burst}
    given = {name: value for name, value in options.items() if value is not None}
    known = Rates.load(rates)
    if interferograms is not None and config is None:
        found: Estimate | Nation = _nation(interferograms, known, given)
    elif config is not None and interferograms is None and not given:
        found = _run(config, known)
    else:
        raise UsageError(
            "estimate takes either the YAML of a run, or --interferograms with --shape, --pairs-per-burst and "
            "--images-per-burst where the defaults do not fit"
        )
    show(found.lines())
    crews = [
        crew(known, number, throughput=throughput, preemption=preemption, replacement=replacement)
        for number in workers or (_workers(config),)
    ]
    show(["", *lines([forecast(found.costs, one) for one in crews], price=price)])
    if bound := limits(crews[0]):
        say(f"{bound} Another store may give more: --throughput.")
    if not known.measured:
        say("Rates are built in, not measured on this machine; 'slidecloud bench' measures them.", style="yellow")
    return 0


def _run(config: Path, rates: Rates) -> Estimate:
    from slidecloud.config import load
    from slidecloud.pipeline.estimate import estimate

    return estimate(load(config), rates)


def _workers(config: Path | None) -> int:
    """Workers of the YAML, else the cores of this machine."""
    from slidecloud.config import load
    from slidecloud.pipeline.executors import cores

    return (load(config).resources.workers if config else None) or cores()


def _nation(interferograms: int, rates: Rates, options: dict[str, Any]) -> Nation:
    from slidecloud.pipeline.nation import nation

    return nation(interferograms, rates, **options)
