"""The one YAML of hazard: a run or a store, one grid, and a section for each part; strict, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from slidecloud.config import ConfigError, ResourcesConfig, explain
from slidecloud.config_factors import KEYS, NAME, FactorConfig, GridConfig, Kind
from slidecloud.config_units import UnitsConfig
from slidecloud.secrets import refuse_secrets


class HazardConfig(BaseModel):
    """Everything that hazard needs."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    run: str | None = Field(
        None, description="Run store whose inventory and series are used, and which 'hazard' is written into."
    )
    store: str | None = Field(None, description="Store to write in place of a run: a folder or URL of its own.")
    grid: GridConfig = Field(description="The one grid that all factors lie on.")
    factors: dict[str, FactorConfig] = Field(min_length=1, description="Factors by name.")
    units: UnitsConfig = Field(default_factory=UnitsConfig, description="How the ground is cut into slope units.")
    resources: ResourcesConfig = Field(
        default_factory=ResourcesConfig, description="Executor, workers, memory; no influence on results."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the object store; secrets as env:NAME or by profile only."
    )

    @field_validator("factors", mode="before")
    @classmethod
    def _each(cls, factors: Any) -> Any:
        """Each factor by itself, so that what is wrong with one is told in its own words."""
        return {str(name): _factor(str(name), given) for name, given in factors.items()} if _maps(factors) else factors

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
            if factor.kind in ("los_rate", "los_displacement") and self.run is None:
                raise ValueError(f"factors.{name} is deformation, which comes from a run; give the key run")
            if factor.kind == "density" and factor.path is None and self.run is None:
                raise ValueError(f"factors.{name} has no path to points, and there is no run with an inventory")
            source = self.factors.get(factor.of)
            if "of" in KEYS[factor.kind].others and (source is None or source.kind != "raster"):
                raise ValueError(
                    f"factors.{name} is computed from {factor.of!r}, which is no factor of kind raster; add it, or "
                    "name another with the key 'of'"
                )
        return self

    @property
    def place(self) -> str:
        """The store that is written."""
        return self.run or self.store or ""


def _maps(found: Any) -> bool:
    return isinstance(found, Mapping)


def _factor(name: str, given: Any) -> FactorConfig:
    if isinstance(given, FactorConfig):
        return given
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot name a factor; expected lower-case letters, digits and underscores")
    content = {} if given is None else given
    if not _maps(content):
        raise ValueError(f"{name} is {given!r}; expected keys and values such as 'path: dem.tif'")
    whole = {"kind": name, **content} if name in get_args(Kind) else content
    try:
        return FactorConfig.model_validate(whole)
    except ValidationError as error:
        raise ValueError(f"{name}: {explain(error, FactorConfig)}") from None


def load(path: str | Path) -> HazardConfig:
    """Read a configuration from a YAML file; relative paths are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no configuration {str(file)!r}; see 'slidecloud hazard --help' for one.")
    config = parse(file.read_bytes().decode(errors="replace"), name=str(file))
    base = file.absolute().parent

    def placed(path: str) -> str:
        return path if "://" in path else str((base / Path(path).expanduser()).absolute())

    found: dict[str, Any] = {"factors": {name: one.resolved(placed) for name, one in config.factors.items()}}
    found |= {name: placed(where) for name in ("run", "store") if (where := getattr(config, name)) is not None}
    return config.model_copy(update=found)


def parse(text: str, *, name: str = "configuration") -> HazardConfig:
    """A configuration from YAML text; ``name`` stands in messages."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"{name} is not valid YAML: {error}") from None
    if not isinstance(content, dict):
        raise ConfigError(f"{name} holds {type(content).__name__}; expected keys and values such as 'store: ./hazard'.")
    try:
        return HazardConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{name}: {explain(error, HazardConfig)}") from None
