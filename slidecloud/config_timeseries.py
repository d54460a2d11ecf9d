"""Settings of the stages ``unwrap`` and ``timeseries``: where displacement is wanted, from what, against what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from slidecloud.config_atmosphere import AtmosphereConfig
from slidecloud.config_trajectory import TrajectoryConfig
from slidecloud.config_yaml import Section


class ReferenceConfig(Section):
    """What displacement is relative to."""

    kind: Literal["stable", "point", "area", "series"] = Field(
        "stable", description="stable (the least-moving pixels), point, area, or series (of a point, from a table)."
    )
    fraction: float = Field(0.05, gt=0, le=0.5, description="Share of pixels that make the stable area.")
    point: tuple[float, float] | None = Field(
        None, description="[longitude, latitude] in degrees, for kind point or series."
    )
    area: tuple[float, float, float, float] | None = Field(
        None, description="[west, south, east, north] in degrees, for kind area."
    )
    series: str | None = Field(
        None,
        description="Table of how the point moves, for kind series: CSV or Parquet with date, displacement (m along "
        "the line of sight, towards the satellite) and, if known, sigma.",
    )

    @model_validator(mode="after")
    def _complete(self) -> ReferenceConfig:
        kinds = {"point": ("point", "series"), "area": ("area",), "series": ("series",)}
        for name, fitting in kinds.items():
            value = getattr(self, name)
            if (self.kind in fitting) != (value is not None):
                words = " or ".join(repr(kind) for kind in fitting)
                raise ValueError(
                    f"reference kind is {self.kind!r} and {name} is {value}; give {name} with kind {words} only"
                )
        if self.point is not None and not (abs(self.point[0]) <= 180 and abs(self.point[1]) <= 90):
            raise ValueError(f"point is {list(self.point)}; expected [longitude, latitude] in degrees")
        if self.area is not None:
            west, south, east, north = self.area
            if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
                raise ValueError(f"area is {list(self.area)}; expected [west, south, east, north] in degrees")
        return self

    def resolved(self, place: Callable[[str], str]) -> ReferenceConfig:
        """The same with ``place`` applied to the path of the table."""
        return self if self.series is None else self.model_copy(update={"series": place(self.series)})


class TimeseriesConfig(Section):
    """Unwrapping and SBAS inversion."""

    WORDS: ClassVar = ("auto", "detections", "everywhere")
    """What ``where`` may be beside a file."""
    SHAPES: ClassVar = (".geojson", ".json", ".gpkg", ".shp", ".parquet", ".kml", ".fgb")

    where: str = Field(
        "auto",
        description="detections (patches around what detect found), everywhere (whole bursts), or a file of polygons; "
        "auto is detections where the stage detect runs, else everywhere.",
    )
    halo: float = Field(1500.0, ge=0, description="Metres of ground around detections or polygons in their patch.")
    phase: Literal["auto", "stored", "unwrap"] = Field(
        "auto",
        description="stored (the stack's unwrapped phase), unwrap (its wrapped phase), or auto: stored where the stack "
        "has it.",
    )
    unwrapper: Literal["whirlwind", "snaphu"] = Field(
        "whirlwind", description="whirlwind, or snaphu (needs the extra 'snaphu', which has non-commercial parts)."
    )
    goldstein: float = Field(
        0.0, ge=0, le=1, description="Goldstein filter before unwrapping, 0 (none) to 1; the residual is put back."
    )
    edit: bool = Field(
        True,
        description="Leave out pairs of patches that the other pairs contradict and no loop mends, and say which.",
    )
    integrate: bool = Field(
        True, description="Also make velocity_integrated of patches, from gradients, without unwrapping."
    )
    recovered: bool = Field(
        True,
        description="Measure how much of a known slide the velocities of a patch give back; unwraps up to twice as "
        "much.",
    )
    reference: ReferenceConfig = Field(default_factory=ReferenceConfig, description="Reference of displacement.")
    atmosphere: AtmosphereConfig = Field(
        default_factory=AtmosphereConfig, description="What is taken off because the atmosphere made it; all is off."
    )
    trajectory: TrajectoryConfig = Field(
        default_factory=TrajectoryConfig, description="Models of motion beside the velocity; all is off."
    )
    min_coherence: float = Field(0.0, ge=0, lt=1, description="Coherence below which a pixel of a pair is not used.")
    minimum_norm: bool = Field(
        False, description="Bridge gaps by minimum-norm velocity instead of one offset per subset."
    )
    robust: bool = Field(False, description="L1 norm by iterative reweighting instead of least squares.")

    @field_validator("where")
    @classmethod
    def _known_place(cls, where: str) -> str:
        if where not in cls.WORDS and PurePath(where).suffix.lower() not in cls.SHAPES:
            raise ValueError(
                f"where is {where!r}; expected {', '.join(cls.WORDS)}, or a file of polygons ({', '.join(cls.SHAPES)})"
            )
        return where

    def resolved(self, place: Callable[[str], str]) -> TimeseriesConfig:
        """The same with ``place`` applied to the paths of files."""
        changes: dict[str, Any] = {
            "atmosphere": self.atmosphere.resolved(place),
            "reference": self.reference.resolved(place),
        }
        if self.where not in self.WORDS:
            changes["where"] = place(self.where)
        return self.model_copy(update=changes)
