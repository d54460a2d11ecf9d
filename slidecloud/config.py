"""The one YAML that describes a run: strict, commented, without secrets."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from slidecloud.config_classify import ClassifyConfig
from slidecloud.config_decompose import DecomposeConfig
from slidecloud.config_detect import DetectConfig
from slidecloud.config_kubernetes import KubernetesConfig
from slidecloud.config_resources import ResourcesConfig
from slidecloud.config_timeseries import TimeseriesConfig
from slidecloud.config_yaml import Section, beside, dumped, opened, parsed, template_lines
from slidecloud.secrets import refuse_secrets
from slidecloud.types import SourceKind


class SourceConfig(Section):
    """A folder or URL of interferograms to ingest before the run."""

    path: str = Field(description="Folder or URL with the source products.")
    kind: SourceKind = Field(
        "auto",
        description="auto, gamma, hyp3, hyp3_radar, licsar, mapping, mintpy (interferograms), opera, snap or zarr "
        "(single-look images).",
    )
    id: str | None = Field(None, description="Id of the burst stack; by default taken from the source.")
    mapping: str | None = Field(None, description="File that says what a plain Zarr or NetCDF stack holds.")
    storage_options: dict[str, Any] | None = Field(
        None,
        description="Options of the object store of a URL; by default those of the run where both URLs are of one "
        "kind. Secrets as env:NAME or by profile only.",
    )

    @field_validator("storage_options")
    @classmethod
    def _no_secret(cls, options: dict[str, Any] | None) -> dict[str, Any] | None:
        refuse_secrets(options or {})
        return options


class NetworkConfig(Section):
    """Which of the stored pairs take part."""

    max_days: float | None = Field(None, gt=0, description="Longest pair in days; null takes all.")
    max_baseline: float | None = Field(
        None, gt=0, description="Largest perpendicular baseline in metres; null takes all."
    )
    seasons: tuple[int, ...] = Field(
        (4, 10), description="Months in which the seasons start; a pair belongs to the season of its mid-time."
    )

    @field_validator("seasons")
    @classmethod
    def _months(cls, months: tuple[int, ...]) -> tuple[int, ...]:
        if not months or list(months) != sorted(set(months)) or not all(1 <= month <= 12 for month in months):
            raise ValueError(f"seasons are {list(months)}; expected one or more ascending months between 1 and 12")
        return months


class InterferogramsConfig(Section):
    """How interferograms are formed from SLC stacks; burst stacks bring theirs."""

    looks: tuple[int, int] = Field((2, 8), description="Samples averaged along [azimuth, range].")
    coherence_window: int | tuple[int, int] = Field(
        (1, 1), description="Odd number of multilooked pixels, one or [rows, columns], in which coherence is estimated."
    )
    write: bool = Field(False, description="Also store the interferograms, as a burst stack in the run store.")

    @field_validator("looks")
    @classmethod
    def _at_least_one(cls, looks: tuple[int, int]) -> tuple[int, int]:
        if min(looks) < 1:
            raise ValueError(f"looks are {list(looks)}; expected at least 1 along each axis")
        return looks

    @field_validator("coherence_window")
    @classmethod
    def _has_centre(cls, window: int | tuple[int, int]) -> tuple[int, int]:
        both = (window, window) if isinstance(window, int) else window
        if min(both) < 1 or not all(side % 2 for side in both):
            raise ValueError(f"coherence_window is {list(both)}; expected odd numbers such as 5")
        return both


class GradientsConfig(Section):
    """Phase-gradient stacking."""

    estimator: Literal["coherent", "overlap", "rate", "sum", "rewrapped"] = Field(
        "coherent", description="coherent, overlap, rate (tells motion from DEM error), sum or rewrapped."
    )
    window: float | None = Field(
        400.0, gt=0, description="Window in metres, rounded to whole pixels per axis (at least 3)."
    )
    window_pixels: int | tuple[int, int] | None = Field(
        None, description="Window in pixels, one number or [rows, columns]; takes the place of window."
    )
    gap: int | None = Field(
        None, ge=1, description="Pixels between the two blocks; null is 2, or 1 in windows below 6 pixels."
    )
    max_days: float | None = Field(
        None, gt=0, description="Longest pair in days for stacking alone; null takes the network's."
    )

    @field_validator("window_pixels")
    @classmethod
    def _both_axes(cls, pixels: int | tuple[int, int] | None) -> tuple[int, int] | None:
        return (pixels, pixels) if isinstance(pixels, int) else pixels

    @model_validator(mode="after")
    def _one_window(self) -> GradientsConfig:
        if self.window is None and self.window_pixels is None:
            raise ValueError("neither window nor window_pixels is given; give one of them")
        if isinstance(self.window_pixels, tuple) and min(self.window_pixels) < 3:
            raise ValueError(f"window_pixels is {list(self.window_pixels)}; expected at least 3 pixels")
        return self


class RunConfig(Section):
    """Everything a run needs."""

    run: str = Field(min_length=1, description="Run store to write: a folder or URL.")
    stacks: str = Field(min_length=1, description="Folder or URL that holds the burst stacks (<id>.zarr).")
    bursts: tuple[str, ...] | None = Field(None, description="Ids of the burst stacks to use; null takes all.")
    sources: tuple[SourceConfig, ...] = Field((), description="Source folders to ingest into stacks before the run.")
    stages: tuple[Literal["gradients", "detect", "timeseries", "visibility", "decompose", "classify"], ...] = Field(
        ("gradients", "detect", "timeseries"),
        min_length=1,
        description="Stages to run: gradients, detect (with gradients), timeseries, visibility (what the radar sees of "
        "slopes), decompose (motion east, up and down the slope where two passes see the ground; with timeseries), "
        "classify (landslides by their motion; with detect and timeseries).",
    )
    network: NetworkConfig = Field(default_factory=NetworkConfig, description="Choice of pairs and seasons.")
    interferograms: InterferogramsConfig = Field(
        default_factory=InterferogramsConfig, description="Forming interferograms from SLC stacks."
    )
    gradients: GradientsConfig = Field(default_factory=GradientsConfig, description="Phase-gradient stacking.")
    detect: DetectConfig = Field(default_factory=DetectConfig, description="Finding landslides; their inventory.")
    timeseries: TimeseriesConfig = Field(default_factory=TimeseriesConfig, description="Unwrapping and SBAS inversion.")
    decompose: DecomposeConfig = Field(
        default_factory=DecomposeConfig, description="Motion seen by two passes; may be changed at any time."
    )
    classify: ClassifyConfig = Field(
        default_factory=ClassifyConfig, description="Landslides by their motion; may be changed at any time."
    )
    resources: ResourcesConfig = Field(
        default_factory=ResourcesConfig, description="Executor, workers, memory; no influence on results."
    )
    kubernetes: KubernetesConfig = Field(
        default_factory=KubernetesConfig, description="Pods of 'slidecloud submit'; no influence on results."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the object store; secrets as env:NAME or by profile only."
    )

    @model_validator(mode="after")
    def _gradients_first(self) -> RunConfig:
        if "detect" in self.stages and "gradients" not in self.stages:
            raise ValueError(
                "stages has detect without gradients, whose maps it reads; add gradients (what is done is kept)"
            )
        if "timeseries" in self.stages and self.where == "detections" and "detect" not in self.stages:
            raise ValueError(
                "timeseries.where is 'detections' and stages lacks detect, which finds them; add gradients and detect "
                "(what is done is kept), or choose 'everywhere'"
            )
        if "decompose" in self.stages and "timeseries" not in self.stages:
            raise ValueError(
                "stages has decompose without timeseries, whose velocities it reads; add it (what is done is kept)"
            )
        lacking = [stage for stage in ("detect", "timeseries") if stage not in self.stages]
        if "classify" in self.stages and lacking:
            raise ValueError(
                f"stages has classify without {' and '.join(lacking)}, whose results it reads; add them (what is done "
                "is kept), or give 'slidecloud classify RUN' on a run that has both"
            )
        return self

    @property
    def where(self) -> str:
        """Where displacement is wanted: detections, everywhere, or a file of polygons."""
        asked = self.timeseries.where
        return asked if asked != "auto" else ("detections" if "detect" in self.stages else "everywhere")

    @field_validator("storage_options")
    @classmethod
    def _no_secret(cls, options: dict[str, Any]) -> dict[str, Any]:
        refuse_secrets(options)
        return options

    @field_validator("kubernetes")
    @classmethod
    def _no_secret_variable(cls, settings: KubernetesConfig) -> KubernetesConfig:
        refuse_secrets(settings.env)
        return settings

    def science(self) -> dict[str, Any]:
        """The part of the configuration that one run store holds one of, as plain JSON values.

        Stages and bursts may be added later: their units are others, not the same with other results. How landslides
        are found belongs to it only where they are looked for; models of motion come after everything else.
        """
        elsewhere = (
            "resources",
            "kubernetes",
            "storage_options",
            "run",
            "stacks",
            "sources",
            "stages",
            "bursts",
            "classify",
            "decompose",
        )
        without: dict[str, Any] = {**dict.fromkeys(elsewhere, True), "interferograms": {"write"}, "detect": {"batch"}}
        without["timeseries"] = {"trajectory"}
        if "detect" not in self.stages:
            without["detect"] = True
        return self.model_dump(mode="json", exclude=without)


def load(path: str | Path) -> RunConfig:
    """Read a run configuration from a YAML file; relative folders are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    text, base = opened(path, what="configuration", command="slidecloud run --print-config > region.yaml")
    config = parse(text, name=str(path))
    sources = tuple(source.model_copy(update=_placed(base, source)) for source in config.sources)
    named = {name: path for name in DetectConfig.FILES if (path := getattr(config.detect, name)) is not None}
    found: dict[str, Any] = {name: beside(base, path) for name, path in named.items()}
    if config.detect.snow_bands is not None:
        found["snow_bands"] = tuple(beside(base, path) for path in config.detect.snow_bands)
    detect = config.detect.model_copy(update=found)
    series, classify = (
        section.resolved(lambda path: beside(base, path)) for section in (config.timeseries, config.classify)
    )
    places = {"run": beside(base, config.run), "stacks": beside(base, config.stacks)}
    sections = {"detect": detect, "timeseries": series, "classify": classify}
    return config.model_copy(update={**places, **sections, "sources": sources})


def _placed(base: Path, source: SourceConfig) -> dict[str, str]:
    """Paths of a source, taken from the folder of the configuration."""
    named = {"path": source.path, "mapping": source.mapping}
    return {name: beside(base, path) for name, path in named.items() if path is not None}


def parse(text: str, *, name: str = "configuration") -> RunConfig:
    """A run configuration from YAML text; ``name`` stands in messages."""
    return parsed(text, RunConfig, name=name, example="'stacks: ./stacks'.")


def dump(config: RunConfig) -> str:
    """A configuration as YAML without comments, as the run store keeps it."""
    return dumped(config)


def template() -> str:
    """A commented configuration with every key at its default, ready to edit."""
    lines = ["# A run of slidecloud. Relative folders are taken from this file's folder.", ""]
    examples = {"run": "./run.zarr", "stacks": "./stacks"}
    lines += template_lines(RunConfig, examples)
    return "\n".join(lines) + "\n"
