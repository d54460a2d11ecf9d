"""Folders of geocoded GAMMA interferograms: GeoTIFFs of unwrapped phase and coherence with GAMMA text headers.

Files are told by their names, in any subfolder: ``*YYYYMMDD-YYYYMMDD*unw.tif`` unwrapped phase,
``*YYYYMMDD-YYYYMMDD*pha.tif`` wrapped phase (both in rad, positive away from the satellite, 0 = no data),
``*YYYYMMDD-YYYYMMDD*cc.tif`` coherence, ``*dem.tif`` elevation; ``*.par`` headers of the images, ``*_base.par`` and
``*_bperp.par`` of the pairs. The two dates may also be joined by an underscore.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from statistics import median
from typing import Literal

import numpy as np

from slidecloud.stack.gamma_headers import (
    Acquisition,
    read_acquisition,
    read_perpendicular_baseline,
    read_perpendicular_table,
)
from slidecloud.stack.gamma_wavelength import common_wavelength
from slidecloud.stack.geometry import flight_pass, look_vector
from slidecloud.stack.geotiff import (
    ELEVATION_DTYPES,
    GeotiffSource,
    PairFiles,
    Survey,
    by_key,
    none_usable,
    placed,
    source_pairs,
    survey,
)
from slidecloud.stack.grids import spacing
from slidecloud.stack.names import (
    SENTINEL1_LAUNCH,
    Listing,
    SourcePath,
    date_problem,
    one_of,
    parse_day,
    parse_pair,
    printable,
)
from slidecloud.stack.rasters import Layer
from slidecloud.stack.remote import prefetch
from slidecloud.stack.source import SourceWarning, check_id
from slidecloud.types import DataError, Grid, Pair, Rejected, StackHeader

_FIRST_SAR = np.datetime64("1978-06-27", "D")
_RASTER = re.compile(r"^(?!.*\.geo\.).*(?<![A-Z])(unw|pha|cc)\.tiff?$", re.IGNORECASE | re.DOTALL)
_DEM = re.compile(r"^(?!.*\.geo\.).*(?<![A-Z])dem\.tiff?$", re.IGNORECASE | re.DOTALL)
_FILTERED = re.compile(r"filt|adf", re.IGNORECASE)


def matches(listing: Listing) -> bool:
    """Whether a folder holds rasters named the GAMMA way, with dates."""
    return any(_RASTER.match(path.name) and re.search(r"\d{8}[-_]\d{8}", path.name) for path in listing.files)


def open_gamma(listing: Listing, *, id: str | None = None, grid: Grid | None = None) -> GeotiffSource:
    """Open a folder of geocoded GAMMA interferograms.

    Parameters
    ----------
    listing
        Files of the folder.
    id
        Name of the stack; the name of the folder, in lower case, if not given.
    grid
        Grid of the stack where that exists already; else the union of the grid most pairs share.

    Raises
    ------
    DataError
        If no pair or no image header can be used, or headers contradict each other.
    ValueError
        If the id cannot name a stack.

    Warns
    -----
    WavelengthWarning
        If a TIFF tag and the headers disagree about the wavelength by more than 1e-4 of it.
    SourceWarning
        If a baseline or header cannot be used, or no header gives a radar frequency.
    """
    prefetch([path for path in listing.files if path.name.endswith(".par")])
    stack_id = check_id(listing.root.name.lower() if id is None else id, origin="folder name" if id is None else "id")
    acquisitions = _acquisitions(listing)
    sentinel1 = all(acquisition.sentinel1 for acquisition in acquisitions.values())
    files, refused = _pair_files(listing, earliest=SENTINEL1_LAUNCH if sentinel1 else _FIRST_SAR)
    if not files:
        raise DataError(none_usable(listing, refused))
    found = survey(listing, files, grid=grid)
    elevation, no_elevation = _elevation(listing, found.grid)
    header = _header(
        stack_id, acquisitions, found, common_wavelength(listing, acquisitions.values(), found.headers.values())
    )
    incidence = median(acquisition.incidence for acquisition in acquisitions.values())
    east, north, up = look_vector(header.heading, incidence, look_direction=header.look_direction)
    return GeotiffSource(
        header=header,
        pairs=source_pairs(listing, files, found.layers, _Pairs(files, acquisitions)),
        rejected=by_key(listing.refused, refused, found.rejected, no_elevation),
        layers=found.layers,
        elevation=elevation,
        constants={"incidence": incidence, "los_east": east, "los_north": north, "los_up": up},
    )


def _pair_files(listing: Listing, *, earliest: np.datetime64) -> tuple[dict[str, PairFiles], list[Rejected]]:
    """Files by pair key, and pairs or files that cannot be used by their names alone."""
    rasters: dict[str, dict[str, list[SourcePath]]] = {}
    refused: list[Rejected] = []
    for path in listing.files:
        match = _RASTER.match(path.name)
        if match is None or not (match[1].lower() == "unw" or re.search(r"\d{8}", path.name)):
            continue
        name = listing.name(path)
        try:
            days = parse_pair(path.name)
        except ValueError as error:
            refused.append(Rejected(name, f"{name} {error}: rename the file"))
            continue
        problem = date_problem(*days, earliest=earliest)
        if problem:
            refused.append(Rejected(Pair(*days).key, f"{name} {problem}"))
        else:
            rasters.setdefault(Pair(*days).key, {}).setdefault(match[1].lower(), []).append(path)
    baselines = _baseline_files(listing.files)
    files: dict[str, PairFiles] = {}
    for key, kinds in rasters.items():
        try:
            files[key] = _one_pair(kinds, baselines.get(key, ()))
        except ValueError as error:
            refused.append(Rejected(key, f"pair {key}: {error}"))
    return files, refused


def _one_pair(kinds: Mapping[str, list[SourcePath]], baselines: Iterable[SourcePath]) -> PairFiles:
    wrapped, unwrapped, coherence = (one_of(kinds.get(kind, ())) for kind in ("pha", "unw", "cc"))
    if coherence is None:
        raise ValueError("no coherence (*cc.tif), expected one file beside the phase: add it")
    if wrapped is None and unwrapped is None:
        raise ValueError("no phase (*unw.tif or *pha.tif), expected one file beside the coherence: add it")
    return PairFiles(wrapped, unwrapped, coherence, tuple(sorted(baselines)))


def _baseline_files(files: Iterable[SourcePath]) -> dict[str, list[SourcePath]]:
    found: dict[str, list[SourcePath]] = {}
    for path in files:
        if re.search(r"(base|bperp)\.par$", path.name):
            try:
                found.setdefault(Pair(*parse_pair(path.name)).key, []).append(path)
            except ValueError as error:
                warnings.warn(f"{printable(path)} {error}: it is not used", SourceWarning, stacklevel=2)
    return found


def _acquisitions(listing: Listing) -> dict[np.datetime64, Acquisition]:
    """Image headers by day: of several for one day, the multilooked one."""
    found: dict[np.datetime64, Acquisition] = {}
    problems: list[str] = []
    for path in listing.files:
        if not path.name.endswith(".par") or re.search(r"(base|bperp|dem|diff|off)[^/]*\.par$", path.name):
            continue
        try:
            acquisition = read_acquisition(path)
        except DataError as error:
            problems.append(str(error))
            continue
        day = acquisition.time.astype("datetime64[D]")
        if day not in found or acquisition.range_looks > found[day].range_looks:
            found[day] = acquisition
    if not found:
        reason = f" The first: {problems[0]}" if problems else ""
        raise DataError(
            f"{printable(listing.root)} has no usable image header, expected *mli.par or *slc.par with heading, "
            f"incidence_angle and center_time: copy the headers into the folder.{reason}"
        )
    for problem in problems:
        warnings.warn(f"{problem}. The header is not used", SourceWarning, stacklevel=2)
    return dict(sorted(found.items()))


class _Pairs:
    """Times of day from the image headers (of the first where a date has none) and baselines of pairs.

    The first, as it stays the first when later dates are added: an acquisition must not change its time.
    """

    def __init__(self, files: Mapping[str, PairFiles], acquisitions: Mapping[np.datetime64, Acquisition]) -> None:
        self._acquisitions = acquisitions
        self._look_angle = _median(acquisition.look_angle for acquisition in acquisitions.values())
        first = next(iter(acquisitions.values())).time
        self._day_time = first - first.astype("datetime64[D]")
        self._files = files

    def __call__(self, key: str) -> Pair:
        reference, secondary = (self._time(parse_day(text)) for text in key.split("_"))
        return Pair(reference, secondary, self._baseline(key))

    def _time(self, day: np.datetime64) -> np.datetime64:
        if day in self._acquisitions:
            return self._acquisitions[day].time
        time: np.datetime64 = day.astype("datetime64[s]") + self._day_time
        return time

    def _baseline(self, key: str) -> float:
        """Metres; tables are preferred to components, and NaN where neither can be used."""
        files = sorted(self._files[key].extra, key=lambda path: not path.name.endswith("bperp.par"))
        for path in files:
            try:
                if path.name.endswith("bperp.par"):
                    return read_perpendicular_table(path)
                return read_perpendicular_baseline(path, self._look_angle)
            except DataError as error:
                warnings.warn(f"{error}. The file is not used", SourceWarning, stacklevel=2)
        return math.nan


def _elevation(listing: Listing, grid: Grid) -> tuple[Layer | None, list[Rejected]]:
    paths = [path for path in listing.files if _DEM.match(path.name)]
    try:
        path = one_of(paths)
        return None if path is None else placed(listing, path, grid, ELEVATION_DTYPES), []
    except ValueError as error:
        return None, [Rejected("elevation", f"elevation: {error}")]


def _header(
    stack_id: str, acquisitions: Mapping[np.datetime64, Acquisition], found: Survey, wavelength: float
) -> StackHeader:
    images = list(acquisitions.values())
    looked = [image for image in images if image.range_looks * image.azimuth_looks > 1] or images
    heading = median(image.heading for image in images)
    phases = [layers.get("wrapped") or layers["unwrapped"] for layers in found.layers.values()]
    return StackHeader(
        id=stack_id,
        geometry="map",
        shape=(found.grid.height, found.grid.width),
        spacing=spacing(found.grid),
        wavelength=wavelength,
        range_looks=_agreed(looked, "range_looks"),
        azimuth_looks=_agreed(looked, "azimuth_looks"),
        effective_looks=median(image.effective_looks for image in looked),
        heading=heading,
        look_direction=_look_direction(images),
        pass_=flight_pass(heading),
        slant_range=_median(image.slant_range for image in images),
        source="GAMMA/GeoTIFF",
        processor="GAMMA",
        filtered=any(_FILTERED.search(layer.path.rpartition("/")[2]) for layer in phases),
        has_unwrapped=any("unwrapped" in layers for layers in found.layers.values()),
        grid=found.grid,
    )


def _agreed(images: list[Acquisition], name: str) -> int:
    values = {int(getattr(image, name)): image.path for image in images}
    if len(values) > 1:
        raise DataError(
            f"{name} differs between headers: "
            + ", ".join(f"{value} in {printable(path)}" for value, path in sorted(values.items()))
            + "; expected one value: keep images of one multilooking in a stack"
        )
    return next(iter(values))


def _look_direction(images: list[Acquisition]) -> Literal["right", "left"]:
    sides = {image.look_direction for image in images}
    if len(sides) > 1:
        raise DataError(
            f"{printable(images[0].path)} and others look to different sides (azimuth_angle), expected one: "
            "keep images of one geometry in a stack"
        )
    return next(iter(sides))


def _median(values: Iterable[float]) -> float:
    """Median of the numbers that are known, NaN if none is."""
    known = [value for value in values if not math.isnan(value)]
    return median(known) if known else math.nan
