"""Text files of HyP3 burst InSAR products: one ``Key: value`` a line, spaces in keys and values of no meaning."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from slidecloud.stack.files import read_text
from slidecloud.stack.geometry import flight_pass
from slidecloud.stack.hyp3_names import Product, bursts_of
from slidecloud.stack.names import SourcePath, parse_day, printable
from slidecloud.types import DataError, Pass

_MAX_BASELINE = 5000.0
_DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the text file of a product tells.

    Attributes
    ----------
    path
        The file.
    reference_time, secondary_time
        Beginning of the acquisitions, UTC, datetime64[s]: that of the earliest burst granule; where granules have no
        time, the day of the product's name with ``UTC time`` (of the reference) for both.
    perpendicular_baseline
        Metres, positive where the secondary orbit lies to the right of the reference and above it, as everywhere here
        (phase of a height error h is ``-4 pi / wavelength * B h / (R sin(incidence))``). ISCE2 counts it the other
        way round (sign of ``(target - reference) x (secondary - reference) . velocity``), so ``Baseline`` is negated.
    heading
        Degrees clockwise from north, in (-180, 180].
    slant_range
        Metres to the centre; NaN if missing.
    filter_strength
        Exponent of the adaptive phase filter (Goldstein and Werner 1998); 0 where none was used.
    bursts
        Name of a stack of the granules' bursts; empty where they are no bursts.
    """

    path: SourcePath
    reference_time: np.datetime64
    secondary_time: np.datetime64
    perpendicular_baseline: float
    heading: float
    pass_: Pass
    range_looks: int
    azimuth_looks: int
    slant_range: float
    filter_strength: float
    bursts: str


def read_parameters(path: SourcePath, product: Product) -> Parameters:
    """Read the text file of a product.

    Raises
    ------
    DataError
        If it cannot be read, lacks a value, or contradicts itself or the name of the product; names file and key.
    """
    fields = _Fields(path)
    heading = fields.number("Heading", low=-360, high=360, unit="degrees")
    heading = 180 - (180 - heading) % 360
    granules = [fields.words(f"{side} Granule") for side in ("Reference", "Secondary")]
    times = [
        _time(fields, names, day, side)
        for names, day, side in zip(
            granules, (product.reference, product.secondary), ("Reference", "Secondary"), strict=True
        )
    ]
    filtered = fields.get("INSAR phase filter", "yes").lower() != "no"
    return Parameters(
        path=path,
        reference_time=times[0],
        secondary_time=times[1],
        perpendicular_baseline=-fields.number("Baseline", low=-_MAX_BASELINE, high=_MAX_BASELINE, unit="m"),
        heading=heading,
        pass_=_pass(fields, heading),
        range_looks=int(fields.number("Range looks", low=1, high=1000)),
        azimuth_looks=int(fields.number("Azimuth looks", low=1, high=1000)),
        slant_range=fields.number("Slant range center", low=1e5, high=1e7, unit="m", default=math.nan),
        filter_strength=fields.number("Phase filter parameter", low=0, high=1, default=0.5) if filtered else 0.0,
        bursts=bursts_of(granules[0]),
    )


class _Fields:
    """``Key: value`` lines, by key without spaces."""

    def __init__(self, path: SourcePath) -> None:
        self._name = printable(path)
        parts = (line.partition(":") for line in read_text(path).splitlines())
        self._values = {_plain(key): value.strip() for key, colon, value in parts if colon}
        if not self._values:
            raise DataError(f"{self._name} has no 'Key: value' line, expected HyP3 parameters: fetch it again")

    def get(self, key: str, default: str) -> str:
        return self._values.get(_plain(key), default)

    def words(self, key: str) -> list[str]:
        """What commas divide; empty if the key is missing."""
        return [part.strip() for part in self.get(key, "").split(",") if part.strip()]

    def number(self, key: str, *, low: float, high: float, unit: str = "", default: float | None = None) -> float:
        text = self.get(key, "")
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise self.error(key, text, f"a number from {low:g} to {high:g} {unit}".strip())
        return value

    def error(self, key: str, found: str, expected: str) -> DataError:
        said = repr(printable(found[:60])) if found else "missing"
        return DataError(f"{self._name}: {key} is {said}, expected {expected}: fetch the product again")


def _plain(key: str) -> str:
    return "".join(key.split()).lower()


def _time(fields: _Fields, granules: list[str], day: np.datetime64, side: str) -> np.datetime64:
    stamps = sorted({match[1] for name in granules for match in [re.search(r"(\d{8}T\d{6})(?!\d)", name)] if match})
    if stamps:
        first = stamps[0]
        try:
            time = np.datetime64(f"{parse_day(first)}T{first[9:11]}:{first[11:13]}:{first[13:]}", "s")
        except ValueError:
            raise fields.error(f"{side} Granule", first, "a name with a time YYYYMMDDThhmmss") from None
        if time.astype("datetime64[D]") != day:
            raise fields.error(f"{side} Granule", first, f"one of {day}, the date in the name of the product")
        return time
    seconds = fields.number("UTC time", low=0, high=_DAY, unit="seconds of the day, as granules have no time")
    moment: np.datetime64 = day.astype("datetime64[s]") + np.timedelta64(round(seconds), "s")
    return moment


def _pass(fields: _Fields, heading: float) -> Pass:
    found = flight_pass(heading)
    said = fields.get("Reference Pass Direction", found).lower()
    if said != found:
        raise fields.error("Reference Pass Direction", said, f"{found} as for its heading of {heading:.1f} degrees")
    return found
