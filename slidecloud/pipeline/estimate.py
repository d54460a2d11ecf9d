"""What a run will take, before anything runs: units, bytes, memory, core hours and wall time from measured rates."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from slidecloud.config import RunConfig
from slidecloud.kernels.device import require_gpu
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline import plan_series
from slidecloud.pipeline.costs import cost, speeds
from slidecloud.pipeline.drive import Name
from slidecloud.pipeline.folders import source_options
from slidecloud.pipeline.ingest import STACK_CHUNKS
from slidecloud.pipeline.plan_burst import offered_units
from slidecloud.pipeline.rates import Rates
from slidecloud.pipeline.scale import Cost
from slidecloud.pipeline.units import Unit
from slidecloud.stack import open_source
from slidecloud.stack.slc import SlcSource, sample_bytes
from slidecloud.stack.source import Source
from slidecloud.store import locate, records

_INGEST = "ingest"
_OF_PATCHES = ("unwrap", "timeseries")
ASSUMED = 0.1
"""Share of a burst in patches while it is not known where landslides are: about fifteen of 4 km in a burst."""
_PIXEL_BYTES = 7
"""int16 phase, uint8 coherence, float32 unwrapped phase."""


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage: units, uncompressed bytes, the largest unit's memory, and hours of one core."""

    stage: str
    units: int
    bytes_read: int
    bytes_written: int
    peak_memory: int
    core_hours: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A run: what is ahead by stage, and how much of it is done already.

    Attributes
    ----------
    stages
        In the order of the data's way; only units that are not done yet.
    done
        Units that are done already.
    costs
        Of the units ahead, for `slidecloud.pipeline.scale.forecast`.
    rates
        The rates used.
    notes
        What patches save, and what was assumed.
    """

    stages: tuple[StageEstimate, ...]
    done: int
    costs: tuple[Cost, ...]
    rates: Rates
    notes: tuple[str, ...] = ()

    @property
    def core_hours(self) -> float:
        """Hours of one core that is always busy."""
        return sum(stage.core_hours for stage in self.stages)

    def lines(self) -> list[str]:
        """The estimate as lines of a table."""
        head = f"{'stage':<12} {'units':>8} {'read GB':>10} {'write GB':>10} {'peak GiB':>10} {'core hours':>12}"
        rows = [
            f"{s.stage:<12} {s.units:>8} {s.bytes_read / 1e9:>10.3f} {s.bytes_written / 1e9:>10.3f} "
            f"{s.peak_memory / 2**30:>10.2f} {s.core_hours:>12.4f}"
            for s in self.stages
        ]
        total = f"{self.done} units are done already; {self.core_hours:.4f} core hours are ahead."
        return [head, *rows, total, *self.notes]


def estimate(config: RunConfig, rates: Rates, *, elsewhere: bool = False) -> Estimate:
    """Estimate what is still to do of a run.

    Parameters
    ----------
    config
        The run; sources that are not ingested yet are opened for their headers alone.
    rates
        Rates of one core and of the store.
    elsewhere
        Whether the run is for other machines than this one, as it is where it names a scheduler.

    Raises
    ------
    FileNotFoundError
        If there are neither stacks nor sources.
    RuntimeError
        If this machine is to work on a GPU and has none.
    """
    resources = config.resources
    if resources.device == "gpu" and resources.scheduler is None and not elsewhere:
        require_gpu("resources.device is gpu")
    stacks = locate(config.stacks, config.storage_options)
    sources = [
        open_source(
            item.path, kind=item.kind, id=item.id, mapping_file=item.mapping,
            storage_options=source_options(item.path, stacks, item.storage_options),
        )
        for item in config.sources
    ]  # fmt: skip
    fresh = [source for source in sources if not (stacks / f"{source.header.id}.zarr").exists()]
    units: list[Unit] = []
    pixels, unknown = (0, 0), bool(fresh) and "timeseries" in config.stages
    if len(fresh) < len(sources) or not sources or any(name.endswith(".zarr") for name in stacks.folders()):
        plan = planning.make(config, with_templates=False, assumed=ASSUMED)
        units += plan.units
        pixels, unknown = plan.pixels, bool(plan.pending)
    for source in fresh:
        units += offered_units(config, source, assumed=ASSUMED)
    finished = records.done(locate(config.run, config.storage_options))
    todo = [unit for unit in units if unit.key not in finished]
    known, speed = {unit.name for unit in todo}, speeds(rates, resources.device)
    costs = {unit.name: _among(cost(unit, rates, speed), known) for unit in todo}
    stages = [_ingest(fresh, rates)] if fresh else []
    for name in dict.fromkeys(unit.key.stage for unit in todo):
        members = [unit for unit in todo if unit.key.stage == name]
        stages.append(_stage(name, members, [costs[unit.name] for unit in members], rates))
    ahead = _after_ingest(stages, costs.values())
    hours = sum(stage.core_hours for stage in stages if stage.stage in _OF_PATCHES)
    notes = []
    if 0 < pixels[0] < pixels[1] and hours:
        whole = _whole_bursts(config, rates, speed)
        notes.append(
            f"Series of patches: {pixels[0] / 1e6:.2f} of {pixels[1] / 1e6:.2f} million pixels "
            f"({pixels[0] / pixels[1]:.1%}) and {hours:.4f} core hours; whole bursts would take {whole:.4f}."
        )
    if unknown and config.where != plan_series.EVERYWHERE:
        notes.append(
            f"Where landslides are is not known yet: patches are assumed to cover {ASSUMED:.0%} of those bursts."
        )
    return Estimate(tuple(stages), len(units) - len(todo), ahead, rates, tuple(notes))


def _whole_bursts(config: RunConfig, rates: Rates, speed: Mapping[str, float]) -> float:
    """Hours of one core that series of all bursts would take as a whole, from a plan of them."""
    series = config.timeseries.model_copy(update={"where": plan_series.EVERYWHERE})
    plan = planning.make(
        config.model_copy(update={"timeseries": series, "stages": ("timeseries",)}), with_templates=False
    )
    return _hours(plan.units, [cost(unit, rates, speed) for unit in plan.units], rates)


def _among(one: Cost, known: Collection[Name]) -> Cost:
    """Its cost without the needs that are met already."""
    return dataclasses.replace(one, requires=tuple(name for name in one.requires if name in known))


def _stage(name: str, units: Sequence[Unit], costs: Sequence[Cost], rates: Rates) -> StageEstimate:
    read, written = sum(unit.bytes_read for unit in units), sum(unit.bytes_written for unit in units)
    peak = max(unit.peak_memory for unit in units)
    return StageEstimate(name, len(units), read, written, peak, _hours(units, costs, rates))


def _hours(units: Sequence[Unit], costs: Sequence[Cost], rates: Rates) -> float:
    """Hours of one core for some units: computing, reading and writing."""
    read, written = sum(unit.bytes_read for unit in units), sum(unit.bytes_written for unit in units)
    return (sum(one.seconds for one in costs) + read / rates.read / 1e6 + written / rates.write / 1e6) / 3600


def _after_ingest(stages: Sequence[StageEstimate], costs: Iterable[Cost]) -> tuple[Cost, ...]:
    """Costs of all units, of which none begins before all sources are ingested."""
    ingest = next((stage for stage in stages if stage.stage == _INGEST), None)
    if ingest is None:
        return tuple(costs)
    count = ingest.units
    each = (0.0, ingest.bytes_read / 1e6 / count, ingest.bytes_written / 1e6 / count)
    batches = [Cost((_INGEST, str(number)), *each) for number in range(count)]
    end = Cost((_INGEST, "end"), 0.0, requires=tuple(batch.name for batch in batches))
    first = [dataclasses.replace(one, requires=(end.name, *one.requires)) for one in costs]
    return (*batches, end, *first)


def _ingest(sources: Iterable[Source | SlcSource], rates: Rates) -> StageEstimate:
    units = size = peak = 0
    for source in sources:
        height, width = source.header.shape
        pairs, rows = STACK_CHUNKS[:2]
        if isinstance(source, SlcSource):
            count, together, pixel = len(source.images), 1, sample_bytes(source)
        else:
            count, together, pixel = len(source.pairs), pairs, _PIXEL_BYTES
        units += -(-count // together)
        size += count * height * width * pixel
        peak = max(peak, 3 * together * min(rows, height) * width * pixel)
    return StageEstimate(_INGEST, units, size, size, peak, size / 1e6 * (1 / rates.read + 1 / rates.write) / 3600)
