"""Settings of the models of motion that are fitted to displacement series."""

from __future__ import annotations

import datetime

from pydantic import Field, field_validator

from slidecloud.config_yaml import Section


class TrajectoryConfig(Section):
    """Terms of motion beside the velocity, fitted to every series together with a trend; may be changed at any time."""

    seasonal: bool = Field(False, description="Fit an annual motion; wants more than a year of dates.")
    acceleration: bool = Field(False, description="Fit an acceleration.")
    breaks: tuple[datetime.date, ...] = Field(
        (), description="Days at which the ground may have stepped, such as those of earthquakes: [2023-12-18]."
    )
    bootstrap: int = Field(
        0,
        ge=0,
        description="Draws of dates for bootstrap_sigma, a check of velocity_sigma; 0 makes none, 100 are enough.",
    )

    @field_validator("breaks")
    @classmethod
    def _in_order(cls, breaks: tuple[datetime.date, ...]) -> tuple[datetime.date, ...]:
        if list(breaks) != sorted(set(breaks)):
            raise ValueError(f"breaks are {', '.join(map(str, breaks))}; expected days in order, each once")
        return breaks

    @field_validator("bootstrap")
    @classmethod
    def _enough(cls, draws: int) -> int:
        if draws == 1:
            raise ValueError("bootstrap is 1 draw; expected at least 2, or 0 for none")
        return draws

    @property
    def fits(self) -> bool:
        """Whether a model is fitted."""
        return self.seasonal or self.acceleration or bool(self.breaks)

    @property
    def wanted(self) -> bool:
        """Whether anything is done at all."""
        return self.fits or self.bootstrap > 0
