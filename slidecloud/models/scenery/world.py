"""What is true of one tile before the radar looks, whichever family made it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from slidecloud.simulate import Scene, fields
from slidecloud.simulate.atmosphere import turbulence_density
from slidecloud.simulate.decorrelation import CoherenceMaps
from slidecloud.simulate.slides import Slide
from slidecloud.types import Float32, Geometry

Kind = Literal["slides", "empty", "hard"]
FieldMaker = Callable[[np.random.Generator], Float32]


@dataclass(frozen=True, eq=False)
class World:
    """A tile's truth on its own grid; maps are (y, x), float32 unless noted.

    Attributes
    ----------
    geometry, spacing, heading
        As in stack headers: metres per pixel along (y, x), degrees clockwise from north.
    incidence
        Angle of the line of sight from the vertical, rad.
    slant_range
        m.
    valid
        bool: pixels with data.
    elevation, dem_error
        m.
    slides, labels
        Slides, and int16 labels: 0 = none, k = ``slides[k - 1]``.
    los_rate
        Line-of-sight speed at unit progress of the slide a pixel belongs to, m/yr, positive towards the satellite.
    drift
        Steady line-of-sight velocity of what is no landslide (subsidence, creeping faults), m/yr.
    coherence
        Coherence model of every pixel.
    turbulence
        Draws a turbulent delay of unit variance.
    turbulent, stratified, scale_height
        Sizes of the delays as in `slidecloud.simulate.Atmosphere`.
    """

    geometry: Geometry
    spacing: tuple[float, float]
    heading: float
    incidence: Float32
    slant_range: float
    valid: NDArray[np.bool_]
    elevation: Float32
    dem_error: Float32
    slides: tuple[Slide, ...]
    labels: NDArray[np.int16]
    los_rate: Float32
    drift: Float32
    coherence: CoherenceMaps
    turbulence: FieldMaker
    turbulent: float
    stratified: float
    scale_height: float

    @property
    def height_lever(self) -> Float32:
        """Apparent displacement per metre of perpendicular baseline by the error of the elevation model."""
        lever: Float32 = (self.dem_error / self.slant_range / np.sin(self.incidence)).astype(np.float32)
        return lever

    @property
    def air_column(self) -> Float32:
        """Delay along the line of sight per delay of the whole air column above sea level at the zenith."""
        column: Float32 = np.exp(-self.elevation / np.float32(self.scale_height)) / np.cos(self.incidence)
        return column


def world_of(scene: Scene) -> World:
    """The truth of a simulated scene, so that both ways to observe it can be compared."""
    header, air = scene.header, scene.atmosphere
    extent = max(n * d for n, d in zip(header.shape, header.spacing, strict=True))
    of = fields.spectrum(header.shape, header.spacing, turbulence_density(extent))
    return World(
        geometry=header.geometry,
        spacing=header.spacing,
        heading=header.heading,
        incidence=scene.incidence,
        slant_range=header.slant_range,
        valid=scene.valid,
        elevation=scene.elevation,
        dem_error=scene.dem_error,
        slides=scene.slides,
        labels=scene.labels,
        los_rate=scene.los_rate,
        drift=np.zeros(header.shape, dtype=np.float32),
        coherence=scene.coherence,
        turbulence=lambda rng: fields.draw(rng, of),
        turbulent=0.0 if air is None else air.turbulence,
        stratified=0.0 if air is None else air.stratified,
        scale_height=2500.0 if air is None else air.scale_height,
    )
