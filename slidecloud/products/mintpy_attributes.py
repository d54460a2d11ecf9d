"""What MintPy wants to know of a burst beside its arrays: attributes, all of them text."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float64, StackHeader

EARTH_RADIUS: Final = 6_371_008.8
ORBIT_HEIGHT: Final = 693_000.0
"""m, nominal of Sentinel-1 above the ground."""
RANGE_SAMPLE: Final = 2.329562
"""m of slant range between samples of Sentinel-1 in its interferometric wide mode."""
AZIMUTH_SAMPLE: Final = 13.9
"""m along the ground between its bursts' lines."""


def attributes(header: StackHeader, time: NDArray[np.datetime64], *, reference: tuple[int, int]) -> dict[str, str]:
    """Attributes that all files of a burst share.

    Parameters
    ----------
    header
        Of the burst.
    time
        (date,) of the series, UTC.
    reference
        Row and column of a pixel that hardly moves against the stable area, for MintPy's reference point.

    Returns
    -------
    dict
        ``X_FIRST`` and ``Y_FIRST`` are the outer corner of the first pixel; lengths are in metres. Orbit height and
        samples are nominal values of Sentinel-1, the starting range is that of the scene's near edge. The processor is
        ``isce``, whose layout of geometry files these follow.
    """
    height, width = header.shape
    days = [day.replace("-", "") for day in np.datetime_as_string(time, unit="D")]
    of_day = (time - time.astype("datetime64[D]")) / np.timedelta64(1, "s")
    range_pixel, azimuth_pixel = RANGE_SAMPLE * header.range_looks, AZIMUTH_SAMPLE * header.azimuth_looks
    told: dict[str, Any] = {
        "LENGTH": height, "WIDTH": width, "WAVELENGTH": header.wavelength, "HEADING": header.heading,
        "ORBIT_DIRECTION": header.pass_.upper(), "PLATFORM": "Sen", "ANTENNA_SIDE": _side(header),
        "EARTH_RADIUS": EARTH_RADIUS, "HEIGHT": ORBIT_HEIGHT, "RANGE_PIXEL_SIZE": range_pixel,
        "AZIMUTH_PIXEL_SIZE": azimuth_pixel, "STARTING_RANGE": _near(header, range_pixel),
        "CENTER_LINE_UTC": float(np.median(of_day)), "ALOOKS": header.azimuth_looks, "RLOOKS": header.range_looks,
        "REF_Y": reference[0], "REF_X": reference[1], "REF_DATE": days[0], "START_DATE": days[0],
        "END_DATE": days[-1], "PROCESSOR": "isce", "PROJECT_NAME": header.id,
    }  # fmt: skip
    return {name: str(value) for name, value in (told | _grid(header, reference)).items()}


def slant_range(incidence: Any) -> Float64:
    """Distance from the ground to the satellite in m for an incidence angle in rad, on a sphere (law of cosines)."""
    along = EARTH_RADIUS * np.cos(incidence)
    found: Float64 = np.sqrt(along**2 + (EARTH_RADIUS + ORBIT_HEIGHT) ** 2 - EARTH_RADIUS**2) - along
    return found


def _side(header: StackHeader) -> int:
    return -1 if header.look_direction == "right" else 1


def _near(header: StackHeader, range_pixel: float) -> float:
    """Slant range of the near edge in m."""
    centre = header.slant_range if np.isfinite(header.slant_range) else float(slant_range(np.radians(39.0)))
    # A pixel of a map is as wide on the ground as it says, and less than its sine along the line of sight.
    step = range_pixel if header.grid is None else header.spacing[1] * np.sin(np.radians(39.0))
    return float(centre - step * header.shape[1] / 2)


def _grid(header: StackHeader, reference: tuple[int, int]) -> dict[str, Any]:
    from pyproj import CRS, Transformer

    grid = header.grid
    if grid is None:
        return {}
    crs = CRS.from_user_input(grid.crs)
    unit = "degrees" if crs.is_geographic else "meters"
    found = {
        "X_FIRST": grid.left, "Y_FIRST": grid.top, "X_STEP": grid.dx, "Y_STEP": grid.dy, "X_UNIT": unit, "Y_UNIT": unit,
    }  # fmt: skip
    if (code := crs.to_epsg()) is not None:
        found["EPSG"] = code
    if crs.utm_zone is not None:
        found["UTM_ZONE"] = crs.utm_zone
    turn = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    longitude, latitude = turn.transform(float(grid.x[reference[1]]), float(grid.y[reference[0]]))
    return {**found, "REF_LAT": latitude, "REF_LON": longitude}
