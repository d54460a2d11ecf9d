"""Names of HyP3 burst InSAR products, and the bursts they stand for.

Four forms of one order, ``S1_<where>_<reference>_<secondary>_<polarisation>_INT<metres>_<id>``, with where being

* ``136231_IW2``: one burst, its number counted along all orbits of a cycle and its swath;
* ``064_000000s1n00-136231s2n02-000000s3n00_IW``: several; orbit, and for each swath first burst and how many;
* ``064_E053_1_N27_3_E054_1_N27_8``: several, in the older form; orbit and corners;
* ``064_``: several products of one burst each, merged afterwards; orbit.

The two last ones tell their bursts only in the granules of their text file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from slidecloud.stack.names import parse_day

RASTERS = ("wrapped_phase", "unw_phase", "corr", "conncomp", "water_mask", "dem", "lv_theta", "lv_phi")
RADAR_RASTERS = ("wrapped_phase_rdr", "lat_rdr", "lon_rdr", "los_rdr")
PARAMETERS = "txt"

_WHERE = (
    r"(?P<number>\d{6})_IW(?P<swath>[123])"
    r"|(?P<orbit>\d{3})_(?P<swaths>\d{6}s1n\d{2}-\d{6}s2n\d{2}-\d{6}s3n\d{2})_IW"
    r"|\d{3}_[EW]\d{3}_\d_[NS]\d{2}_\d_[EW]\d{3}_\d_[NS]\d{2}_\d"
    r"|\d{3}_"
)
_FILE = re.compile(
    rf"(?P<name>S1[A-D]?_(?:{_WHERE})_(?P<reference>\d{{8}})_(?P<secondary>\d{{8}})_(?:VV|HH|VH|HV)_INT\d{{2}}_[0-9A-F]{{4}})"
    rf"(?:_(?P<layer>{'|'.join((*RASTERS, *RADAR_RASTERS))})\.tiff?|\.(?P<text>txt))"
)
_GRANULE = re.compile(r"S1_(\d{6})_IW([123])_\d{8}T\d{6}")

_BEAM, _PREAMBLE, _ORBIT = 2.758273, 2.299849, 12 * 86400 / 175


class Product(NamedTuple):
    """A product as its name tells it; `bursts` names a stack, or is empty where the name does not tell the bursts."""

    name: str
    reference: np.datetime64
    secondary: np.datetime64
    bursts: str


def parse(file_name: str) -> tuple[Product, str] | None:
    """Product and layer (one of `RASTERS`, `RADAR_RASTERS` or `PARAMETERS`) of a file, None if it is of no product.

    Raises
    ------
    ValueError
        If its dates are not in the calendar.
    """
    match = _FILE.fullmatch(file_name)
    if match is None:
        return None
    bursts = ""
    if match["number"]:
        bursts = burst_id(int(match["number"]), int(match["swath"]))
    elif match["swaths"]:
        bursts = "_".join([f"t{match['orbit']}", *(part for part in match["swaths"].split("-") if part[-2:] != "00")])
    try:
        days = parse_day(match["reference"]), parse_day(match["secondary"])
    except ValueError:
        raise ValueError("has two dates in its name, of which one is no day of the calendar") from None
    return Product(match["name"], *days, bursts), match["layer"] or PARAMETERS


def burst_id(number: int, swath: int) -> str:
    """``t064_136231_iw2``, as OPERA and COMPASS name the burst.

    The orbit follows from the number, as bursts are counted from 2.299849 s after the ascending node of orbit 1, one
    every 2.758273 s (ESA, Sentinel-1 level 1 detailed algorithm definition, equation 9-89). A burst on the node itself
    may be named after either orbit elsewhere.
    """
    orbit = int(((number - 1) * _BEAM + _PREAMBLE) // _ORBIT) + 1
    return f"t{orbit:03d}_{number:06d}_iw{swath}"


def bursts_of(granules: Iterable[str]) -> str:
    """The same for granules ``S1_136231_IW2_20200604T022312_VV_7C85-BURST``; empty if none is of that form."""
    found = sorted({(int(m[2]), int(m[1])) for m in map(_GRANULE.match, granules) if m})
    if len(found) < 2:
        return "".join(burst_id(number, swath) for swath, number in found)
    swaths = {swath: [number for other, number in found if other == swath] for swath, _ in found}
    parts = [f"{numbers[0]:06d}s{swath}n{len(numbers):02d}" for swath, numbers in swaths.items()]
    return "_".join([burst_id(found[0][1], found[0][0])[:4], *parts])
