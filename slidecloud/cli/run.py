"""``slidecloud run``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Executor, Port, Workers, memory_text

if TYPE_CHECKING:
    from pydantic import BaseModel

    from slidecloud.config import RunConfig
    from slidecloud.config_resources import ResourcesConfig
    from slidecloud.pipeline.executors import Executor as OpenExecutor
    from slidecloud.pipeline.summary import Summary

Section = TypeVar("Section", bound="BaseModel")


def run(
    config: Path | None = None,
    /,
    *,
    print_config: bool = False,
    executor: Executor | None = None,
    workers: Workers = None,
    scheduler: str | None = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
    performance_report: bool = False,
    metrics_port: Port = None,
) -> int:
    """Run a configuration: gradients, landslides, displacement series, into a run store.

    What is finished is never done again: after an interruption, a crash or new acquisitions, give the same command.
    Units with unusable data go to quarantine and the rest goes on. Options here take the place of the file's
    `resources`; they have no influence on results.

    For example:

        slidecloud run --print-config > region.yaml
        slidecloud run region.yaml
        slidecloud run region.yaml --scheduler tcp://10.0.0.5:8786

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some units are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes the run.
    print_config
        Print a commented configuration with every default, and stop.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    scheduler
        Address of a running Dask scheduler, tcp://host:port.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the units in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    performance_report
        Store Dask's performance report of this run in the run store, .slidecloud/reports.
    metrics_port
        Count units and bytes for Prometheus at this port while the run lasts.
    """
    if print_config:
        from slidecloud.config import template

        show(template().splitlines())
        return 0
    if config is None:
        raise UsageError("'slidecloud run' needs the YAML of a run; write one with --print-config > region.yaml.")
    if scheduler is not None and executor not in (None, "dask"):
        raise UsageError(f"--scheduler needs the executor dask, not {executor}.")
    from slidecloud.config import load

    resources = {
        "executor": executor,
        "workers": workers,
        "scheduler": scheduler,
        "memory": memory,
        "performance_report": performance_report or None,
    }
    settings = with_resources(load(config), resources)
    with _counted(metrics_port):
        summary = perform(settings, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    say(f"Results: {settings.run}")
    return summary.exit_code


def perform(config: RunConfig, *, retry_quarantined: bool = False, takeover: bool = False) -> Summary:
    """Run a configuration on the executor it names."""
    if config.resources.performance_report and config.resources.executor != "dask":
        raise UsageError(f"A performance report is Dask's, and the executor is {config.resources.executor}.")
    from slidecloud.pipeline.run import run as run_pipeline

    with on_executor(config.resources) as opened, _reported(opened, config):
        return run_pipeline(
            config, executor=opened, progress=progress(), retry_quarantined=retry_quarantined, takeover=takeover
        )


@contextmanager
def on_executor(resources: ResourcesConfig) -> Iterator[OpenExecutor]:
    """The executor that resources name, open; says where its dashboard is."""
    from slidecloud.cluster import executor

    with executor(resources) as opened:
        if opened.dashboard:
            say(f"Dask dashboard: {opened.dashboard}")
        yield opened


@contextmanager
def _counted(port: int | None) -> Iterator[None]:
    """Serve counters at a port, if one is given; a port that is taken is no reason not to run."""
    with ExitStack() as stack:
        if port is not None:
            from slidecloud.pipeline import metrics

            try:
                say(f"Metrics: port {stack.enter_context(metrics.serve(port))}, path /metrics")
            except OSError as error:
                say(f"{error} The run goes on without.", style="yellow")
        yield


@contextmanager
def _reported(opened: OpenExecutor, config: RunConfig) -> Iterator[None]:
    """Store a performance report, if one is asked for."""
    if not config.resources.performance_report:
        yield
        return
    from slidecloud.cluster.report import reported
    from slidecloud.pipeline.executors import DaskExecutor
    from slidecloud.store import locate

    assert isinstance(opened, DaskExecutor)
    location = locate(config.run, config.storage_options)
    with reported(opened, location) as key:
        yield
    if location.read(key) is not None:
        say(f"Performance report: {location}/{key}")


def with_resources(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    """A configuration whose resources are replaced where a change is not None."""
    from slidecloud.config_resources import ResourcesConfig

    given = {name: value for name, value in changes.items() if value is not None}
    if "memory" in given:
        memory_text(given["memory"])
    resources = ResourcesConfig.model_validate(config.resources.model_dump() | given)
    return config.model_copy(update={"resources": resources})


def replaced(section: Section, changes: dict[str, Any]) -> Section:
    """A section of a configuration with what was given, and is not None, in place of its own values."""
    from pydantic import ValidationError

    given = {name: value for name, value in changes.items() if value is not None}
    try:
        return type(section).model_validate(section.model_dump() | given)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]
        raise UsageError("; ".join(line.replace("Value error, ", "").lstrip(": ") for line in lines)) from None


def tell(
    summary: Summary, *, retry: str = "mend their data, then give the same command with --retry-quarantined."
) -> None:
    """Print a summary, and what to do about quarantine."""
    show(summary.lines())
    if summary.exit_code:
        say(f"Something was set aside: {retry}", style="yellow")
