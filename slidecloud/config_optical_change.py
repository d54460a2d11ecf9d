"""Settings of what changed between two dates of outlines, and of what the radar says inside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic import Field, field_validator, model_validator

from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_factors import FactorConfig, GridConfig, check_terrain, each_factor
from slidecloud.config_risk import RiskFactorConfig
from slidecloud.config_yaml import Section

FILES: Final = (".parquet", ".geoparquet", ".gpkg", ".geojson", ".json", ".shp")
"""Endings that tell a file of outlines from a scene of the store."""
_OF_RUN: Final = ("los_rate", "los_displacement")


class HistogramConfig(Section):
    """Factors that outlines are counted over, on a grid of their own; as in hazard, nothing is resampled unasked."""

    grid: GridConfig = Field(description="The grid that factors and outlines are laid on.")
    factors: dict[str, FactorConfig] = Field(
        min_length=1, description="Factors by name, as in hazard: slope, altitude, NDVI, aspect, land cover."
    )
    classes: dict[str, RiskFactorConfig] = Field(
        default_factory=dict,
        description="Borders or number of classes by factor; others have eight sectors, categories, or five parts.",
    )

    @field_validator("factors", mode="before")
    @classmethod
    def _each(cls, factors: Any) -> Any:
        return each_factor(factors)

    @model_validator(mode="after")
    def _known_factors(self) -> HistogramConfig:
        for name, one in self.factors.items():
            if one.kind in _OF_RUN:
                raise ValueError(f"factors.{name} is deformation, which outlines are joined with anyway; leave it out")
            if one.kind == "density" and one.path is None:
                raise ValueError(f"factors.{name} has no path to points; give one")
        check_terrain(self.factors)
        strange = sorted(set(self.classes) - set(self.factors))
        if strange:
            raise ValueError(f"classes.{strange[0]} is no factor; expected some of {', '.join(self.factors)}")
        return self

    def resolved(self, place: Callable[[str], str]) -> HistogramConfig:
        """The same with ``place`` applied to every path."""
        return self.model_copy(update={"factors": {name: one.resolved(place) for name, one in self.factors.items()}})


class ChangeConfig(Section):
    """What changed between two dates, and what moves."""

    before: str = Field(
        description="Outlines of the earlier date: a scene of the store, or a GeoParquet, GeoPackage or GeoJSON."
    )
    after: str = Field(description="Outlines of the later date, likewise.")
    reproject: bool = Field(
        False, description="Bring files in another CRS than longitude and latitude over; false refuses them."
    )
    least_overlap: float = Field(
        0.1, gt=0, le=1, description="Share of the smaller of two outlines from which they are one landslide."
    )
    least_growth: float = Field(
        0.2, gt=0, description="Change of area, as a share of that before, beyond which a landslide grew or shrank."
    )
    most_unmapped: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Share of what is in one date alone that the other did not map, beyond which a change is unseen.",
    )
    radius: float = Field(2000.0, gt=0, description="Metres over which each outline is spread in maps of density.")
    histograms: HistogramConfig | None = Field(
        None, description="Factors of the ground that outlines are counted over; null leaves them out."
    )
    radar: ClassifyConfig | None = Field(
        None, description="How outlines are sorted by the motion inside; null takes the section classify of the run."
    )

    @model_validator(mode="after")
    def _two_dates(self) -> ChangeConfig:
        if self.before == self.after:
            raise ValueError(f"before and after are both {self.after!r}; expected outlines of two dates")
        return self

    def resolved(self, place: Callable[[str], str]) -> ChangeConfig:
        """The same with ``place`` applied to every path; names of scenes stay as they are."""
        files = {
            key: place(name) for key in ("before", "after") if (name := getattr(self, key)).lower().endswith(FILES)
        }
        sections = {
            key: None if section is None else section.resolved(place)
            for key, section in (("histograms", self.histograms), ("radar", self.radar))
        }
        return self.model_copy(update=files | sections)
