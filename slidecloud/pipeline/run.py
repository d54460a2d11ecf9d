"""A run from top to bottom: ingest, plan, write templates, compute what is not done, say what happened."""

from __future__ import annotations

from slidecloud import config as configuration
from slidecloud.config import ConfigError, RunConfig, SourceConfig
from slidecloud.kernels.device import require_gpu
from slidecloud.pipeline import plan as planning
from slidecloud.pipeline.drive import check_memory, drive
from slidecloud.pipeline.executors import Executor
from slidecloud.pipeline.finders import check_installed
from slidecloud.pipeline.folders import ingest_folder
from slidecloud.pipeline.progress import Progress, Silent
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.store import lease, records, templates
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
        plan = planning.make(config)
        done = records.done(location)
        check_memory([unit for unit in plan.units if unit.key not in done], config.resources.memory_bytes)
        _withdraw_stale(location, plan)
        for unit, objects in plan.templates.items():
            templates.ensure(location, unit, objects, keep_older=unit == planning.TEMPLATE_ROOT)
        summary = drive(
            plan.units,
            location=location,
            token=token,
            executor=executor,
            memory=config.resources.memory_bytes,
            retries=config.resources.retries,
            retry_quarantined=retry_quarantined,
            progress=progress,
            label="run",
        )
    return total + summary + Summary(quarantined=plan.refused, notes=plan.notes)


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
            source.path, stacks, kind=source.kind, id=source.id, executor=executor, progress=progress, takeover=takeover
        )
    except (ValueError, OSError) as error:
        return Summary(quarantined=(Quarantined("ingest", source.path, str(error), "data"),))
    progress.message(f"{location}: {summary.lines()[0]}")
    return summary


def _withdraw_stale(location: Location, plan: planning.Plan) -> None:
    """Withdraw the records of planned bursts and stages that are not of this plan.

    Other tiles, or season bins that moved to other places, write over the objects that such records speak of.
    """
    wanted = {unit.key for unit in plan.units}
    groups = {(key.stage, key.unit.split("/")[0]) for key in wanted}
    for folder in (records.DONE, records.QUARANTINE):
        for key in records.done(location, folder=folder):
            if (key.stage, key.unit.split("/")[0]) in groups and key not in wanted:
                records.withdraw(location, key, folder=folder)


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
