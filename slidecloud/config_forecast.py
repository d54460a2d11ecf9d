"""The one YAML of forecasts: points of a run or of a table, rain and level, a method, and thresholds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from slidecloud.config_demix import DemixConfig
from slidecloud.config_resources import ResourcesConfig
from slidecloud.config_yaml import Section, beside, opened, parsed, template_lines
from slidecloud.secrets import refuse_secrets

Direction = Literal["either", "towards", "away"]


class PointsConfig(Section):
    """A table of displacement, in place of a run."""

    path: str = Field(
        description="CSV or Parquet: id, date, displacement (towards the satellite), if known sigma, a line a value; "
        "or id and a column a date, a line a point. With longitude and latitude; other numbers that do not change at a "
        "point are features, and must not know of days after train_until, as a mean velocity does."
    )
    units: Literal["mm", "cm", "m"] = Field("mm", description="What a value of displacement and sigma is.")


class RainConfig(Section):
    """Daily rain."""

    path: str = Field(description="A table of one station or of several with their places, or a NetCDF or Zarr grid.")
    units: Literal["mm", "cm", "m", "in"] = Field("mm", description="What a value is.")
    utc_offset: float = Field(0.0, ge=-14, le=14, description="Hours by which the clock of the times is ahead of UTC.")
    missing: Literal["refuse", "unknown", "dry"] = Field(
        "refuse", description="Days without a value: refuse them, leave them unknown, or take them as dry."
    )
    farthest: float | None = Field(
        20.0, gt=0, description="Kilometres from a point to its station beyond which it is refused; null allows any."
    )


class LevelConfig(Section):
    """Daily water level of a reservoir or river."""

    path: str = Field(description="A table of one station or of several with their places.")
    units: Literal["m", "cm", "mm", "ft"] = Field("m", description="What a value is.")
    utc_offset: float = Field(0.0, ge=-14, le=14, description="Hours by which the clock of the times is ahead of UTC.")
    missing: Literal["refuse", "unknown"] = Field(
        "refuse", description="Days without a value: refuse them, or leave them unknown."
    )
    farthest: float | None = Field(
        None, gt=0, description="Kilometres from a point to its station beyond which it is refused; null allows any."
    )


class ThresholdConfig(Section):
    """Motion whose probability is told for every day: so far since a day, or so fast over some days."""

    name: str = Field("", description="For people; by default made of the numbers.")
    displacement: float | None = Field(None, gt=0, description="mm moved since the day 'since'.")
    since: date | None = Field(None, description="Day that displacement counts from; null takes the first pass.")
    rate: float | None = Field(None, gt=0, description="mm a day, mean over 'days', in place of displacement.")
    days: int = Field(12, ge=1, description="Days that a rate is the mean over; at least those since the last pass.")
    direction: Direction = Field("either", description="either, towards the satellite, or away from it.")

    @model_validator(mode="after")
    def _one(self) -> ThresholdConfig:
        if (self.displacement is None) == (self.rate is None):
            raise ValueError("expected one of displacement (mm) and rate (mm a day), and not both")
        if self.rate is not None and self.since is not None:
            raise ValueError("since belongs to displacement; a rate is the mean over 'days'")
        return self

    @property
    def label(self) -> str:
        """Name for people."""
        if self.name:
            return self.name
        way = "" if self.direction == "either" else f" {self.direction}"
        if self.rate is not None:
            return f"{self.rate:g} mm a day{way} over {self.days} days"
        return f"{self.displacement:g} mm{way}" + (f" since {self.since}" if self.since else "")


class ForecastConfig(Section):
    """Everything that forecasts need."""

    run: str | None = Field(
        None, description="Run store whose landslides are forecast, and which 'forecast' is written into."
    )
    points: PointsConfig | None = Field(None, description="A table of displacement, in place of a run.")
    store: str | None = Field(None, description="Store to write where points come from a table: a folder or URL.")
    per_landslide: int = Field(
        20, ge=1, description="Most points of a landslide on a track: those of the highest coherence."
    )
    least_coherence: float = Field(
        0.7, ge=0, le=1, description="Temporal coherence, beyond that of noise, below which a pixel is no point."
    )
    demix: DemixConfig | None = Field(
        None, description="Take what is air out of displacement by independent components; null leaves it as it is."
    )
    rain: RainConfig | None = Field(None, description="Daily rain; null does without.")
    level: LevelConfig | None = Field(None, description="Daily water level; null does without.")
    method: str = Field("musenet", description="What forecasts; 'slidecloud forecast --methods' lists them.")
    options: dict[str, bool | int | float] = Field(
        default_factory=dict, description="Options of the method, such as {members: 7} of musenet."
    )
    beside: tuple[str, ...] = Field(
        ("persistence", "linear", "ridge", "boosting", "kalman", "kalman_driven", "kf_arima"),
        description="Other methods whose errors are told beside those of 'method'; kf_lstm takes as long as musenet.",
    )
    train_until: date = Field(description="Last day that is learnt from; forecasts begin on the day after.")
    passes: int = Field(
        30, ge=2, description="Passes that are looked back on; a point has no forecast before it has so many."
    )
    days: int = Field(30, ge=1, description="Days of rain and level that are looked back on.")
    horizon: int = Field(24, ge=1, le=60, description="Most days after the last pass that are forecast.")
    thresholds: tuple[ThresholdConfig, ...] = Field(
        (), description="Motion whose probability is told for every day, such as [{displacement: 50}, {rate: 2}]."
    )
    seed: int = Field(0, ge=0, description="Of all draws.")
    resources: ResourcesConfig = Field(
        default_factory=ResourcesConfig, description="Executor, workers, memory; no influence on results."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the object store; secrets as env:NAME or by profile only."
    )

    @field_validator("storage_options")
    @classmethod
    def _no_secret(cls, options: dict[str, Any]) -> dict[str, Any]:
        refuse_secrets(options)
        return options

    @model_validator(mode="after")
    def _whole(self) -> ForecastConfig:
        if (self.run is None) == (self.points is None):
            raise ValueError("expected one of run (a run store) and points (a table of displacement), and not both")
        if (self.points is None) != (self.store is None):
            raise ValueError(
                "store is where forecasts of points go; with a run they go into the run. Give both or none"
            )
        if self.points is not None and self.demix is not None:
            raise ValueError("demix looks at the ground around points of a run; leave it out with those of a table")
        if self.rain is None and self.level is None:
            raise ValueError("neither rain nor level is given; give one of them, or both")
        labels = [one.label for one in self.thresholds]
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise ValueError(f"thresholds: {twice[0]!r} is there twice; give each a name of its own")
        return self

    @property
    def place(self) -> str:
        """The store that is written."""
        return self.run or self.store or ""

    @property
    def inputs(self) -> Literal["S1", "S2", "S3"]:
        """S1 (displacement and rain), S2 (and level) or S3 (all), by what is given."""
        if self.level is None:
            return "S1"
        return "S2" if self.rain is None else "S3"

    def science(self) -> dict[str, Any]:
        """The part that forecasts depend on beside data, as plain JSON values."""
        elsewhere = {"run", "store", "resources", "storage_options", "points", "rain", "level", "beside"}
        return self.model_dump(mode="json", exclude=elsewhere) | {"inputs": self.inputs}


class _Template(ForecastConfig):
    """With every section there, for the template to tell of."""

    points: PointsConfig = Field(description="A table of displacement, in place of a run (leave out run then).")
    demix: DemixConfig = Field(
        description="Take what is air out of displacement by independent components; leave out this section to keep it."
    )
    rain: RainConfig = Field(description="Daily rain; leave out this section to do without.")
    level: LevelConfig = Field(description="Daily water level; leave out this section to do without.")


def load(path: str | Path) -> ForecastConfig:
    """Read a configuration from a YAML file; relative paths are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    text, base = opened(path, what="configuration", command="slidecloud forecast --print-config > forecast.yaml")
    config = parse(text, name=str(path))
    return _resolved(config, lambda path: beside(base, path))


