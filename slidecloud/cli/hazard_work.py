"""What the commands of hazard share: a configuration with the resources that are given, and a stage on its executor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from slidecloud.cli.console import progress, say, show
from slidecloud.cli.run import on_executor, replaced, tell

if TYPE_CHECKING:
    from slidecloud.config_hazard import HazardConfig

Made = TypeVar("Made")


def settings_of(config: Path, **resources: Any) -> HazardConfig:
    """A configuration, with resources that are given, and not None, in place of its own."""
    from slidecloud.config_hazard import load

    loaded = load(config)
    return loaded.model_copy(update={"resources": replaced(loaded.resources, resources)})


def performed(
    stage: Callable[..., Made], config: HazardConfig, *, retry_quarantined: bool = False, takeover: bool = False
) -> Made:
    """What a stage gives on the executor that its configuration names."""
    with on_executor(config.resources) as opened:
        return stage(
            config, executor=opened, progress=progress(), retry_quarantined=retry_quarantined, takeover=takeover
        )


def mapped(
    stage: Callable[..., Any],
    config: HazardConfig,
    name: str,
    *,
    lines: Callable[[Any], list[str]],
    written: Callable[[HazardConfig, Any, Path], Path],
    report: Path | None,
    retry_quarantined: bool,
    takeover: bool,
) -> int:
    """Perform a stage that makes maps, tell its figures and what speaks against them, and write its page.

    Returns
    -------
    int
        The exit code. Nothing is told of maps that tiles in quarantine kept from being made.
    """
    summary, result = performed(stage, config, retry_quarantined=retry_quarantined, takeover=takeover)
    tell(summary)
    if result is not None:
        show(lines(result))
        for caveat in result.caveats:
            say(caveat, style="yellow")
        say(f"{name.capitalize()}: {config.place}/hazard/{name}")
        if report is not None:
            say(f"Report: {written(config, result, report)}")
    code: int = summary.exit_code
    return code
