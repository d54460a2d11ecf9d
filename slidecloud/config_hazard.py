"""The one YAML of hazard: a run or a store, one grid, and a section for each part; strict, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator, model_validator

from slidecloud.config_factors import FactorConfig, GridConfig, check_terrain, each_factor
from slidecloud.config_resources import ResourcesConfig
from slidecloud.config_risk import RiskConfig, RiskFactorConfig
from slidecloud.config_susceptibility import SusceptibilityConfig
from slidecloud.config_units import UnitsConfig
from slidecloud.config_yaml import Section, beside, checked, opened, parsed
from slidecloud.secrets import refuse_secrets

_TAKEN = ("x", "y", "spatial_ref")
"""Arrays of every group with a grid."""
_COLUMNS = ("place", "slide", "date", "rank", "geometry")
"""Columns of the places that susceptibility learns from, beside their factors, x and y."""


class HazardConfig(Section):
    """Everything that hazard needs."""

    run: str | None = Field(
        None, description="Run store whose inventory and series are used, and which 'hazard' is written into."
    )
    store: str | None = Field(None, description="Store to write in place of a run: a folder or URL of its own.")
    grid: GridConfig = Field(description="The one grid that all factors lie on.")
    factors: dict[str, FactorConfig] = Field(min_length=1, description="Factors by name.")
    units: UnitsConfig = Field(default_factory=UnitsConfig, description="How the ground is cut into slope units.")
    susceptibility: SusceptibilityConfig | None = Field(
        None, description="Where ground is likely to slide, learnt from slides; null leaves it out."
    )
    risk: RiskConfig | None = Field(None, description="Weighted information values of factors, in four levels.")
    resources: ResourcesConfig = Field(
        default_factory=ResourcesConfig, description="Executor, workers, memory; no influence on results."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the object store; secrets as env:NAME or by profile only."
    )

    @field_validator("factors", mode="before")
    @classmethod
    def _each(cls, factors: Any) -> Any:
        return each_factor(factors)

    @field_validator("risk", mode="before")
    @classmethod
    def _of_risk(cls, section: Any) -> Any:
        """The section by itself: its factors are known by names that no model lists."""
        if not _maps(section):
            return section
        given = section.get("factors")
        if _maps(given):
            each = {str(name): checked(RiskFactorConfig, f"factors.{name}: ", one or {}) for name, one in given.items()}
            section = {**section, "factors": each}
        return checked(RiskConfig, "", section)

    @field_validator("susceptibility", mode="before")
    @classmethod
    def _of_susceptibility(cls, section: Any) -> Any:
        return checked(SusceptibilityConfig, "", section) if _maps(section) else section

    @field_validator("storage_options")
    @classmethod
    def _no_secret(cls, options: dict[str, Any]) -> dict[str, Any]:
        refuse_secrets(options)
        return options

    @model_validator(mode="after")
    def _whole(self) -> HazardConfig:
        if (self.run is None) == (self.store is None):
            raise ValueError("expected one of run (a run store) and store (a store of its own), and not both")
        for name, factor in self.factors.items():
            if name in _TAKEN or (name.endswith("_sigma") and name.removesuffix("_sigma") in self.factors):
                raise ValueError(f"factors.{name} has the name of another array; give it another name")
            if factor.kind in ("los_rate", "los_displacement") and self.run is None:
                raise ValueError(f"factors.{name} is deformation, which comes from a run; give the key run")
            if factor.kind == "density" and factor.path is None and self.run is None:
                raise ValueError(f"factors.{name} has no path to points, and there is no run with an inventory")
        check_terrain(self.factors)
        self._sections()
        return self

    def _sections(self) -> None:
        """Sections name factors that there are, and have slides from somewhere."""
        named: dict[str, tuple[str, ...]] = {}
        if self.risk is not None:
            named["risk.factors"] = tuple(self.risk.factors)
        if self.susceptibility is not None:
            named |= {f"susceptibility.{key}": names for key, names in self.susceptibility.named().items()}
        for key, names in named.items():
            strange = sorted(set(names) - set(self.factors))
            if strange:
                raise ValueError(f"{key}: {strange[0]} is no factor; expected some of {', '.join(self.factors)}")
        if self.susceptibility is not None:
            self._learnt_from(self.susceptibility)
        if self.run is None:
            for key, lacks in (
                ("risk.points", self.risk is not None and self.risk.points is None),
                ("susceptibility.slides", self.susceptibility is not None and self.susceptibility.slides is None),
            ):
                if lacks:
                    raise ValueError(f"{key} is missing, and there is no run with an inventory; give one of them")

    def _learnt_from(self, wanted: SusceptibilityConfig) -> None:
        """Factors are taken for what they are."""
        taken = sorted(set(self.factors) & set(_COLUMNS))
        if taken:
            raise ValueError(
                f"factors.{taken[0]} has the name of a column of the places that susceptibility learns from; give it "
                "another name"
            )
        for name in wanted.circular:
            if wanted.on == "units" and (kind := self.factors[name].kind) != "aspect":
                raise ValueError(
                    f"susceptibility.circular names {name}, of kind {kind}, of which units hold the mean, and the mean "
                    "of 350 and 10 degrees is no direction; take the kind aspect, or 'on: cells'"
                )
        region = wanted.splits.region
        if region is not None and (kind := self.factors[region].kind) != "category":
            raise ValueError(
                f"susceptibility.splits.region is {region}, of kind {kind}; expected a factor of kind category, such "
                "as counties by their number"
            )

    @property
    def place(self) -> str:
        """The store that is written."""
        return self.run or self.store or ""


def _maps(found: Any) -> bool:
    return isinstance(found, Mapping)


def load(path: str | Path) -> HazardConfig:
    """Read a configuration from a YAML file; relative paths are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    text, base = opened(path, what="configuration", command="slidecloud hazard factors --print-config > hazard.yaml")
    config = parse(text, name=str(path))

    def placed(path: str) -> str:
        return beside(base, path)

    found: dict[str, Any] = {"factors": {name: one.resolved(placed) for name, one in config.factors.items()}}
    for name in ("susceptibility", "risk"):
        section = getattr(config, name)
        found[name] = None if section is None else section.resolved(placed)
    found |= {name: placed(where) for name in ("run", "store") if (where := getattr(config, name)) is not None}
    return config.model_copy(update=found)


def parse(text: str, *, name: str = "configuration") -> HazardConfig:
    """A configuration from YAML text; ``name`` stands in messages."""
    return parsed(text, HazardConfig, name=name, example="'store: ./hazard'.")
