"""Settings of what is taken off displacement because the atmosphere, or an orbit, made it."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import Field

from slidecloud.config_yaml import Section


class AtmosphereConfig(Section):
    """Corrections of each date of a patch; each is kept only where it lessens the scatter of still ground."""

    gacos: str | None = Field(None, description="Folder of GACOS delays (YYYYMMDD.ztd with .rsc, or .ztd.tif).")
    height: bool = Field(False, description="Take off what is linear in elevation; needs relief in the patch.")
    ramp: bool = Field(False, description="Take off a plane.")
    filter: bool = Field(
        False, description="Also make displacement_filtered: without what is smooth in space and quick in time."
    )
    filter_metres: float = Field(
        1000.0, gt=0, description="Standard deviation in metres of the filter's Gaussian in space."
    )
    filter_years: float = Field(
        0.2, gt=0, description="Standard deviation in years of the filter's Gaussian in time; quicker motion is lost."
    )

    @property
    def corrects(self) -> bool:
        """Whether anything is taken off before pairs are inverted."""
        return self.gacos is not None or self.height or self.ramp

    @property
    def wanted(self) -> bool:
        """Whether anything is done at all."""
        return self.corrects or self.filter

    def resolved(self, place: Callable[[str], str]) -> AtmosphereConfig:
        """The same with ``place`` applied to the folder."""
        return self if self.gacos is None else self.model_copy(update={"gacos": place(self.gacos)})
