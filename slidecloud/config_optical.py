"""The one YAML of optical images: a run or a store, scenes, how they are mapped, and what changed between two."""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, field_validator, model_validator

from slidecloud.config_optical_change import ChangeConfig
from slidecloud.config_resources import ResourcesConfig
from slidecloud.config_yaml import Section, beside, opened, parsed, template_lines
from slidecloud.secrets import refuse_secrets

SCENE: Final = re.compile(r"[a-z0-9][a-z0-9_]{0,63}")
"""What a scene may be called."""

DEMO: Final = "demo"
"""In place of a file of weights: the small network that comes with slidecloud."""

SNOW_BANDS: Final = ("green", "shortwave", "infrared")

Covered = Literal["cloud", "shadow", "water", "snow", "other"]


class MaskConfig(Section):
    """Ground of a scene that is not mapped."""

    kind: Covered = Field("other", description="What covers it: cloud, shadow, water, snow or other.")
    path: str | None = Field(None, description="Raster in any CRS; the nearest of its pixels counts.")
    values: tuple[int, ...] | None = Field(None, description="Its values that mask; null takes all above 0.")
    green: str | None = Field(
        None, description="Snow by its spectrum: band B3 of Sentinel-2, a band of the scene or a raster."
    )
    shortwave: str | None = Field(None, description="The same for B11.")
    infrared: str | None = Field(None, description="The same for B8A.")
    scale: float = Field(1.0, gt=0, description="Factor from these bands to reflectance; 0.0001 for Sentinel-2 L2A.")
    offset: float = Field(0.0, description="Added afterwards; -0.1 for Sentinel-2 L2A since 2022.")

    @model_validator(mode="after")
    def _one_way(self) -> MaskConfig:
        bands = [getattr(self, name) is not None for name in SNOW_BANDS]
        if any(bands) and self.kind != "snow":
            raise ValueError(f"kind is {self.kind!r}; green, shortwave and infrared tell snow")
        if (self.path is not None) == any(bands) or any(bands) != all(bands):
            raise ValueError("expected either path, or all of green, shortwave and infrared with kind: snow")
        if self.values is not None and self.path is None:
            raise ValueError("values are those of a raster; give its path, or leave them out")
        return self


class SceneConfig(Section):
    """An image of one date, or those of two dates of the same ground."""

    image: str | None = Field(
        None, description="Image of one date: GeoTIFF, folder of GeoTIFFs of one band each, .zarr, or a STAC item."
    )
    before: str | None = Field(None, description="In its place, of two dates: the image of the earlier one,")
    after: str | None = Field(None, description="and that of the later one, on the same lattice of pixels.")
    bands: tuple[str, ...] | None = Field(
        None, description="Bands of each date, in the order in which the network learnt them; null takes all."
    )
    variable: str | None = Field(None, description="Array of a .zarr; null takes its only one.")
    nodata: float | None = Field(None, description="Value without data, where the files do not say.")
    date: datetime.date | None = Field(None, description="When the image, or the later one, was taken.")
    masks: tuple[MaskConfig, ...] = Field((), description="Ground that is not mapped.")

    @model_validator(mode="after")
    def _dates(self) -> SceneConfig:
        both = self.before is not None, self.after is not None
        if (self.image is not None) == any(both) or any(both) != all(both):
            raise ValueError("expected either image, or both of before and after")
        return self

    @property
    def images(self) -> tuple[str, ...]:
        """Paths of its images, the earlier first."""
        return tuple(path for path in (self.image, self.before, self.after) if path is not None)

    def resolved(self, place: Callable[[str], str]) -> SceneConfig:
        """The same with ``place`` applied to every path; a band of the scene that masks use stays as it is."""
        known = set(self.bands or ())
        found: dict[str, Any] = {
            name: place(path) for name in ("image", "before", "after") if (path := getattr(self, name)) is not None
        }
        masks = []
        for mask in self.masks:
            paths = {
                name: place(path)
                for name in ("path", *SNOW_BANDS)
                if (path := getattr(mask, name)) is not None and _is_path(path, known)
            }
            masks.append(mask.model_copy(update=paths))
        return self.model_copy(update=found | {"masks": tuple(masks)})


def _is_path(text: str, bands: set[str]) -> bool:
    return text not in bands and any(sign in text for sign in "/.")


