"""A run from top to bottom: ingest, plan, write templates, compute what is not done, say what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slidecloud import config as configuration
from slidecloud.config import RunConfig, SourceConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.device import require_gpu
from slidecloud.pipeline import decompose, timeseries, unwrap
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.drive import check_memory, drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.finders import check_installed
from slidecloud.pipeline.folders import ingest_folder
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.pipeline.units import Unit
from slidecloud.store import lease, records, seams, templates
from slidecloud.store.decomposition_specs import FOLDER
from slidecloud.store.location import Location, locate
from slidecloud.store.runs import RUN_YAML
from slidecloud.store.stacks import kind_of


def run(
    config: RunConfig,
    *,
    executor: Executor,
    progress: Progress | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> Summary:
    """Do everything a configuration asks for that is not done yet.

    Parameters
    ----------
    config
        The run.
    executor
        Where units run.
    progress
        Told about every unit.
    retry_quarantined
        Try units again that were set aside for bad data.
    takeover
        Take the stores from a driver that may still be at work.

    Returns
    -------
    Summary
        With the exit code: 0, or 3 if units are in quarantine.

    Raises
    ------
    ConfigError
        If the run store was made with another configuration.
    FileNotFoundError
        If there are no stacks.
    ImportError
        If what the detector needs is not installed.
    LeaseError
        If another process is writing the run store, or takes it over.
    MemoryError
        If a unit needs more memory than a worker has.
    RuntimeError
        If a GPU is asked for where workers have none.
    """
    progress = progress or Silent()
    location = locate(config.run, config.storage_options)
    check_same_run(location, config)
    if config.resources.device == "gpu":
        _check_gpu(executor)
    if "detect" in config.stages:
        check_installed(config.detect)
    total = Summary()
    for source in config.sources:
        total += _ingest(config, source, executor, progress, takeover=takeover)
    with lease.hold(location, takeover=takeover) as token:
        rounds = _Rounds(config, location, token, executor, progress, retry_quarantined)
        total += rounds.all()
    return total


@dataclass
class _Rounds:
    """Plans and does what is known, and then what that made known: patches are not known before their detections."""

    config: RunConfig
    location: Location
    token: str
    executor: Executor
    progress: Progress
    retry_quarantined: bool

    def all(self) -> Summary:
        """Do everything."""
        plan = planning.make(self.config)
        summary = self._do(plan, plan.units)
        if plan.pending:
            before = {unit.key for unit in plan.units}
            plan = planning.make(self.config)
            summary += self._do(plan, [unit for unit in plan.units if unit.key not in before])
        return summary + Summary(quarantined=plan.refused, notes=plan.notes)

    def _do(self, plan: planning.Plan, units: Sequence[Unit]) -> Summary:
        resources = self.config.resources
        done = records.done(self.location)
        check_memory([unit for unit in units if unit.key not in done], resources.memory_bytes)
        _withdraw_stale(self.location, plan)
        for unit, objects in plan.templates.items():
            templates.ensure(self.location, unit, objects, keep_older=unit == planning.TEMPLATE_ROOT)
        return drive(
            units,
            location=self.location,
            token=self.token,
            executor=self.executor,
            memory=resources.memory_bytes,
            retries=resources.retries,
            retry_quarantined=self.retry_quarantined,
            progress=self.progress,
            label="run",
        )


def _check_gpu(executor: Executor) -> None:
    """Ask a worker whether it can use a GPU, and pass its error on."""
    executor.submit(0, require_gpu, "resources.device is gpu", device="gpu")
    _, error = executor.take()
    if isinstance(error, BaseException):
        raise error


def _ingest(
    config: RunConfig, source: SourceConfig, executor: Executor, progress: Progress, *, takeover: bool
) -> Summary:
    """Ingest one source; a source that cannot be used is set aside and the rest goes on."""
    stacks = locate(config.stacks, config.storage_options)
    try:
        location, summary = ingest_folder(
            source.path, stacks, kind=source.kind, id=source.id, mapping_file=source.mapping, executor=executor,
            progress=progress, memory=config.resources.memory_bytes, takeover=takeover,
            storage_options=source.storage_options,
        )  # fmt: skip
    except (ValueError, OSError) as error:
        return Summary(quarantined=(Quarantined("ingest", source.path, str(error), "data"),))
    progress.message(f"{location}: {summary.lines()[0]}")
    return summary


def _withdraw_stale(location: Location, plan: planning.Plan) -> None:
    """Withdraw the records of planned bursts and stages that are not of this plan.

    Other tiles, or season bins that moved to other places, write over the objects that such records speak of. Patches
    whose detections are gone lose their templates too, and so do areas that two passes no longer see, but not while it
    is not known which there are.
    """
    wanted = {unit.key for unit in plan.units}
    groups = {(key.stage, key.unit.split("/")[0]) for key in wanted}
    decomposed = FOLDER in plan.templates
    groups |= {(decompose.STAGE, decompose.UNITS)} if decomposed else set()
    groups |= {(stage, burst) for stage in (timeseries.STAGE, unwrap.STAGE) for burst in plan.patched}
    levelled = set() if plan.pending else {seams.STAGE}
    for folder in (records.DONE, records.QUARANTINE):
        for key in records.done(location, folder=folder):
            planned = key.stage in levelled or (key.stage, key.unit.split("/")[0]) in groups
            if planned and key not in wanted:
                records.withdraw(location, key, folder=folder)
    for key in records.done(location, stage=templates.STAGE):
        burst = key.unit.removeprefix("bursts/").split("/patches")[0]
        gone = "/patches" in key.unit and burst in plan.patched
        gone = gone or (key.unit.startswith(f"{FOLDER}/") and decomposed)
        if gone and key.unit not in plan.templates:
            records.withdraw(location, key)


def check_same_run(location: Location, config: RunConfig) -> None:
    """Refuse a run store that holds another configuration's results, naming the first difference."""
    kind = kind_of(location)
    if kind not in ("run", None) or (kind is None and location.read("zarr.json") and not records.done(location)):
        raise ConfigError(
            f"{location} holds {kind or 'a Zarr store'}, not a run of slidecloud. Choose another run store."
        )
    data = location.read(RUN_YAML)
    if data is None or not any(
        key.unit == planning.TEMPLATE_ROOT for key in records.done(location, stage=templates.STAGE)
    ):
        return  # never finished, or withdrawn by verify: without its record the configuration is not to be trusted
    try:
        stored = configuration.parse(data.decode(errors="replace"), name=f"{location}/{RUN_YAML}")
    except ConfigError as error:
        raise ConfigError(f"{error} Run 'slidecloud verify {location} --repair', then this again.") from None
    old, new = stored.science(), config.science()
    for section in old.keys() ^ new.keys():  # of a stage that one of the two leaves out
        old.pop(section, None)
        new.pop(section, None)
    difference = _difference(old, new)
    if difference:
        raise ConfigError(
            f"{location} was made with another configuration: {difference}. One run store holds one configuration; "
            "choose another 'run', or restore the value."
        )


def _difference(old: object, new: object, name: str = "") -> str:
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted({*old, *new})
        return next((found for key in keys if (found := _difference(old.get(key), new.get(key), f"{name}.{key}"))), "")
    return "" if old == new else f"{name.removeprefix('.')} was {old!r} and is now {new!r}"
