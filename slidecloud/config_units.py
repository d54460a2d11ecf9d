"""Settings of mapping units: how the ground is cut into slope units."""

from __future__ import annotations

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section


class UnitsConfig(Section):
    """Slope units, cut along streams until each faces one way."""

    elevation: str = Field("elevation", description="Factor that holds the elevation, m.")
    first_stream: float = Field(
        5e6, gt=0, description="m2 that drain through the lower end of the coarsest streams; basins are cut by these."
    )
    reduction: float = Field(2.0, gt=1, le=100, description="By how much streams shrink from one step to the next.")
    least_area: float = Field(
        50e3, gt=0, description="m2; smaller units join the neighbour that faces most like them, where spread allows."
    )
    largest_area: float = Field(1e6, gt=0, description="m2 that no unit exceeds.")
    spread: float = Field(
        0.3, ge=0.035, le=1, description="Circular variance of smoothed aspects that no unit exceeds: 0 faces one way."
    )
    smoothing: float | None = Field(
        None,
        ge=0,
        le=10e3,
        description="m, standard deviation of the Gaussian that slopes are averaged over before their aspects are "
        "taken; null: as wide as steadies them like the mean over least_area; 0: each cell by itself.",
    )
    flat: float = Field(2.0, ge=0, lt=90, description="Degrees; flatter ground has no aspect that counts.")

    @model_validator(mode="after")
    def _ordered(self) -> UnitsConfig:
        if not 2 * self.least_area <= self.largest_area:
            raise ValueError(
                f"least_area is {self.least_area:g} and largest_area {self.largest_area:g}; expected at least twice as "
                "much, or small units have none to join"
            )
        if self.first_stream < self.least_area:
            raise ValueError(
                f"first_stream is {self.first_stream:g} and least_area {self.least_area:g}; expected streams that "
                "drain more than a unit"
            )
        return self
