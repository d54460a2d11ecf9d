"""Delays of GACOS over a patch, as displacement that they feign."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from slidecloud.kernels.troposphere import slant
from slidecloud.pipeline.geocoding import Geocoder
from slidecloud.stack.gacos import Gacos
from slidecloud.types import DataError, Float32, StackHeader

_SHOWN = 3


class Delays:
    """Delays of a folder over one patch.

    Parameters
    ----------
    folder
        As `slidecloud.stack.gacos.Gacos` takes it.
    header
        Of the patch.
    maps
        ``incidence`` (y, x) of the patch, and ``latitude`` and ``longitude`` in radar geometry.

    Raises
    ------
    DataError
        If the folder has no delays.
    """

    def __init__(self, folder: str, header: StackHeader, maps: Mapping[str, Float32]) -> None:
        self._gacos = Gacos(folder)
        incidence = maps["incidence"]
        self._incidence = np.where(np.isfinite(incidence), incidence, np.nanmedian(incidence))
        if header.grid is None:
            self._place = maps["longitude"], maps["latitude"]
        else:
            rows, columns = np.indices(header.shape) + 0.5
            longitude, latitude = Geocoder(header)(rows, columns)
            self._place = longitude.astype(np.float64), latitude.astype(np.float64)

    def expected(self, dates: Sequence[np.datetime64]) -> tuple[list[Float32 | None], list[str]]:
        """Displacement (y, x), m, that the delay of each date feigns, about the median of all dates.

        A date without a file, with a bad one, or whose file does not cover the whole patch is None; sentences say so.
        """
        found = [self._date(date) for date in dates]
        known = [one for one in found if one is not None]
        notes = []
        if len(known) < len(found):
            days = [str(date.astype("datetime64[D]")) for date, one in zip(dates, found, strict=True) if one is None]
            shown = ", ".join(days[:_SHOWN]) + (", …" if len(days) > _SHOWN else "")
            notes.append(
                f"GACOS has no delay that can be used and covers the patch at {len(days)} of {len(found)} dates "
                f"({shown}); they go without."
            )
        if not known:
            return found, notes
        middle = np.median(np.stack(known), axis=0)
        return [None if one is None else one - middle for one in found], notes

    def _date(self, date: np.datetime64) -> Float32 | None:
        longitude, latitude = self._place
        try:
            zenith = self._gacos.zenith(date, longitude, latitude)
        except DataError:
            return None
        placed = np.isfinite(longitude) & np.isfinite(latitude)
        if not placed.any() or np.isnan(zenith[placed]).any():
            return None
        # Ground whose place is not known is corrected like the middle of the patch.
        zenith = np.where(placed, zenith, np.float32(np.median(zenith[placed])))
        return -slant(zenith, self._incidence)


def fingerprint(folder: str) -> str:
    """A digest of the names, sizes and times of a folder's files.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    place = Path(folder)
    if not place.is_dir():
        raise FileNotFoundError(
            f"timeseries.atmosphere.gacos: there is no folder {folder!r}; check the path of the GACOS delays."
        )
    found = sorted((path.name, path.stat()) for path in place.iterdir() if path.is_file())
    text = "\n".join(f"{name} {about.st_size} {about.st_mtime_ns}" for name, about in found)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
