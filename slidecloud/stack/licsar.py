"""LiCSAR frames (COMET): geocoded GeoTIFFs by pair, look vectors, heights and text metadata.

Both layouts are read, as all files are told by their names: ``interferograms/<pair>/`` with ``metadata/``, and
``GEOC/<pair>/`` as LiCSBAS keeps them. Unfiltered wrapped phase (``.geo.diff_unfiltered_pha.tif``) is preferred to the
filtered one (``.geo.diff_pha.tif``), and that to wrapping the unwrapped phase (``.geo.unw.tif``). Phase is positive
away from the satellite; 0 is no data everywhere.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping

import numpy as np

from slidecloud.stack.geometry import flight_pass, heading_of
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
from slidecloud.stack.licsar_metadata import Baselines, Metadata, read_baselines, read_metadata
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
from slidecloud.stack.rasters import FLOATS, Layer, read_rows
from slidecloud.stack.source import SourceWarning, check_id
from slidecloud.types import DataError, Grid, Pair, Rejected, StackHeader

RANGE_LOOKS, AZIMUTH_LOOKS = 20, 4
EFFECTIVE_LOOKS = 40.0
"""Half of 20 x 4, as Sentinel-1 IW samples about 1.3 times (range) and 1.5 times (azimuth) its resolution."""

_KINDS = ("diff_unfiltered_pha", "diff_pha", "unw", "cc")
_RASTER = re.compile(rf"^(.*)\.geo\.({'|'.join(_KINDS)})\.tiff?$", re.DOTALL)
_FRAME = re.compile(r"(?<!\d)(\d{3}[AD]_\d{5}_\d{6})(?!\d)")


def matches(listing: Listing) -> bool:
    """Whether a folder holds rasters named as LiCSAR names them."""
    return any(_RASTER.match(path.name) for path in listing.files)


def open_licsar(listing: Listing, *, id: str | None = None, grid: Grid | None = None) -> GeotiffSource:
    """Open a LiCSAR frame.

    Parameters
    ----------
    listing
        Files of the folder.
    id
        Name of the stack; the frame, in lower case, if not given.
    grid
        Grid of the stack where that exists already; else the union of the grid most pairs share.

    Raises
    ------
    DataError
        If no pair can be used, ``metadata.txt`` is missing or broken, or the pass cannot be told.
    ValueError
        If the id cannot name a stack, or the frame cannot be told and no id is given.

    Warns
    -----
    SourceWarning
        If baselines are missing or partly unusable.
    """
    frame = _frame(listing)
    if id is None and frame is None:
        raise ValueError(
            f"{printable(listing.root)} names no frame (like 124D_04854_171313), expected one in the folder's name "
            "or in its *.geo.U.tif: pass id=..."
        )
    stack_id = check_id((frame or "").lower() if id is None else id, origin="id")
    metadata = _metadata(listing)
    baselines = _baselines(listing)
    files, refused = _pair_files(listing)
    if not files:
        raise DataError(none_usable(listing, refused))
    found = survey(listing, files, grid=grid)
    look, no_look = _look(listing, found.grid)
    elevation, no_elevation = _elevation(listing, found.grid)
    return GeotiffSource(
        header=_header(listing, stack_id, frame, metadata, found, look),
        pairs=source_pairs(listing, files, found.layers, lambda key: _pair(key, metadata, baselines)),
        rejected=by_key(listing.refused, refused, found.rejected, no_look, no_elevation),
        layers=found.layers,
        elevation=elevation,
        look=look,
    )


def _frame(listing: Listing) -> str | None:
    """The frame that the names of the metadata rasters, or of the nearest folder, give."""
    names = [path.name for path in listing.files if re.search(r"\.geo\.[ENU]\.tif$", path.name)]
    found = {match[1] for name in names for match in [_FRAME.search(name)] if match}
    if len(found) > 1:
        raise DataError(
            f"{printable(listing.root)} holds files of {len(found)} frames ({', '.join(sorted(found))}), "
            "expected one: give the folder of one frame"
        )
    if found:
        return found.pop()
    matched = [match[1] for part in reversed(listing.root.parts) for match in [_FRAME.search(part)] if match]
    return matched[0] if matched else None


def _only(listing: Listing, name: str) -> SourcePath | None:
    try:
        return one_of(path for path in listing.files if path.name == name)
    except ValueError as error:
        raise DataError(f"{printable(listing.root)} has {error}") from error


def _metadata(listing: Listing) -> Metadata:
    path = _only(listing, "metadata.txt")
    if path is None:
        raise DataError(
            f"{printable(listing.root)} has no metadata.txt, expected it for the time of day and heading: "
            "fetch it from the frame's metadata folder"
        )
    return read_metadata(path)


def _baselines(listing: Listing) -> Baselines:
    path = _only(listing, "baselines")
    if path is None:
        warnings.warn(
            f"{printable(listing.root)} has no file 'baselines': pairs have no perpendicular baseline. "
            "Fetch it from the frame's metadata folder",
            SourceWarning,
            stacklevel=3,
        )
        return Baselines({}, {})
    return read_baselines(path)


def _pair(key: str, metadata: Metadata, baselines: Baselines) -> Pair:
    days = [parse_day(text) for text in key.split("_")]
    reference, secondary = (day.astype("datetime64[s]") + metadata.day_time for day in days)
    return Pair(reference, secondary, baselines.between(days[0], days[1]))


def _pair_files(listing: Listing) -> tuple[dict[str, PairFiles], list[Rejected]]:
    """Files by pair key, and pairs or files that cannot be used by their names alone."""
    rasters: dict[str, dict[str, list[SourcePath]]] = {}
    refused: list[Rejected] = []
    for path in listing.files:
        match = _RASTER.match(path.name)
        if match is None:
            continue
        name = listing.name(path)
        try:
            if not re.fullmatch(r"\d{8}_\d{8}", match[1]):
                raise ValueError("has no name YYYYMMDD_YYYYMMDD.geo.<kind>.tif")
            days = parse_pair(match[1])
        except ValueError as error:
            refused.append(Rejected(name, f"{name} {error}: rename the file"))
            continue
        misplaced, problem = _folder_problem(path, match[1]), date_problem(*days, earliest=SENTINEL1_LAUNCH)
        if misplaced or problem:
            refused.append(Rejected(name if misplaced else match[1], f"{name} {misplaced or problem}"))
        else:
            rasters.setdefault(match[1], {}).setdefault(match[2], []).append(path)
    files: dict[str, PairFiles] = {}
    for key, kinds in rasters.items():
        try:
            files[key] = _one_pair(kinds)
        except ValueError as error:
            refused.append(Rejected(key, f"pair {key}: {error}"))
    return files, refused


def _folder_problem(path: SourcePath, key: str) -> str:
    folder = path.parent.name
    if re.fullmatch(r"\d{8}_\d{8}", folder) and folder != key:
        return f"lies in the folder of pair {folder}, expected {key}: move or rename it"
    return ""


def _one_pair(kinds: Mapping[str, list[SourcePath]]) -> PairFiles:
    unfiltered, filtered, unwrapped, coherence = (one_of(kinds.get(kind, ())) for kind in _KINDS)
    if coherence is None:
        raise ValueError("no coherence (.geo.cc.tif), expected one file beside the phase: fetch it")
    if unfiltered is None and filtered is None and unwrapped is None:
        raise ValueError("no phase (.geo.diff_pha.tif or .geo.unw.tif), expected one beside the coherence: fetch it")
    return PairFiles(unfiltered or filtered, unwrapped, coherence)


def _look(listing: Listing, grid: Grid) -> tuple[tuple[Layer, Layer, Layer] | None, list[Rejected]]:
    """Files of the east, north and up component, all or none."""
    try:
        parts = [_static(listing, grid, part, FLOATS) for part in ("E", "N", "U")]
        if all(part is None for part in parts):
            return None, []
        east, north, up = parts
        if east is None or north is None or up is None:
            missing = ", ".join(f".geo.{name}.tif" for name, part in zip("ENU", parts, strict=True) if part is None)
            raise DataError(f"{missing} missing, expected all of E, N and U: fetch them")
    except ValueError as error:
        return None, [Rejected("look_vector", f"look vector: {error}")]
    return (east, north, up), []


def _elevation(listing: Listing, grid: Grid) -> tuple[Layer | None, list[Rejected]]:
    try:
        return _static(listing, grid, "hgt", ELEVATION_DTYPES), []
    except ValueError as error:
        return None, [Rejected("elevation", f"elevation: {error}")]


def _static(listing: Listing, grid: Grid, part: str, dtypes: tuple[str, ...]) -> Layer | None:
    path = one_of(path for path in listing.files if path.name.endswith(f".geo.{part}.tif"))
    return None if path is None else placed(listing, path, grid, dtypes)


def _header(
    listing: Listing,
    stack_id: str,
    frame: str | None,
    metadata: Metadata,
    found: Survey,
    look: tuple[Layer, Layer, Layer] | None,
) -> StackHeader:
    heading = metadata.heading if not math.isnan(metadata.heading) else _heading(listing, found.grid, look)
    pass_ = flight_pass(heading)
    if frame is not None and (frame[3] == "A") != (pass_ == "ascending"):
        raise DataError(
            f"{printable(listing.root)}: frame {frame} is {'ascending' if frame[3] == 'A' else 'descending'}, but the "
            f"heading {heading:.2f} degrees is {pass_}, expected them to agree: correct metadata.txt"
        )
    phases = [layers.get("wrapped") or layers["unwrapped"] for layers in found.layers.values()]
    return StackHeader(
        id=stack_id,
        geometry="map",
        shape=(found.grid.height, found.grid.width),
        spacing=spacing(found.grid),
        wavelength=metadata.wavelength,
        range_looks=RANGE_LOOKS,
        azimuth_looks=AZIMUTH_LOOKS,
        effective_looks=EFFECTIVE_LOOKS,
        heading=heading,
        look_direction="right",
        pass_=pass_,
        slant_range=metadata.slant_range,
        source="LiCSAR",
        processor="GAMMA",
        filtered=not all(layer.path.endswith("diff_unfiltered_pha.tif") for layer in phases),
        has_unwrapped=any("unwrapped" in layers for layers in found.layers.values()),
        grid=found.grid,
    )


def _heading(listing: Listing, grid: Grid, look: tuple[Layer, Layer, Layer] | None) -> float:
    """Heading from the look vectors, for frames whose metadata lack it; the one case where opening reads pixels."""
    if look is None:
        raise DataError(
            f"{printable(listing.root)}: metadata.txt has no heading and there are no look vectors (.geo.E/N/U.tif), "
            "expected one of them: fetch them from the frame's metadata folder"
        )
    east, north = (read_rows(layer, 0, grid.height, grid.width) for layer in look[:2])
    if not np.isfinite(east).any():
        raise DataError(f"{printable(look[0].path)} holds no data, expected look vectors: fetch it again")
    return heading_of(east, north)