class MapConfig(Section):
    """How scenes are mapped."""

    tile: int = Field(1024, ge=64, description="Pixels along each side of what the network looks at, border left out.")
    overlap: int | None = Field(
        None,
        ge=0,
        description="Pixels by which it sees more on each side; null takes as far as its sight reaches. With less, "
        "neighbouring tiles disagree along their border and are blended over it.",
    )
    offset: tuple[int, int] = Field(
        (0, 0),
        description="Rows and columns by which tiles are moved. Multiples of 2^depth of the network change nothing.",
    )
    threshold: float | None = Field(
        None, gt=0, le=1, description="Score from which a pixel counts as landslide; null takes that of the weights."
    )
    least_area: float = Field(400.0, ge=0, description="m2; smaller outlines are left out.")
    simplify: float = Field(
        1.0, ge=0, description="Pixels by which outlines are smoothed, without crossing; 0 keeps borders of pixels."
    )

    @field_validator("simplify", "least_area")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("expected a finite number")
        return value


class OpticalConfig(Section):
    """Everything that mapping from optical images needs."""

    run: str | None = Field(None, description="Run store which 'optical' is written into, and whose motion is asked.")
    store: str | None = Field(None, description="Store to write in place of a run: a folder or URL of its own.")
    weights: str | None = Field(
        None,
        description="Weights of the network, as 'slidecloud optical train' writes them; or demo, a small network of "
        "simulated images of two dates, which says nothing of real ones.",
    )
    scenes: dict[str, SceneConfig] = Field(default_factory=dict, description="Scenes by name.")
    map: MapConfig = Field(default_factory=MapConfig, description="How they are mapped.")
    change: ChangeConfig | None = Field(None, description="What changed between two dates; null leaves it out.")
    resources: ResourcesConfig = Field(
        default_factory=ResourcesConfig, description="Executor, device, workers, memory; no influence on results."
    )
    storage_options: dict[str, Any] = Field(
        default_factory=dict, description="Options of the object store; secrets as env:NAME or by profile only."
    )

    @field_validator("scenes")
    @classmethod
    def _named(cls, scenes: dict[str, SceneConfig]) -> dict[str, SceneConfig]:
        for name in scenes:
            if not SCENE.fullmatch(name):
                raise ValueError(f"{name!r} cannot name a scene; expected at most 64 lower-case letters, digits and _")
        return scenes

    @field_validator("storage_options")
    @classmethod
    def _no_secret(cls, options: dict[str, Any]) -> dict[str, Any]:
        refuse_secrets(options)
        return options

    @model_validator(mode="after")
    def _whole(self) -> OpticalConfig:
        if (self.run is None) == (self.store is None):
            raise ValueError("expected one of run (a run store) and store (a store of its own), and not both")
        return self

    @property
    def place(self) -> str:
        """The store that is written."""
        return self.run or self.store or ""


class _Template(OpticalConfig):
    """With the section of change there, for the template to tell of."""

    change: ChangeConfig = Field(
        description="What changed between two dates; leave out this section to only map. 'slidecloud optical change "
        "--help' shows all of it."
    )


def load(path: str | Path) -> OpticalConfig:
    """Read a configuration from a YAML file; relative paths are taken from the file's own folder.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is not YAML, or a key is unknown, missing or has a wrong value.
    """
    text, base = opened(path, what="configuration", command="slidecloud optical map --print-config > optical.yaml")
    config = parse(text, name=str(path))

    def placed(path: str) -> str:
        return beside(base, path)

    found: dict[str, Any] = {"scenes": {name: scene.resolved(placed) for name, scene in config.scenes.items()}}
    found["change"] = None if config.change is None else config.change.resolved(placed)
    found |= {
        name: placed(where)
        for name in ("run", "store", "weights")
        if (where := getattr(config, name)) and (name, where) != ("weights", DEMO)
    }
    return config.model_copy(update=found)


def parse(text: str, *, name: str = "configuration") -> OpticalConfig:
    """A configuration from YAML text; ``name`` stands in messages."""
    return parsed(text, OpticalConfig, name=name, example="'store: ./optical.zarr'.")


def template() -> str:
    """A commented configuration with every key, for a scene of two dates and outlines of a third."""
    values = {
        "store": "./optical.zarr",
        "weights": "./trained/weights.safetensors",
        "change": {"before": "./inventory_2019.gpkg", "after": "valley"},
    }
    lines = ["# Landslides in optical images. Relative paths are taken from this file's folder.", ""]
    for line in template_lines(_Template, values):
        if line.startswith("scenes:"):
            scene = template_lines(SceneConfig, {"before": "./before.tif", "after": "./after.tif"}, indent="    ")
            lines += ["scenes:", "  valley:", *scene]
        else:
            lines.append(line)
    return "\n".join(lines) + "\n"
