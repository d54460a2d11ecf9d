"""How air is taken out of the displacement of a run before its points are forecast."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from slidecloud.config_yaml import Section


class DemixConfig(Section):
    """Displacement of a run less the air that its points share with the ground around them."""

    components: int | None = Field(
        None, ge=1, description="Independent components of a map; null takes those above its noise."
    )
    around: int = Field(1000, ge=50, description="Most pixels, spread over a map, that are looked at with its points.")
    season: Literal["keep", "remove"] = Field(
        "keep", description="Waves of a year and half a year: keep them, as rain and level may drive them, or remove."
    )
