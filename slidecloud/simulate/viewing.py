"""Where a simulated satellite flies, and how its images lie on the ground."""

from __future__ import annotations

import math

import numpy as np
import pyproj

from slidecloud.kernels import terrain as geometry_of
from slidecloud.types import SENTINEL1_WAVELENGTH, Float32, Float64, Geometry, Grid, StackHeader

CRS = "EPSG:32648"
CENTRE = (500_000.0, 3_440_000.0)
EARTH_RADIUS = 6_371_000.0
ORBIT_HEIGHT = 693_000.0

Axes = tuple[tuple[float, float], tuple[float, float]]


def axes(heading: float, geometry: Geometry) -> Axes:
    """(east, north) of one metre along increasing rows and along increasing columns."""
    if geometry == "map":
        return (0.0, -1.0), (1.0, 0.0)
    flight, look = math.radians(heading), geometry_of.look_azimuth(heading)
    return (math.sin(flight), math.cos(flight)), (math.sin(look), math.cos(look))


def positions(shape: tuple[int, int], spacing: tuple[float, float], axes: Axes) -> tuple[Float64, Float64]:
    """Metres east and north of the scene centre, (y, x)."""
    along, across = ((np.arange(n) - 0.5 * (n - 1)) * step for n, step in zip(shape, spacing, strict=True))
    (east_y, north_y), (east_x, north_x) = axes
    return (
        along[:, None] * east_y + across[None, :] * east_x,
        along[:, None] * north_y + across[None, :] * north_x,
    )


def incidence_map(centre: float, east: Float64, north: Float64, heading: float) -> Float32:
    """Incidence that grows with ground range: by cos(theta)/R for the view and 1/radius for the bend of the Earth."""
    look = geometry_of.look_azimuth(heading)
    ground_range = east * math.sin(look) + north * math.cos(look)
    growth = math.cos(centre) / slant_range(centre) + 1.0 / EARTH_RADIUS
    return (centre + growth * ground_range).astype(np.float32)


def slant_range(incidence: float) -> float:
    """Distance to a satellite at Sentinel-1's height over a spherical Earth, m."""
    level = EARTH_RADIUS * math.sin(incidence)
    return math.sqrt((EARTH_RADIUS + ORBIT_HEIGHT) ** 2 - level**2) - EARTH_RADIUS * math.cos(incidence)


def latitude_longitude(east: Float64, north: Float64) -> tuple[Float64, Float64]:
    """Degrees of places given in metres from the scene centre."""
    to_degrees = pyproj.Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    longitude, latitude = to_degrees.transform(CENTRE[0] + east, CENTRE[1] + north)
    return latitude, longitude


def header(
    id: str,
    geometry: Geometry,
    shape: tuple[int, int],
    spacing: tuple[float, float],
    looks: tuple[int, int],
    heading: float,
    incidence: float,
) -> StackHeader:
    """Header of a scene around `CENTRE`; arguments as in `scenes.scene`."""
    (rows, columns), (dy, dx) = shape, spacing
    left, top = CENTRE[0] - 0.5 * columns * dx, CENTRE[1] + 0.5 * rows * dy
    return StackHeader(
        id=id,
        geometry=geometry,
        shape=(rows, columns),
        spacing=spacing,
        wavelength=SENTINEL1_WAVELENGTH,
        range_looks=looks[1],
        azimuth_looks=looks[0],
        effective_looks=float(looks[0] * looks[1]),
        heading=heading,
        look_direction="right",
        pass_="ascending" if math.cos(math.radians(heading)) > 0.0 else "descending",
        slant_range=slant_range(incidence),
        source="simulation",
        processor="slidecloud.simulate",
        filtered=False,
        has_unwrapped=True,
        grid=Grid(CRS, left, top, dx, -dy, rows, columns) if geometry == "map" else None,
    )
