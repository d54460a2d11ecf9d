"""Settings of the stage ``classify``: how landslides are sorted by their motion, and what rain is held against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section


class ClassifyConfig(Section):
    """Stability classes of landslides, potential landslide points, and rain."""

    absolute: bool = Field(
        False, description="Sort by speed alone; false takes motion away from the satellite as descent."
    )
    remove_median: bool = Field(
        False, description="Subtract the median velocity of each burst outside all landslides from it first."
    )
    uplift: float = Field(
        0.005, gt=0, description="Velocity in m/yr towards the satellite above which the class is uplift."
    )
    least_points: int = Field(5, ge=1, description="Pixels with a velocity below which a landslide has no class.")
    least_slope: float = Field(
        5.0, ge=0, lt=90, description="Degrees; flatter ground holds no potential landslide points."
    )
    least_speed: float = Field(0.025, gt=0, description="m/yr; slower pixels are no potential landslide points.")
    masks: tuple[str, ...] = Field(
        (), description="Rasters in any CRS, above 0 where no potential points are: water, buildings, dumps, tailings."
    )
    rain: str | None = Field(
        None, description="Rain to hold against the motion: a table of a station, or a NetCDF or Zarr grid."
    )
    rain_units: Literal["mm", "cm", "m", "in"] = Field("mm", description="What a value of the rain is.")
    rain_utc_offset: float = Field(
        0.0, ge=-14, le=14, description="Hours by which the rain's clock is ahead of UTC, where its times do not say."
    )
    rain_missing: Literal["refuse", "unknown", "dry"] = Field(
        "refuse", description="Days without a value: refuse them, leave out what they touch, or take them as dry."
    )
    max_lag: int = Field(60, ge=0, description="Days after the rain up to which motion is compared with it.")
    antecedent: int = Field(15, ge=1, description="Days of rain before an acceleration that are added up.")

    @model_validator(mode="after")
    def _one_unit(self) -> ClassifyConfig:
        if self.least_speed > 1 or self.uplift > 1:
            raise ValueError(
                f"least_speed is {self.least_speed} and uplift {self.uplift}; expected metres a year such as 0.025"
            )
        return self

    def resolved(self, place: Callable[[str], str]) -> ClassifyConfig:
        """The same with ``place`` applied to every path."""
        rain = None if self.rain is None else place(self.rain)
        return self.model_copy(update={"rain": rain, "masks": tuple(place(path) for path in self.masks)})
