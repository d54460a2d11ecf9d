"""What the commands of hazard share: a configuration with the resources that are given, and a stage on its executor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from slidecloud.cli.console import progress
from slidecloud.cli.run import on_executor, replaced

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