def parse(text: str, *, name: str = "configuration") -> ForecastConfig:
    """A configuration from YAML text; ``name`` stands in messages."""
    return parsed(text, ForecastConfig, name=name, example="'run: ./run.zarr'.")


def template() -> str:
    """A commented configuration with every key, ready to edit."""
    values = {
        "run": "./run.zarr",
        "points": {"path": "./points.csv"},
        "store": "./forecast.zarr",
        "rain": {"path": "./rain.csv"},
        "level": {"path": "./level.csv"},
        "train_until": "2022-06-30",
        "thresholds": [{"displacement": 50}, {"rate": 2, "days": 12}],
    }
    lines = ["# Daily forecasts of displacement. Relative paths are taken from this file's folder."]
    lines += [
        "# For points of a table take out 'run', and the '#' before 'points', its keys and 'store'; for those of a"
    ]
    lines += ["# run without the air around them that before 'demix' and its keys.", ""]
    section = ""
    for line in template_lines(_Template, values):
        key = line.partition(":")[0]
        section = key if key in _Template.model_fields else section
        aside = section in ("points", "store", "demix") and not line.lstrip().startswith("#")
        lines.append(f"# {line}" if aside else line)
    return "\n".join(lines) + "\n"


def _resolved(config: ForecastConfig, place: Callable[[str], str]) -> ForecastConfig:
    found: dict[str, Any] = {
        name: place(where) for name in ("run", "store") if (where := getattr(config, name)) is not None
    }
    for name in ("points", "rain", "level"):
        section = getattr(config, name)
        if section is not None:
            found[name] = section.model_copy(update={"path": place(section.path)})
    return config.model_copy(update=found)
