"""``slidecloud forecast``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.errors import UsageError
from slidecloud.cli.options import Executor, Workers

if TYPE_CHECKING:
    from slidecloud.config_forecast import ForecastConfig
    from slidecloud.pipeline.forecast_judged import Judged
    from slidecloud.pipeline.summary import Summary


def forecast(
    config: Path | None = None,
    /,
    *,
    nightly: bool = False,
    report: Path | None = None,
    permutation: bool = False,
    status: bool = False,
    print_config: bool = False,
    methods: bool = False,
    executor: Executor | None = None,
    workers: Workers = None,
    memory: str | None = None,
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> int:
    """Forecast displacement day by day between passes of the satellite, and for some days after the last.

    Points are those of a run's landslides, or of a table. A method learns once how they answer to rain and water level,
    from what was known by the day `train_until`; from then on each day is forecast from the last pass before it, with
    an interval that holds what is measured with a probability of 90 %, and with the probability that motion exceeds
    each threshold. Forecasts reach as far as rain and level are given, so append a weather forecast to them to look
    ahead. What is done is not done again while its data stay the same. Prints for each track how good the forecasts of
    later passes were. In the configuration:

        run: ./run.zarr                        # or points: {path: points.csv} and store: ./forecast.zarr
        rain: {path: rain.csv}
        level: {path: reservoir.csv}           # leave out what there is not
        demix: {season: keep}                  # of a run: without the air that points share with the ground around
        train_until: 2022-06-30
        thresholds: [{displacement: 50, since: 2022-07-01}, {rate: 2, days: 12}]

    Without --nightly everything is brought to what is known now: after a new pass the days around it are forecast anew,
    and the methods `beside` learn anew, which takes its time. With it only what could not be told before is added, by
    what was learnt before: forecasts that were told stay as they were told, whatever passes have come since.

    Networks, of which musenet is the default, need the extra detect (torch); boosting, kf_arima and demix need the
    extra forecast: pip install 'slidecloud[detect,forecast]'.

    For example:

        slidecloud forecast --print-config > forecast.yaml
        slidecloud forecast forecast.yaml --report pictures
        slidecloud forecast forecast.yaml --nightly
        slidecloud forecast forecast.yaml --status

    Exit codes: 0 all done; 1 error; 2 wrong usage; 3 finished, but some points are in quarantine; 130 interrupted.

    Parameters
    ----------
    config
        The YAML that describes the forecasts.
    nightly
        Only add what could not be told before, such as new days; nothing is learnt again.
    report
        Folder to write forecast.html into, with a picture of each landslide, and errors by size of motion, by days
        since the last pass and in heavy rain and drawdown, with intervals; how long after rain and a falling level
        points move; and errors.parquet, a row a point.
    permutation
        Also tell in the report how errors grow where the method is given rain or level of other days. It takes many
        times as long as to forecast.
    status
        Tell how much is done for the data as they are now, and do nothing.
    print_config
        Print a commented configuration with every key, and stop.
    methods
        Print the names of the methods, and stop.
    executor
        dask (processes of this machine, or a scheduler), threads or serial.
    memory
        Memory of one worker, such as "4 GiB".
    retry_quarantined
        Try the points in quarantine again.
    takeover
        Take the store from another driver that may still be at work; what it has not finished it then cannot record.
    """
    if print_config or methods:
        show(_template() if print_config else _methods())
        return 0
    if config is None:
        raise UsageError("'slidecloud forecast' needs the YAML of forecasts; write one with --print-config.")
    if status and report is not None:
        raise UsageError("--status does nothing but tell; leave --report out.")
    if permutation and report is None:
        raise UsageError("--permutation is a part of the report; give --report and a folder.")
    from slidecloud.cli.run import replaced, tell
    from slidecloud.config_forecast import load

    loaded = load(config)
    resources = replaced(loaded.resources, {"executor": executor, "workers": workers, "memory": memory})
    settings = loaded.model_copy(update={"resources": resources})
    if status:
        return _told(settings, nightly=nightly)
    summary = _made(settings, nightly=nightly, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    found = _judged(settings)
    if found:
        show([line for one in found for line in one.lines()])
        if report is not None:
            say(f"Report: {_written(found, settings, report, permutation=permutation)}")
    say(f"Forecasts: {settings.place}/forecast")
    return summary.exit_code


def _template() -> list[str]:
    from slidecloud.config_forecast import template

    return template().splitlines()


def _methods() -> list[str]:
    from slidecloud.forecast.methods import METHODS

    return list(METHODS)


def _told(config: ForecastConfig, *, nightly: bool) -> int:
    from slidecloud.pipeline.forecast import status

    found = status(config, nightly=nightly)
    show([f"{found.stage:<12} {found.done:>6} of {found.total} units done, {found.quarantined} in quarantine"])
    return 3 if found.quarantined else 0


def _made(config: ForecastConfig, *, nightly: bool, retry_quarantined: bool, takeover: bool) -> Summary:
    from slidecloud.cli.run import on_executor
    from slidecloud.pipeline.forecast import compute

    with on_executor(config.resources) as opened:
        return compute(
            config, executor=opened, nightly=nightly, progress=progress(), retry_quarantined=retry_quarantined,
            takeover=takeover,
        )  # fmt: skip


def _judged(config: ForecastConfig) -> list[Judged]:
    """What there is, and how good it was, for each part of which anything is forecast."""
    from slidecloud.pipeline.forecast_judged import judged
    from slidecloud.store import locate

    return [one for one in judged(locate(config.place, config.storage_options)) if not one.empty]


def _written(judged: list[Judged], config: ForecastConfig, folder: Path, *, permutation: bool) -> Path:
    from slidecloud.pipeline.forecast_report import ERRORS_TABLE, table_of, told
    from slidecloud.plots.forecast_page import forecast_page
    from slidecloud.store import locate

    location = locate(config.place, config.storage_options)
    found = []
    for one in judged:
        say(f"{one.title}: judging the forecasts of {len(one.points)} points.")
        found.append(told(location, one, config, permute=permutation))
    locate(folder).write(ERRORS_TABLE, table_of(found))
    return forecast_page(found, folder)
