"""The program ``slidecloud``: its commands, its global options, its exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, Parameter

from slidecloud import __version__, logs
from slidecloud.cli import (
    bench,
    classify,
    decompose,
    demo,
    detect,
    errors,
    estimate,
    export,
    forecast,
    hazard,
    ingest,
    network,
    optical,
    reference,
    run,
    status,
    submit,
    timeseries,
    train,
    verify,
)

_HELP = """Find and watch slow-moving landslides in stacks of Sentinel-1 interferograms.

First steps:

    slidecloud demo                              # simulate, run, report
    slidecloud ingest FOLDER stacks              # interferograms -> burst stack
    slidecloud run --print-config > region.yaml  # a configuration to edit
    slidecloud estimate region.yaml              # what the run will take
    slidecloud run region.yaml                   # again after any interruption
"""

_EPILOGUE = (
    "Exit codes: 0 done; 1 error; 2 wrong usage; 3 finished, some units are in quarantine; 130 interrupted. "
    "'slidecloud COMMAND --help' has examples. Results go to stdout, messages to stderr."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments
        Words after the program's name; by default those of the process.

    Returns
    -------
    int
        Exit code: 0 done, 1 error, 2 wrong usage, 3 finished with quarantined units, 130 interrupted.
    """
    return errors.guard(_program, arguments)


def _program(debug: errors.Debug) -> App:
    app = App(
        name="slidecloud",
        help=_HELP,
        help_format="markdown",
        help_epilogue=_EPILOGUE,
        version=f"slidecloud {__version__}",
        default_parameter=Parameter(negative=()),
        suppress_keyboard_interrupt=False,
    )
    for command in (
        demo.demo,
        ingest.ingest,
        network.network,
        estimate.estimate,
        run.run,
        detect.detect,
        timeseries.timeseries,
        decompose.decompose,
        classify.classify,
        hazard.hazard,
        forecast.forecast,
        optical.optical,
        submit.submit,
        submit.logs,
        submit.cancel,
        status.status,
        verify.verify,
        export.export,
        reference.reference,
        bench.bench,
        train.train,
    ):
        app.command(command)

    @app.meta.default
    def launch(
        *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
        show_traceback: Annotated[
            bool,
            Parameter(
                name="--debug",
                env_var="SLIDECLOUD_DEBUG",
                negative=(),
                show_default=False,
                help="Show the traceback of an error.",
            ),
        ] = False,
        log_format: Annotated[
            logs.Format | None,
            Parameter(env_var=logs.FORMAT, show_default=False, help="Log to stderr: plain lines, or JSON."),
        ] = None,
        log_level: Annotated[
            logs.Level | None,
            Parameter(env_var=logs.LEVEL, show_default=False, help="Log to stderr from this level on."),
        ] = None,
    ) -> int:
        debug.on = show_traceback
        if log_format or log_level:
            logs.start(log_format or "plain", log_level or "info")
        command, bound, _ = app.parse_args(tokens, exit_on_error=False, print_error=False)
        return int(command(*bound.args, **bound.kwargs) or 0)

    app.meta.suppress_keyboard_interrupt = False
    return app.meta
