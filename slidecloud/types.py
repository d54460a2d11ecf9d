"""Plain frozen types that every layer may use: grids, pairs, stack headers and typed batches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

SENTINEL1_WAVELENGTH = 0.05546576
"""Radar wavelength of Sentinel-1 in metres, used where a source names none."""

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Geometry = Literal["map", "radar"]
Pass = Literal["ascending", "descending"]
SourceKind = Literal["auto", "gamma", "hyp3", "hyp3_radar", "licsar", "mapping", "mintpy", "opera", "snap", "zarr"]


class DataError(ValueError):
    """Data that cannot be used: names the thing, what was found, what was expected and what to do.

    Units that meet one go to quarantine; the rest of the run goes on.
    """


@dataclass(frozen=True, slots=True)
class Grid:
    """A north-up raster grid.

    Attributes
    ----------
    crs
        Coordinate reference system, such as ``"EPSG:4326"``.
    left, top
        Outer corner of the first pixel, in units of the CRS.
    dx, dy
        Pixel step along x (positive) and along y (negative: rows run north to south), in units of the CRS.
    height, width
        Rows and columns.
    """

    crs: str
    left: float
    top: float
    dx: float
    dy: float
    height: int
    width: int

    @property
    def x(self) -> Float64:
        """Pixel centres along x, shape (width,), units of the CRS."""
        centres: Float64 = self.left + self.dx * (np.arange(self.width, dtype=np.float64) + 0.5)
        return centres

    @property
    def y(self) -> Float64:
        """Pixel centres along y, shape (height,), units of the CRS."""
        centres: Float64 = self.top + self.dy * (np.arange(self.height, dtype=np.float64) + 0.5)
        return centres


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """One interferogram: two acquisition times (UTC, reference earlier) and the perpendicular baseline in metres.

    The baseline is NaN where the source gives none. Pairs order by (reference, secondary).
    """

    reference: np.datetime64
    secondary: np.datetime64
    perpendicular_baseline: float = float("nan")

    @property
    def key(self) -> str:
        """``YYYYMMDD_YYYYMMDD``, the name of the pair everywhere."""
        days = (np.datetime_as_string(t.astype("datetime64[D]")) for t in (self.reference, self.secondary))
        return "_".join(day.replace("-", "") for day in days)


@dataclass(frozen=True, slots=True)
class StackHeader:
    """Everything about a burst stack except its pairs and pixels; becomes the root attributes of the store.

    Attributes
    ----------
    id
        Burst (``t026_052713_iw2``), LiCSAR frame in lower case, or a slug ``[a-z0-9_]{1,64}``.
    geometry
        ``map`` (y north to south, x east) or ``radar`` (y azimuth, x range).
    shape
        (rows, columns).
    spacing
        Metres per pixel along (y, x) on the ground at the centre; positive.
    wavelength
        Metres.
    heading
        Flight direction, degrees clockwise from north.
    effective_looks
        Equivalent number of independent looks of a pixel.
    slant_range
        Sensor to scene centre, metres; NaN if unknown.
    grid
        The map grid; None in radar geometry.
    filtered
        True where the phase was filtered (Goldstein and the like) before it came to us.
    has_unwrapped
        True where the source brings unwrapped phase.
    """

    id: str
    geometry: Geometry
    shape: tuple[int, int]
    spacing: tuple[float, float]
    wavelength: float
    range_looks: int
    azimuth_looks: int
    effective_looks: float
    heading: float
    look_direction: Literal["right", "left"]
    pass_: Pass
    slant_range: float
    source: str
    processor: str
    filtered: bool
    has_unwrapped: bool
    grid: Grid | None = None


def track_of(header: StackHeader) -> str:
    """Pass and relative orbit where the id tells it (``ascending 026``), else pass and heading (``ascending 348°``)."""
    found = re.match(r"t(\d{3})_", header.id)
    return f"{header.pass_} {found[1]}" if found else f"{header.pass_} {round(header.heading) % 360}°"


@dataclass(frozen=True, slots=True)
class SourcePair:
    """A pair as a source offers it.

    Attributes
    ----------
    pair
        Times and baseline.
    files
        The files it is read from, for messages.
    fingerprint
        Changes when any of the files changes (names, sizes, modification times or versions).
    size
        Bytes of the files; 0 where they are not known.
    """

    pair: Pair
    files: tuple[str, ...]
    fingerprint: str
    size: int = 0


@dataclass(frozen=True, slots=True)
class Rejected:
    """A pair or file a source refused, and the reason as a full sentence with file and remedy."""

    key: str
    reason: str
    fingerprint: str = ""


class PairBlock(NamedTuple):
    """Rows of one pair.

    ``phase`` int16 (rows, x) binary angle (``phi = phase * pi / 32768``, 0 where no data); ``coherence`` uint8
    (rows, x), value/255, 0 = no data, valid at least 1; ``unwrapped`` float32 (rows, x) rad, NaN = no data, or None.
    """

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    unwrapped: Float32 | None


@dataclass(frozen=True, slots=True)
class SourceImage:
    """A single-look image as a source offers it.

    Attributes
    ----------
    time
        Acquisition time (UTC); one image a day.
    perpendicular_baseline
        Metres from the orbit that all images of the stack are measured from; NaN if unknown.
    files
        The files it is read from, for messages.
    fingerprint
        Changes when any of the files changes (names, sizes, modification times).
    """

    time: np.datetime64
    perpendicular_baseline: float
    files: tuple[str, ...]
    fingerprint: str

    @property
    def key(self) -> str:
        """``YYYYMMDD``, the name of the image everywhere."""
        return str(np.datetime_as_string(self.time.astype("datetime64[D]"))).replace("-", "")


class ImageBlock(NamedTuple):
    """Rows of one single-look image.

    ``samples`` complex64 (rows, x), or int16 (rows, x, 2), real and imaginary part; 0 or not finite = no data.
    ``flattening`` int16 (rows, x) binary angle that geometry has put into the phase of the samples, or None where it
    has been removed.
    """

    samples: NDArray[np.complex64] | NDArray[np.int16]
    flattening: NDArray[np.int16] | None
