"""A scene: terrain, viewing geometry, slides and everything else that is true before the radar looks."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from slidecloud.kernels import terrain as geometry_of
from slidecloud.simulate import fields, placement, viewing
from slidecloud.simulate import slides as sliding
from slidecloud.simulate.atmosphere import Atmosphere
from slidecloud.simulate.calendar import acquisition_dates
from slidecloud.simulate.decorrelation import Coherence, CoherenceMaps, coherence_maps
from slidecloud.simulate.placement import DEFAULT_SIZES, Sizes
from slidecloud.simulate.slides import Slide
from slidecloud.simulate.streams import Subject, date_key, stream
from slidecloud.simulate.terrain import fractal_mountains
from slidecloud.types import Float32, Float64, Geometry, StackHeader

INCIDENCE = math.radians(39.0)
MEAN_SLOPE = math.radians(24.0)
DEFAULT_ATMOSPHERE = Atmosphere()
DEFAULT_COHERENCE = Coherence()
AREA_PER_SLIDE = 9e6


@dataclass(frozen=True, eq=False)
class Scene:
    """What is true of a simulated burst. Maps are (y, x), float32 unless noted.

    Attributes
    ----------
    header
        As a reader of a burst stack would give it.
    dates
        datetime64[s] (date,), UTC.
    perpendicular_baseline
        float64 (date,), m, of each date from a common orbit; a pair has secondary minus reference.
    elevation
        m.
    incidence
        Angle of the line of sight from the vertical, rad.
    los_east, los_north, los_up
        Unit vector from the ground to the satellite.
    latitude, longitude
        Degrees, float64; None in map geometry, where the grid says it.
    layover, shadow, water
        bool; each leaves pixels without data.
    dem_error
        True height minus that of the elevation model the interferograms were flattened with, m.
    slides
        In the order of their labels, with directions filled in.
    labels
        int16: 0 = stable ground, k = ``slides[k - 1]``.
    los_rate
        Line-of-sight speed per unit of a slide's progress, m/yr, positive towards the satellite.
    coherence
        Coherence model of every pixel.
    atmosphere
        None: no delays.
    """

    seed: int
    header: StackHeader
    dates: NDArray[np.datetime64]
    perpendicular_baseline: Float64
    elevation: Float32
    incidence: Float32
    los_east: Float32
    los_north: Float32
    los_up: Float32
    latitude: Float64 | None
    longitude: Float64 | None
    layover: NDArray[np.bool_]
    shadow: NDArray[np.bool_]
    water: NDArray[np.bool_]
    dem_error: Float32
    slides: tuple[Slide, ...]
    labels: NDArray[np.int16]
    los_rate: Float32
    coherence: CoherenceMaps = field(repr=False)
    atmosphere: Atmosphere | None = DEFAULT_ATMOSPHERE

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """Pixels with data: no layover, shadow or water."""
        return ~(self.layover | self.shadow | self.water)

    def displacement(self, time: ArrayLike) -> Float32:
        """True displacement along the line of sight since the first date, m, positive towards the satellite.

        `time` is one datetime64, giving (y, x), or several, giving (time, y, x).
        """
        moments = np.asarray(time, dtype="datetime64[s]")
        if moments.ndim > 1:
            raise ValueError(f"time: found shape {moments.shape}, expected one time or a list of them")
        progress = np.zeros((*moments.shape, len(self.slides) + 1))
        for label, slide in enumerate(self.slides, start=1):
            progress[..., label] = slide.progress(moments, self.dates[0])
        moved: Float32 = (progress[..., self.labels] * self.los_rate).astype(np.float32)
        return moved

    @property
    def velocity(self) -> Float32:
        """Slope of the least-squares line through the true displacement on all dates, m/yr, positive towards the
        satellite."""
        years = (self.dates - self.dates[0]) / np.timedelta64(86_400, "s") / 365.25
        centred = years - years.mean()
        slope = np.zeros(len(self.slides) + 1)
        for label, slide in enumerate(self.slides, start=1):
            slope[label] = centred @ slide.progress(self.dates, self.dates[0]) / (centred @ centred)
        fitted: Float32 = (slope[self.labels] * self.los_rate).astype(np.float32)
        return fitted

    def static(self) -> dict[str, Float32]:
        """The maps that a burst stack keeps, by the names it keeps them under."""
        names = ["elevation", "incidence", "los_east", "los_north", "los_up"]
        maps = {name: getattr(self, name) for name in names}
        if self.latitude is not None and self.longitude is not None:
            maps |= {"latitude": self.latitude.astype(np.float32), "longitude": self.longitude.astype(np.float32)}
        return maps


def scene(
    seed: int = 0,
    *,
    shape: tuple[int, int] | None = None,
    spacing: tuple[float, float] = (40.0, 40.0),
    heading: float = -12.3,
    incidence: float = INCIDENCE,
    dates: int | ArrayLike = 92,
    elevation: ArrayLike | None = None,
    mean_slope: float = MEAN_SLOPE,
    lowest: float = 1500.0,
    water: float | None = None,
    slides: int | Sequence[Slide] | None = None,
    fewer: bool = False,
    min_sensitivity: float = 0.3,
    sizes: Sizes = DEFAULT_SIZES,
    atmosphere: Atmosphere | None = DEFAULT_ATMOSPHERE,
    coherence: Coherence = DEFAULT_COHERENCE,
    dem_error: float = 4.0,
    baseline: float = 60.0,
    looks: tuple[int, int] = (2, 8),
    geometry: Geometry = "map",
    id: str | None = None,
) -> Scene:
    """Make a scene of known truth, as a right-looking Sentinel-1 would see it.

    Each subject has its own random numbers, named by seed and date: adding dates at the end, slides or an atmosphere
    leaves everything else as it was, to the last bit.

    Parameters
    ----------
    seed
        At least 0.
    shape
        (y, x) pixels; 256 x 256, or the shape of `elevation`.
    spacing
        Metres per pixel along (y, x) on the ground.
    heading
        Flight direction, degrees clockwise from north: -12.3 ascending, 192.2 descending.
    incidence
        At the scene centre, rad.
    dates
        Increasing acquisition dates, or how many every 12 days.
    elevation
        (y, x) m; without it, eroded fractal mountains of `mean_slope` (rad) above `lowest` (m).
    water
        Share of the scene under a lake in its lowest part; 0.01 on made terrain, 0 on given terrain. The lake is level.
    slides
        A list of `Slide`, or how many to place; by default one per 9 km².
    fewer
        Place as many slides as there is room for, where that is less than asked for.
    min_sensitivity
        Share of the motion of placed slides that the line of sight must keep, in [0, 1].
    sizes
        Lengths and rates of placed slides.
    atmosphere, coherence
        See `Atmosphere` (None for none) and `Coherence`.
    dem_error
        Standard deviation of the error of the elevation model, m: half of its variance is smooth noise, half the
        rounding of ridges and valleys that real elevation models show.
    baseline
        Standard deviation of the perpendicular baselines, m.
    looks
        (azimuth, range) looks; their product is the number of independent looks of a pixel.
    geometry
        ``map``: UTM zone 48 north, rows north to south. ``radar``: rows along the flight, columns away from the radar,
        evenly spaced on the ground, with latitude and longitude.
    id
        Name of the stack; ``simulated_<seed>``.

    Raises
    ------
    ValueError
        If an argument is out of its range or slides find no place.
    """
    _check(seed, incidence=incidence, spacing=spacing, looks=looks, id=id, geometry=geometry)
    _check_sizes(dem_error=dem_error, baseline=baseline, min_sensitivity=min_sensitivity)
    height, lake = _terrain(
        seed, elevation=elevation, shape=shape, spacing=spacing, mean_slope=mean_slope, lowest=lowest, water=water
    )
    times = acquisition_dates(dates)
    axes = viewing.axes(heading, geometry)
    east, north = viewing.positions(height.shape, spacing, axes)
    theta = viewing.incidence_map(incidence, east, north, heading)
    los = geometry_of.los_vector(theta, heading)
    # On a radar grid, columns lead away from the radar: what a map of heading 0 shows.
    masks = geometry_of.layover_shadow(
        height, spacing=spacing, incidence=theta, heading=heading if geometry == "map" else 0.0
    )
    place_on = sliding.ground(
        height, los=np.stack(los), blocked=masks.layover | masks.shadow | lake, spacing=spacing, axes=axes
    )
    if slides is None:
        slides = max(1, round(height.size * spacing[0] * spacing[1] / AREA_PER_SLIDE))
    if isinstance(slides, int | np.integer):
        find = placement.places if fewer else placement.place
        slides = tuple(find(int(slides), seed=seed, on=place_on, min_sensitivity=min_sensitivity, sizes=sizes))
    laid = sliding.lay(tuple(slides), place_on)
    latitude, longitude = viewing.latitude_longitude(east, north) if geometry == "radar" else (None, None)
    drawn = [stream(seed, Subject.BASELINES, date_key(date)).standard_normal() for date in times]
    return Scene(
        seed=seed,
        header=viewing.header(id or f"simulated_{seed}", geometry, height.shape, spacing, looks, heading, incidence),
        dates=times,
        perpendicular_baseline=baseline * np.array(drawn),
        elevation=height,
        incidence=theta,
        los_east=los.east.astype(np.float32),
        los_north=los.north.astype(np.float32),
        los_up=los.up.astype(np.float32),
        latitude=latitude,
        longitude=longitude,
        layover=masks.layover,
        shadow=masks.shadow,
        water=lake,
        dem_error=_dem_error(seed, height, spacing, dem_error),
        slides=laid.slides,
        labels=laid.labels,
        los_rate=laid.los_rate,
        coherence=coherence_maps(coherence, seed=seed, elevation=height, spacing=spacing),
        atmosphere=atmosphere,
    )


def _terrain(
    seed: int,
    *,
    elevation: ArrayLike | None,
    shape: tuple[int, int] | None,
    spacing: tuple[float, float],
    mean_slope: float,
    lowest: float,
    water: float | None,
) -> tuple[Float32, NDArray[np.bool_]]:
    """Elevation with a level lake, and the lake."""
    if elevation is None:
        rows, columns = shape or (256, 256)
        if min(rows, columns) < 8:
            raise ValueError(f"shape: found {shape}, expected at least 8 x 8 pixels; give a smaller scene as elevation")
        if not 0.0 < mean_slope < math.radians(60.0):
            raise ValueError(f"mean_slope: found {mean_slope}, expected radians between 0 and {math.radians(60):.2f}")
        height = fractal_mountains(seed, shape=(rows, columns), spacing=spacing, mean_slope=mean_slope, lowest=lowest)
    else:
        height = np.array(elevation, dtype=np.float32)
        if height.ndim != 2 or (shape is not None and height.shape != tuple(shape)):
            raise ValueError(
                f"elevation: found shape {height.shape}, expected (y, x), equal to shape where that is given"
            )
        if not np.all(np.isfinite(height)):
            raise ValueError("elevation: found values that are not finite, expected metres; fill holes first")
    share = (0.01 if elevation is None else 0.0) if water is None else water
    if not 0.0 <= share < 1.0:
        raise ValueError(f"water: found {share}, expected a share of the scene in [0, 1)")
    level = np.float32(np.quantile(height, share))
    lake = height < level
    height[lake] = level
    return height, lake


def _dem_error(seed: int, height: Float32, spacing: tuple[float, float], size: float) -> Float32:
    rows, columns = height.shape
    smooth = fields.power_law(-3.0, longest=20.0 * max(spacing), shortest=2.5 * max(spacing))
    noise = fields.draw(stream(seed, Subject.DEM_ERROR), fields.spectrum((rows, columns), spacing, smooth))
    relief = height - ndimage.gaussian_filter(height, 2.0)
    spread = float(relief.std())
    ridges = relief / np.float32(spread) if spread > 0.0 else np.zeros_like(height)
    return (np.float32(size * math.sqrt(0.5)) * (noise + ridges)).astype(np.float32)


def _check(
    seed: int,
    *,
    incidence: float,
    spacing: tuple[float, float],
    looks: tuple[int, int],
    id: str | None,
    geometry: str,
) -> None:
    if seed < 0:
        raise ValueError(f"seed: found {seed}, expected a whole number of at least 0")
    if not min(spacing) > 0.0:
        raise ValueError(f"spacing: found {spacing}, expected positive metres along (y, x)")
    if not math.radians(15.0) <= incidence <= math.radians(60.0):
        raise ValueError(
            f"incidence: found {incidence}, expected radians between {math.radians(15):.2f} and "
            f"{math.radians(60):.2f}; convert degrees with math.radians"
        )
    if min(looks) < 1:
        raise ValueError(f"looks: found {looks}, expected at least one along (azimuth, range)")
    if id is not None and not re.fullmatch(r"[a-z0-9_]{1,64}", id):
        raise ValueError(f"id: found {id!r}, expected 1 to 64 of a-z, 0-9 and _")
    if geometry not in ("map", "radar"):
        raise ValueError(f"geometry: found {geometry!r}, expected 'map' or 'radar'")


def _check_sizes(**sizes: float) -> None:
    for name, size in sizes.items():
        if not size >= 0.0:
            raise ValueError(f"{name}: found {size}, expected a number of at least 0")
