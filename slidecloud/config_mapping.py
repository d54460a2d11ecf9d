"""What a plain Zarr or NetCDF stack holds: which variable is what, in which unit, with which sign."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section

EXAMPLE = """\
phase: {unwrapped: unw, wrapped: ifg, unit: rad, positive: away}
coherence: {variable: coh}
pairs: {reference: ref_date, secondary: sec_date, time_of_day: "05:50:35"}
view: {wavelength: 0.0554658, heading: -12.3, incidence: inc}
"""
"""A mapping as short as it gets."""


class PhaseMapping(Section):
    """Variables of phase (pair, y, x): at least one."""

    wrapped: str | None = Field(None, description="Variable of wrapped phase, or of complex interferograms.")
    unwrapped: str | None = Field(None, description="Variable of unwrapped phase.")
    unit: Literal["rad", "cycles"] = Field("rad", description="rad or cycles.")
    positive: Literal["away", "towards"] = Field(
        "away", description="Motion from the reference to the secondary date that makes phase grow: away or towards."
    )
    zero_is_nodata: bool = Field(False, description="Whether a phase of exactly 0 means no data.")

    @model_validator(mode="after")
    def _one_of_them(self) -> PhaseMapping:
        if self.wrapped is None and self.unwrapped is None:
            raise ValueError("neither wrapped nor unwrapped is given; name at least one variable")
        return self


class CoherenceMapping(Section):
    """The variable of coherence (pair, y, x)."""

    variable: str = Field(description="Variable of coherence; 0 or not finite is no data.")
    maximum: float = Field(1.0, gt=0, description="Value of full coherence, such as 1 or 255.")


class PairsMapping(Section):
    """The dates of pairs: two variables, or one of names."""

    reference: str | None = Field(None, description="Variable of the earlier dates.")
    secondary: str | None = Field(None, description="Variable of the later dates.")
    names: str | None = Field(None, description="Variable of texts YYYYMMDD_YYYYMMDD, instead of the two.")
    perpendicular_baseline: str | None = Field(None, description="Variable of baselines, metres.")
    time_of_day: str | None = Field(
        None, pattern=r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$", description="HH:MM:SS (UTC) where dates are days."
    )

    @model_validator(mode="after")
    def _either(self) -> PairsMapping:
        given = [part is not None for part in (self.reference, self.secondary, self.names)]
        if given not in ([True, True, False], [False, False, True]):
            raise ValueError("give reference and secondary, or names alone")
        return self


class ViewMapping(Section):
    """How the radar saw the scene."""

    wavelength: float = Field(gt=0.005, lt=1.5, description="Metres.")
    heading: float | None = Field(None, description="Degrees clockwise from north; null: from los_east and so on.")
    look_direction: Literal["right", "left"] = Field("right", description="right or left.")
    incidence: str | float | None = Field(None, description="Variable, or one number, from the vertical.")
    unit: Literal["degrees", "rad"] = Field("degrees", description="Unit of incidence.")
    los_east: str | None = Field(None, description="Variable: look vector to the satellite, east; all three or none.")
    los_north: str | None = Field(None, description="The same, north.")
    los_up: str | None = Field(None, description="The same, up.")
    slant_range: float | None = Field(None, gt=0, description="Metres to the middle of the scene.")
    looks: tuple[int, int] = Field((1, 1), description="[azimuth, range] looks.")
    effective_looks: float | None = Field(None, ge=1, description="Independent looks; null takes half of the looks.")
    spacing: tuple[float, float] | None = Field(None, description="Metres along [y, x], for radar geometry alone.")

    @model_validator(mode="after")
    def _complete(self) -> ViewMapping:
        given = [part is not None for part in (self.los_east, self.los_north, self.los_up)]
        if any(given) and not all(given):
            raise ValueError("los_east, los_north and los_up belong together; give all three or none")
        if self.heading is None and not all(given):
            raise ValueError("heading is missing; give it, or the look vectors los_east, los_north, los_up")
        if self.spacing is not None and min(self.spacing) <= 0:
            raise ValueError(f"spacing is {list(self.spacing)}; expected metres above 0")
        if min(self.looks) < 1:
            raise ValueError(f"looks are {list(self.looks)}; expected at least 1 along each axis")
        return self


class AxesMapping(Section):
    """Names of the dimensions."""

    pair: str = Field("pair", description="Dimension of pairs.")
    y: str = Field("y", description="Dimension of rows; its coordinates are those of pixel centres.")
    x: str = Field("x", description="Dimension of columns.")


class MapsMapping(Section):
    """Variables (y, x) that do not change."""

    elevation: str | None = Field(None, description="Metres.")
    latitude: str | None = Field(None, description="Degrees, for radar geometry.")
    longitude: str | None = Field(None, description="Degrees, for radar geometry.")


class MappingConfig(Section):
    """A plain Zarr or NetCDF stack."""

    phase: PhaseMapping = Field(description="Variables of phase.")
    coherence: CoherenceMapping = Field(description="Variable of coherence.")
    pairs: PairsMapping = Field(description="Dates of pairs.")
    view: ViewMapping = Field(description="How the radar saw the scene.")
    axes: AxesMapping = Field(default_factory=AxesMapping, description="Names of dimensions.")
    maps: MapsMapping = Field(default_factory=MapsMapping, description="Variables that do not change.")
    geometry: Literal["map", "radar"] = Field("map", description="map, or radar (y azimuth, x range).")
    crs: str | None = Field(None, description="Such as EPSG:32633; null takes it from the file.")
    filtered: bool = Field(False, description="Whether the phase was filtered before.")
    source: str = Field("plain stack", description="Where it comes from, for the record.")

    @model_validator(mode="after")
    def _spacing_of_radar(self) -> MappingConfig:
        if (self.geometry == "radar") != (self.view.spacing is not None):
            raise ValueError("view.spacing belongs to geometry 'radar', and only to it; a map has coordinates")
        return self
