"""What a run will take, before anything runs: units, bytes, memory and hours from measured rates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from slidecloud.config import Device, RunConfig
from slidecloud.kernels.device import require_gpu
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.ingest import STACK_CHUNKS
from slidecloud.pipeline.rates import GRADIENTS, Rates
from slidecloud.pipeline.units import Unit
from slidecloud.stack import open_source
from slidecloud.stack.slc import SlcSource, sample_bytes
from slidecloud.stack.source import Source
from slidecloud.store import locate, records

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
    rates
        The rates used.
    """

    stages: tuple[StageEstimate, ...]
    done: int
    rates: Rates

    def hours(self, workers: int) -> float:
        """Hours on so many workers, each one core, if all stay busy: units are many and small."""
        return sum(stage.core_hours for stage in self.stages) / workers

    def lines(self) -> list[str]:
        """The estimate as lines of a table."""
        head = f"{'stage':<12} {'units':>8} {'read GB':>10} {'write GB':>10} {'peak GiB':>10} {'core hours':>12}"
        rows = [
            f"{s.stage:<12} {s.units:>8} {s.bytes_read / 1e9:>10.3f} {s.bytes_written / 1e9:>10.3f} "
            f"{s.peak_memory / 2**30:>10.2f} {s.core_hours:>12.4f}"
            for s in self.stages
        ]
        total = f"{self.done} units are done already; {self.hours(1):.4f} core hours are ahead."
        return [head, *rows, total]


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
    speed = _speeds(rates, resources.device)
    sources = [open_source(item.path, kind=item.kind, id=item.id) for item in config.sources]
    stacks = locate(config.stacks, config.storage_options)
    fresh = [source for source in sources if not (stacks / f"{source.header.id}.zarr").exists()]
    stages = [_ingest(fresh, rates)] if fresh else []
    units: list[Unit] = []
    if len(fresh) < len(sources) or not sources or any(name.endswith(".zarr") for name in stacks.folders()):
        units += planning.make(config, with_templates=False).units
    for source in fresh:
        units += planning.offered_units(config, source)
    finished = records.done(locate(config.run, config.storage_options))
    todo = [unit for unit in units if unit.key not in finished]
    names = list(dict.fromkeys(unit.key.stage for unit in todo))
    stages += [_stage(name, [unit for unit in todo if unit.key.stage == name], rates, speed) for name in names]
    return Estimate(tuple(stages), len(units) - len(todo), rates)


def _speeds(rates: Rates, device: Device) -> Mapping[str, float]:
    """Samples per second of the kernels; those of a GPU where it is asked for and was measured."""
    gpu = rates.on_gpu(GRADIENTS) if device == "gpu" else None
    return {"gradients": gpu.rate if gpu else rates.gradients, "sbas": rates.series}


def _stage(name: str, units: Sequence[Unit], rates: Rates, speed: Mapping[str, float]) -> StageEstimate:
    return StageEstimate(
        name,
        len(units),
        sum(unit.bytes_read for unit in units),
        sum(unit.bytes_written for unit in units),
        max(unit.peak_memory for unit in units),
        sum(_seconds(unit, rates, speed) for unit in units) / 3600,
    )


def _seconds(unit: Unit, rates: Rates, speed: Mapping[str, float]) -> float:
    moving = unit.bytes_read / (rates.read * 1e6) + unit.bytes_written / (rates.write * 1e6)
    return moving + (unit.samples / speed[unit.kernel] if unit.kernel else 0.0)


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
    return StageEstimate("ingest", units, size, size, peak, size / 1e6 * (1 / rates.read + 1 / rates.write) / 3600)
