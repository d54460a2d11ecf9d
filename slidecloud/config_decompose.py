"""Settings of the stage ``decompose``: how velocities of two passes are put together."""

from __future__ import annotations

from pydantic import Field

from slidecloud.config_yaml import Section


class DecomposeConfig(Section):
    """Motion east, up and down the slope from velocities of ascending and descending passes."""

    spacing: float | None = Field(
        None, gt=0, description="Metres of a pixel; null takes the coarsest of the bursts that see the ground."
    )
    worst_condition: float = Field(
        5.0, ge=1, description="Lines of sight that are more alike than this do not tell east from up."
    )
    least_sensitivity: float = Field(
        0.2, gt=0, le=1, description="Share of downslope motion that a line of sight must keep to tell of it."
    )
    least_slope: float = Field(5.0, ge=0, lt=90, description="Degrees; flatter ground has no downslope motion.")
