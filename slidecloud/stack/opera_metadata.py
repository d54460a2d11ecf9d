"""What the metadata of a coregistered image of OPERA or COMPASS say: time, grid, orbit, wavelength, pass."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from slidecloud.kernels.orbits import State, View, view, zero_doppler
from slidecloud.stack.geometry import flight_pass
from slidecloud.stack.grids import TOLERANCE, spacing
from slidecloud.stack.hdf5 import Hdf5
from slidecloud.stack.opera_names import POLARISATIONS
from slidecloud.types import DataError, Float64, Grid, Pass, StackHeader

_BURST = "/metadata/processing_information/input_burst_metadata"
_PARAMETERS = "/metadata/processing_information/parameters"
_FLATTENED = ("ellipsoidal_flattening_applied", "topographic_flattening_applied")
_RESOLUTION = {"iw1": (2.7, 22.5), "iw2": (3.1, 22.7), "iw3": (3.5, 22.6)}
"""Slant range and azimuth resolution of the subswaths, metres (Sentinel-1 Product Definition, table of IW SLC)."""
_STATES = ("position", "velocity")


class ImageFacts(NamedTuple):
    """Of one image: path of its samples, time to the second, grid, wavelength (m), pass, and states of the orbit."""

    dataset: str
    time: np.datetime64
    grid: Grid
    wavelength: float
    pass_: Pass
    orbit: tuple[Float64, Float64, Float64]


def read_facts(file: Hdf5, polarisation: str | None) -> ImageFacts:
    """Read the metadata of an image, of the polarisation given or the best there is; no sample is read.

    Raises
    ------
    DataError
        If something is missing, of a wrong type, or geometry has not been removed from the phase.
    """
    for name in _FLATTENED:
        path = f"{_PARAMETERS}/{name}"
        if path in file and str(file.value(path)) in ("False", "0"):
            raise file.error(path, "is false, expected phase without geometry: process with flatten: true")
    time = _time(file, "/identification/zero_doppler_start_time")
    direction = file.text("/identification/orbit_pass_direction", expected="ascending or descending").lower()
    if direction not in ("ascending", "descending"):
        raise file.error(
            "/identification/orbit_pass_direction", f"is {direction!r}, expected ascending or descending: correct it"
        )
    wavelength = file.number(f"{_BURST}/wavelength", expected="the radar wavelength in metres")
    if not 0.005 < wavelength < 1.5:
        raise file.error(f"{_BURST}/wavelength", f"is {wavelength:g}, expected metres from 0.005 to 1.5: correct it")
    grid = grid_of(file)
    path = f"/data/{polarisation or next((name for name in POLARISATIONS if f'/data/{name}' in file), 'VV')}"
    shape = file.dataset(path, kinds="c", ndim=2, expected="complex samples").shape
    if shape != (grid.height, grid.width):
        raise file.error(
            path,
            f"has the shape {shape}, expected {(grid.height, grid.width)} like its coordinates: fetch the file again",
        )
    return ImageFacts(
        path, time, grid, wavelength, "ascending" if direction == "ascending" else "descending", _orbit(file)
    )


def grid_of(file: Hdf5) -> Grid:
    """The grid of the samples, from the coordinates of pixel centres and their spacing."""
    axes = {}
    for name in ("x", "y"):
        path = f"/data/{name}_coordinates"
        centres = file.dataset(path, kinds="f", ndim=1, expected=f"the {name} coordinates of pixel centres")
        first, last = (float(file.element(centres, place)) for place in (0, len(centres) - 1))
        step = file.number(f"/data/{name}_spacing", expected=f"the spacing of pixels along {name}")
        away = abs((last - first) - (len(centres) - 1) * step)
        if not (away <= TOLERANCE * abs(step)) or (step > 0) != (name == "x"):
            raise file.error(
                path,
                f"go from {first:.9g} to {last:.9g} in {len(centres)} steps of {step:.9g}, expected equal steps, "
                f"{'eastward' if name == 'x' else 'southward'}: fetch or make the file again",
            )
        axes[name] = first - step / 2, step, len(centres)
    (left, dx, width), (top, dy, height) = axes["x"], axes["y"]
    return Grid(_crs(file), left, top, dx, dy, height, width)


def position(facts: ImageFacts, target: Float64, name: str) -> State:
    """Where the satellite saw a place.

    Raises
    ------
    DataError
        If the orbit does not pass it.
    """
    try:
        return zero_doppler(*facts.orbit, target)
    except ValueError as error:
        raise DataError(f"{name}: /metadata/orbit cannot be used ({error}): fetch the file again") from error


class Centre(NamedTuple):
    """The middle of a grid: degrees, and Earth-fixed Cartesian metres (3,) on the ellipsoid."""

    longitude: float
    latitude: float
    target: Float64


def centre_of(grid: Grid) -> Centre:
    """The middle of a grid."""
    from pyproj import Transformer

    middle = grid.left + grid.dx * grid.width / 2, grid.top + grid.dy * grid.height / 2
    degrees = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(*middle)
    longitude, latitude = float(degrees[0]), float(degrees[1])
    place = Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True).transform(longitude, latitude, 0.0)
    return Centre(longitude, latitude, np.array(place, np.float64))


def stack_header(stack_id: str, burst: str, facts: ImageFacts, state: State, grid: Grid, name: str) -> StackHeader:
    """Header of single samples, as the first image of the burst sees them.

    Raises
    ------
    DataError
        If the orbit flies otherwise than the pass says.
    """
    middle = centre_of(grid)
    seen = view(state, middle.target, longitude=middle.longitude, latitude=middle.latitude)
    heading = math.degrees(math.atan2(seen.north, -seen.east))
    if flight_pass(heading) != facts.pass_:
        raise DataError(
            f"{name}: /metadata/orbit flies with a heading of {heading:.1f} degrees and /identification says "
            f"{facts.pass_}, expected them to agree for a right-looking radar: fetch the file again"
        )
    return StackHeader(
        id=stack_id,
        geometry="map",
        shape=(grid.height, grid.width),
        spacing=spacing(grid),
        wavelength=facts.wavelength,
        range_looks=1,
        azimuth_looks=1,
        effective_looks=_looks(burst, seen, grid),
        heading=heading,
        look_direction="right",
        pass_=facts.pass_,
        slant_range=seen.slant_range,
        source="OPERA CSLC-S1",
        processor="COMPASS",
        filtered=False,
        has_unwrapped=False,
        grid=grid,
    )


def _looks(burst: str, seen: View, grid: Grid) -> float:
    """Independent looks of a sample: its area over that of a resolution cell on the ground; below 1."""
    across, along = _RESOLUTION[burst[-3:]]
    down, right = spacing(grid)
    return down * right / (across / math.sqrt(1 - seen.up**2) * along)


def _time(file: Hdf5, path: str) -> np.datetime64:
    text = file.text(path, expected="a time such as 2017-06-05 13:27:54.123456")
    try:
        time: np.datetime64 = np.datetime64(text.strip().removesuffix("Z").replace(" ", "T")).astype("datetime64[s]")
    except ValueError as error:
        expected = "a time such as 2017-06-05 13:27:54.123456"
        raise file.error(path, f"is {text!r}, expected {expected}: correct it") from error
    return time


def _crs(file: Hdf5) -> str:
    from rasterio.crs import CRS
    from rasterio.errors import CRSError

    code = int(file.values("/data/projection", kinds="iu", ndim=0, expected="the EPSG code of the grid"))
    try:
        return f"EPSG:{CRS.from_epsg(code).to_epsg()}"
    except CRSError as error:
        raise file.error("/data/projection", f"is {code}, expected an EPSG code such as 32610: correct it") from error


def _orbit(file: Hdf5) -> tuple[Float64, Float64, Float64]:
    def column(name: str) -> Any:
        return file.values(f"/metadata/orbit/{name}", kinds="f", ndim=1, expected="state vectors of the orbit")

    parts = {name: column(name) for name in ("time", *(f"{kind}_{axis}" for kind in _STATES for axis in "xyz"))}
    if len({len(values) for values in parts.values()}) > 1:
        found = ", ".join(f"{name} {len(values)}" for name, values in parts.items())
        raise file.error("/metadata/orbit", f"has columns of several lengths ({found}), expected one: fetch it again")
    place, speed = (np.stack([parts[f"{kind}_{axis}"] for axis in "xyz"], axis=1) for kind in _STATES)
    return parts["time"], place, speed
