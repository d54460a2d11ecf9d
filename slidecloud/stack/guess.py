"""What a folder that no reader knows may hold, by the names of its files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

_KNOWN = (
    (
        r"S1[A-D]{2}_\d{8}T\d{6}_\d{8}T\d{6}_\w+_G_.*",
        "HyP3 scenes processed with GAMMA, which are not read: order burst products (INSAR_ISCE_BURST), or load the "
        "scenes with MintPy and give its inputs folder",
    ),
    (
        r".*_(wrapped_phase|unw_phase|corr)\.tiff?",
        "HyP3 products under other names: keep the names they came with, such as "
        "S1_136231_IW2_20200604_20200616_VV_INT80_10C1_corr.tif",
    ),
    (
        r"S1[A-D]_IW_SLC__.*|s1[a-d]-iw\d-slc-.*",
        "single-look products of ESA, which must be made into interferograms or coregistered first (HyP3, ISCE2, "
        "GAMMA, SNAP)",
    ),
    (r".*\.(dim|img)", "products of SNAP in BEAM-DIMAP: export them as ZNAP (Zarr)"),
    (r"S1-GUNW-.*", "ARIA interferograms: load them with MintPy (prep_aria) and give its inputs folder"),
    (
        r"(filt_.*\.unw|.*\.(unw|int|cor|rdr))(\.geo)?(\.xml|\.vrt)?",
        "files of ISCE2: load them with MintPy",
    ),
    (
        r".*\d{8}[-_]\d{8}.*\.tiff?",
        "GeoTIFFs of pairs: rename them to YYYYMMDD-YYYYMMDD_unw.tif (or _pha.tif, wrapped) and "
        "YYYYMMDD-YYYYMMDD_cc.tif, with GAMMA headers (*.par) beside them",
    ),
    (r"\.z(group|array|attrs|metadata)|zarr\.json", "a Zarr store in an archive, or of another layout: unpack it"),
    (r".*\.zip", "zip archives, which are looked into on this machine only: copy them here, or unpack them there"),
    (r".*\.(h5|he5|hdf5|nc|nc4)", "HDF5 or NetCDF of a layout of its own: say with --mapping what it holds"),
)


def nearest(names: Iterable[str]) -> str:
    """What most of some file names look like, and what to do with it; empty where nothing does."""
    found: Counter[str] = Counter()
    for name in names:
        found.update(meaning for pattern, meaning in _KNOWN if re.fullmatch(pattern, name, re.DOTALL))
    # Of equals the one listed first, which is the more special.
    order = [meaning for _, meaning in _KNOWN]
    return max(found, key=lambda meaning: (found[meaning], -order.index(meaning)), default="")


def endings(names: Iterable[str]) -> str:
    """How many files of each ending: ``120 .tif, 3 .xml and 2 others``."""
    counts = Counter(PurePath(name).suffix.lower() or "without ending" for name in names).most_common()
    said = ", ".join(f"{count} {ending}" for ending, count in counts[:4])
    others = sum(count for _, count in counts[4:])
    return f"{said} and {others} others" if others else said
