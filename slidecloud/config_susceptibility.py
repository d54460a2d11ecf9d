"""Settings of susceptibility: slides, absences, models, splits in space, and the way to probabilities and classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date as day
from typing import Literal

from pydantic import Field, field_validator, model_validator

from slidecloud.config_yaml import Section


class AbsencesConfig(Section):
    """Places without a slide that models learn from."""

    method: Literal["random", "buffered", "slope", "target_group", "given"] = Field(
        "random",
        description="random, buffered (apart from slides), slope (none on flat ground), target_group (where people "
        "looked) or given (the file of slides holds places without one too).",
    )
    ratio: float = Field(1.0, gt=0, description="Absences for each slide.")
    distance: float | None = Field(None, gt=0, description="Metres from every slide, for buffered.")
    slope: str = Field("slope", description="Factor of that name, for slope.")
    least_slope: float | None = Field(None, gt=0, lt=90, description="Degrees, for slope.")
    effort: str | None = Field(
        None, description="Factor that absences follow, such as disaster_density, for target_group."
    )
    column: str | None = Field(
        None, description="Column of the slides that is true or 1 for a slide and false or 0 for none, for given."
    )

    @model_validator(mode="after")
    def _what_the_method_needs(self) -> AbsencesConfig:
        needs = {
            "buffered": "distance", "slope": "least_slope", "target_group": "effort", "given": "column",
        }.get(self.method)  # fmt: skip
        for name in ("distance", "least_slope", "effort", "column"):
            given = getattr(self, name) is not None
            if given != (name == needs):
                raise ValueError(
                    f"{name} is {getattr(self, name)} with the method {self.method}; "
                    f"expected {'it' if name == needs else 'none'}"
                )
        return self


class SplitsConfig(Section):
    """Cross-validation in space."""

    method: Literal["kmeans", "blocks", "regions"] = Field(
        "kmeans", description="kmeans (compact groups), blocks (squares) or regions (each left out once)."
    )
    number: int = Field(5, ge=2, description="Folds of a repeat.")
    repeats: int = Field(10, ge=1, description="Times it is done anew.")
    buffer: float | Literal["variogram"] = Field(
        0.0, description="Metres around the test that are not learnt from, or 'variogram': the range of the residuals."
    )
    block: float | None = Field(None, gt=0, description="Side of the blocks in metres.")
    region: str | None = Field(None, description="Factor, a category, whose values are the regions.")
    optimistic: bool = Field(True, description="Show beside it what a split of chance would have promised.")

    @field_validator("buffer")
    @classmethod
    def _not_negative(cls, buffer: float | str) -> float | str:
        if isinstance(buffer, float) and not buffer >= 0:
            raise ValueError(f"buffer is {buffer}; expected metres from 0, or variogram")
        return buffer

    @model_validator(mode="after")
    def _what_the_method_needs(self) -> SplitsConfig:
        for name, method in (("block", "blocks"), ("region", "regions")):
            if (getattr(self, name) is None) == (self.method == method):
                raise ValueError(
                    f"{name} is {getattr(self, name)} with the method {self.method}; expected it for {method}, and for "
                    "no other"
                )
        return self


class SusceptibilityConfig(Section):
    """Where ground is likely to slide."""

    slides: str | None = Field(
        None,
        description="Points or polygons of slides: GeoPackage, GeoParquet, GeoJSON, or CSV with coordinates and crs; "
        "null takes the inventory of the run, which is undated.",
    )
    layer: str | None = Field(None, description="Layer of a GeoPackage; may be left out where it has one.")
    coordinates: tuple[str, str] | None = Field(None, description="Columns of a CSV with x and y, such as [lon, lat].")
    crs: str | None = Field(None, description="Coordinate reference system of a CSV, such as EPSG:4326.")
    reproject: bool = Field(False, description="Bring slides from another CRS to the grid's; false refuses other CRSs.")
    date: str | None = Field(None, description="Column of the slides with the day they happened, as 2021-06-30.")
    polygons: Literal["centroid", "cells"] = Field(
        "centroid",
        description="What is learnt of a polygon: the cell of its centre (the others are neither slide nor absence), "
        "or all cells whose centres it holds.",
    )
    on: Literal["cells", "units"] = Field("cells", description="cells (of the grid) or units (slope units).")
    models: tuple[Literal["logistic", "forest", "lightgbm", "xgboost"], ...] = Field(
        ("logistic", "forest", "lightgbm"), min_length=1, description="logistic, forest, lightgbm, xgboost."
    )
    factors: tuple[str, ...] = Field(
        (), description="Factors to learn from; none named takes all of the grid but splits.region."
    )
    deformation: tuple[str, ...] = Field(
        (), description="Those of them that are made from deformation series: models are made without and with them."
    )
    series_end: day | None = Field(
        None, description="Last day of these series; null takes that of the run's, which alone know theirs."
    )
    circular: tuple[str, ...] = Field(
        (), description="Those of another kind than aspect that are directions, in degrees or rad."
    )
    older_slides: Literal["refuse", "drop", "allow"] = Field(
        "refuse",
        description="refuse, drop or allow slides that are not younger than the end of their deformation series.",
    )
    absences: AbsencesConfig = Field(default_factory=AbsencesConfig, description="Places without a slide.")
    splits: SplitsConfig = Field(default_factory=SplitsConfig, description="Cross-validation in space.")
    tuned: bool = Field(False, description="Choose parameters inside each training, by groups of places.")
    true_share: float | None = Field(
        None, gt=0, lt=1, description="Share of cells with a slide; null counts them, which needs a whole inventory."
    )
    calibration: Literal["logistic", "isotonic", "none"] = Field(
        "logistic", description="logistic, isotonic (for thousands of places) or none, on held-out space."
    )
    classes: Literal["probability", "area"] = Field(
        "probability",
        description="Whether borders are of the probability, or, with area, of the share of the area below.",
    )
    borders: tuple[float, float, float, float] = Field((0.2, 0.4, 0.6, 0.8), description="Borders of the five classes.")
    block: float | None = Field(
        None, gt=0, description="Metres of the blocks of the bootstrap; null takes the range of the variogram."
    )
    draws: int = Field(1000, ge=100, description="Draws of blocks for the intervals.")
    seed: int = Field(0, ge=0, description="Seed of all draws.")

    @field_validator("borders")
    @classmethod
    def _rising(cls, borders: tuple[float, ...]) -> tuple[float, ...]:
        if list(borders) != sorted(set(borders)) or not 0 < borders[0] <= borders[-1] < 1:
            raise ValueError(f"borders are {list(borders)}; expected four rising numbers between 0 and 1")
        return borders

    @field_validator("models", "factors", "deformation", "circular")
    @classmethod
    def _once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(names)) < len(names):
            raise ValueError(f"found {', '.join(names)}; expected each once")
        return names

    @model_validator(mode="after")
    def _factors_go_together(self) -> SusceptibilityConfig:
        if self.splits.region is not None and self.splits.region in self.factors:
            raise ValueError(
                f"splits.region is {self.splits.region}, which is among factors: a region left out would be one that "
                "no model has met; take it from factors"
            )
        if self.absences.method == "given" and (self.slides is None or self.true_share is None):
            raise ValueError(
                "absences are given, which needs slides (a file that holds both) and true_share: nobody else knows how "
                "much ground the absences stand for; 0.5 leaves probabilities relative"
            )
        if (self.coordinates is None) != (self.crs is None):
            raise ValueError("coordinates and crs belong together: both for a CSV, none for other files")
        stray = [name for name in self.deformation if self.factors and name not in self.factors]
        if stray:
            raise ValueError(f"deformation names {', '.join(stray)}, not among factors; add it there")
        if self.factors and set(self.factors) == set(self.deformation):
            raise ValueError("factors are all deformation; expected some without, to learn a model without it")
        return self

    def names(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Factors to learn from, of those there are."""
        return self.factors or tuple(name for name in columns if name != self.splits.region)

    def needed(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Factors that must be known where a place is drawn: those, and its region."""
        region = self.splits.region
        return self.names(columns) if region is None else (*self.names(columns), region)

    def named(self) -> dict[str, tuple[str, ...]]:
        """Factors that are named, by the key that names them."""
        absences = self.absences
        given = {
            "factors": self.factors,
            "deformation": self.deformation,
            "circular": self.circular,
            "splits.region": (self.splits.region,),
            "absences.effort": (absences.effort,),
            "absences.slope": (absences.slope,) if absences.method == "slope" else (),
        }
        return {key: tuple(name for name in names if name is not None) for key, names in given.items()}

    def resolved(self, place: Callable[[str], str]) -> SusceptibilityConfig:
        """The same with ``place`` applied to every path."""
        return self.model_copy(update={"slides": None if self.slides is None else place(self.slides)})
