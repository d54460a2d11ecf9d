"""Settings of the factors of hazard: one grid, and what each factor is made from."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section, checked

Kind = Literal[
    "raster", "category", "slope", "aspect", "profile_curvature", "plan_curvature", "tangential_curvature", "relief",
    "distance", "density", "los_rate", "los_displacement",
]  # fmt: skip
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""Name of a factor: it becomes that of an array."""


class _Keys(NamedTuple):
    """Keys that a kind needs, and those that it may have beside ``kind``."""

    needed: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


_TERRAIN: Final = _Keys(others=("of",))
_RUN: Final = _Keys(others=("track", "resampling"))
KEYS: Final[dict[str, _Keys]] = {
    "raster": _Keys(("path",), ("variable", "resampling", "units", "long_name")),
    "category": _Keys(("path",), ("variable", "resampling", "layer", "column", "reproject", "classes", "long_name")),
    **dict.fromkeys(("slope", "aspect", "profile_curvature", "plan_curvature", "tangential_curvature"), _TERRAIN),
    "relief": _Keys(("window",), ("of",)),
    "distance": _Keys(("path",), ("layer", "reproject", "long_name")),
    "density": _Keys(("radius",), ("path", "layer", "reproject", "long_name")),
    "los_rate": _RUN,
    "los_displacement": _Keys(others=(*_RUN.others, "until")),
}


class GridConfig(Section):
    """The one grid that all factors lie on."""

    crs: str = Field(description="Projected coordinate reference system in metres, such as EPSG:32648.")
    spacing: float = Field(gt=0, description="Metres of a pixel.")
    bounds: tuple[float, float, float, float] = Field(
        description="West, south, east and north border in metres of the CRS, whole pixels apart."
    )

    @model_validator(mode="after")
    def _whole_pixels(self) -> GridConfig:
        west, south, east, north = self.bounds
        if not all(map(math.isfinite, self.bounds)) or east <= west or north <= south:
            raise ValueError(f"bounds are {list(self.bounds)}; expected west < east and south < north, in metres")
        for low, high, names in ((west, east, "west to east"), (south, north, "south to north")):
            pixels = (high - low) / self.spacing
            if abs(pixels - round(pixels)) > 1e-6 * max(1.0, pixels):
                raise ValueError(
                    f"bounds span {high - low:g} m from {names}, {pixels:.3f} pixels of {self.spacing:g} m; expected "
                    f"whole ones, such as {low:g} to {low + math.ceil(pixels) * self.spacing:g}"
                )
        return self


class FactorConfig(Section):
    """What a factor is and what it is made from; which keys it takes depends on its kind."""

    kind: Kind = Field(description="What it is; may be left out where the factor has the name of a kind.")
    path: str | None = Field(
        None, description="GeoTIFF (.tif), Zarr (.zarr), GeoPackage (.gpkg), GeoParquet (.parquet) or GeoJSON."
    )
    variable: str | None = Field(None, description="Array of a Zarr store; may be left out where it has one map.")
    layer: str | None = Field(None, description="Layer of a GeoPackage; may be left out where it has one.")
    column: str | None = Field(None, description="Column of polygons that holds their category.")
    resampling: Literal["nearest", "linear"] | None = Field(
        None,
        description="How a map on another grid is brought to this one: nearest, or linear (the mean over a pixel where "
        "the map is finer). Null takes maps on this grid alone, and refuses others.",
    )
    reproject: bool = Field(
        False, description="Bring geometries from another CRS to the grid's; false refuses other CRSs."
    )
    units: str = Field("1", description="Units of the values of a map.")
    long_name: str | None = Field(None, description="What it is, for people.")
    classes: dict[int, str] | None = Field(None, description="Names of the categories of a map by their number.")
    of: str = Field("elevation", description="Factor of kind raster that terrain is computed from, metres.")
    window: float | None = Field(None, gt=0, description="Metres of the window that relief is taken over.")
    radius: float | None = Field(None, gt=0, description="Metres over which each point of a density is spread.")
    track: str | None = Field(
        None, description="Pass and orbit, such as 'ascending 026'; null takes the only track of a run."
    )
    until: date | None = Field(
        None, description="Last day of deformation that counts: before the slides that a model learns from."
    )

    @model_validator(mode="after")
    def _keys_of_kind(self) -> FactorConfig:
        keys = KEYS[self.kind]
        unused = sorted(self.model_fields_set - {"kind", *keys.needed, *keys.others})
        if unused:
            known = ", ".join((*keys.needed, *keys.others))
            raise ValueError(f"{unused[0]} means nothing to the kind {self.kind}, which takes {known}")
        lacking = [name for name in keys.needed if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"{lacking[0]} is missing, which the kind {self.kind} needs; add it")
        if self.kind == "category" and self.resampling == "linear":
            raise ValueError("resampling is 'linear', and there is nothing between two categories; give 'nearest'")
        return self

    def is_made_of(self, slides: str | None, *, layer: str | None = None) -> bool:
        """Whether its source is this file, or the inventory of the run where there is none; layers of one file differ.

        A layer that is not named is the only one.
        """
        named = None not in (self.layer, layer)
        keys = KEYS[self.kind]
        return "path" in (*keys.needed, *keys.others) and self.path == slides and not (named and self.layer != layer)

    def resolved(self, place: Callable[[str], str]) -> FactorConfig:
        """The same with ``place`` applied to its path."""
        return self if self.path is None else self.model_copy(update={"path": place(self.path)})


def each_factor(factors: Any) -> Any:
    """Factors by name, each read by itself, so that what is wrong with one is told in its own words.

    A factor that has the name of a kind need not say it.
    """
    if not isinstance(factors, Mapping):
        return factors
    return {str(name): _factor(str(name), given) for name, given in factors.items()}


def check_terrain(factors: Mapping[str, FactorConfig]) -> None:
    """Raise ValueError where the ground that a factor is computed from is not there, or has stairs."""
    for name, factor in factors.items():
        if "of" not in KEYS[factor.kind].others:
            continue
        source = factors.get(factor.of)
        if source is None or source.kind != "raster":
            raise ValueError(
                f"factors.{name} is computed from {factor.of!r}, which is no factor of kind raster; add it, or name "
                "another with the key 'of'"
            )
        if source.resampling == "nearest":
            raise ValueError(
                f"factors.{factor.of}.resampling is 'nearest', which makes stairs of the ground that {name} is "
                "computed from; give 'linear'"
            )


def _factor(name: str, given: Any) -> FactorConfig:
    if isinstance(given, FactorConfig):
        return given
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a factor; expected lower-case letters, digits and underscores")
    content = {} if given is None else given
    if not isinstance(content, Mapping):
        raise ValueError(f"{name} is {given!r}; expected keys and values such as 'path: dem.tif'")
    whole = {"kind": name, **content} if name in get_args(Kind) else content
    return checked(FactorConfig, f"{name}: ", whole)
