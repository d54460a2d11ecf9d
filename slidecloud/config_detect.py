"""Settings of the stage ``detect``: what looks for landslides, what it must not look at, how finds are merged."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section


class DetectConfig(Section):
    """Finding landslides in gradient maps, and the inventory of a run."""

    FILES: ClassVar = ("weights", "water_mask", "snow_mask", "slope")
    """Settings that name a file."""

    method: Literal["net", "classical"] = Field(
        "net", description="net (needs the extra 'detect'), or classical (blobs of significant gradient)."
    )
    weights: str | None = Field(None, description="Weights of the net, a file; null takes those of the package.")
    threshold: float | None = Field(
        None, gt=0, description="Least score of the net (below 1), or least sigma of classical; null takes its own."
    )
    seasons: bool = Field(
        True, description="Also look at each season by itself: slides that cancel over the year are found there."
    )
    post_filter: bool = Field(
        False, description="Keep a detection only if 10 % of its pixels sum to 1.2 rad (Fu et al. 2022)."
    )
    outlines: bool = Field(True, description="Outline the moving area; false leaves boxes.")
    water_mask: str | None = Field(None, description="Raster in any CRS, above 0 where water is: not looked at.")
    snow_mask: str | None = Field(None, description="Raster in any CRS, above 0 where snow lies: not looked at.")
    snow_bands: tuple[str, str, str] | None = Field(
        None, description="Or rasters of Sentinel-2's bands [B3, B11, B8A], from which the snow is found."
    )
    snow_scale: tuple[float, float] = Field(
        (1e-4, 0.0),
        description="Reflectance is [factor, offset] of the bands' values; products since 2022 have the offset -0.1.",
    )
    slope: str | None = Field(None, description="Raster of the slope in degrees, for min_slope.")
    min_slope: float = Field(0.0, ge=0, lt=90, description="Degrees; detections on ground flatter than this are left.")
    merge_distance: float = Field(
        500.0, ge=0, description="Metres between centres up to which finds of several bursts are one landslide."
    )
    density_radius: float = Field(5000.0, gt=0, description="Metres around a landslide that its density spreads over.")
    batch: int = Field(4, ge=1, description="Tiles the net looks at together; no influence on results.")

    @model_validator(mode="after")
    def _complete(self) -> DetectConfig:
        if self.min_slope > 0 and self.slope is None:
            raise ValueError(f"min_slope is {self.min_slope} and slope is null; name a raster of the slope in degrees")
        if self.method == "net" and self.threshold is not None and self.threshold >= 1:
            raise ValueError(f"threshold is {self.threshold} and method is 'net'; expected a score below 1")
        if self.method == "classical" and self.weights is not None:
            raise ValueError(f"weights is {self.weights!r} and method is 'classical', which has none; choose one")
        return self
