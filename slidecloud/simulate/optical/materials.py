"""What grounds look like from above: reflectance in the bands that satellites have.

The figures are round ones, of the size that spectral libraries give for such surfaces. What matters is their order:
leaves are bright in the near infrared and dark in red, bare ground rises evenly towards the short-wave infrared, water
is dark throughout, snow is bright up to the near infrared and dark beyond it, clouds are bright everywhere.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from slidecloud.types import Float32

Band = Literal["blue", "green", "red", "red_edge", "nir", "swir1", "swir2"]

BANDS: Final[tuple[Band, ...]] = ("blue", "green", "red", "red_edge", "nir", "swir1", "swir2")
"""In order of wavelength: 0.49, 0.56, 0.67, 0.71, 0.84, 1.61 and 2.19 um."""

BEFORE, AFTER = "before_", "after_"
"""What the names of bands of two dates in one image begin with."""

REFLECTANCE: Final[dict[str, tuple[float, ...]]] = {
    "broadleaf": (0.025, 0.045, 0.027, 0.11, 0.40, 0.18, 0.08),
    "conifer": (0.02, 0.032, 0.024, 0.07, 0.26, 0.11, 0.05),
    "shrub": (0.045, 0.07, 0.065, 0.13, 0.28, 0.24, 0.15),
    "meadow": (0.04, 0.08, 0.05, 0.16, 0.42, 0.24, 0.12),
    "straw": (0.08, 0.12, 0.16, 0.21, 0.29, 0.36, 0.27),
    "crop": (0.035, 0.075, 0.04, 0.15, 0.46, 0.21, 0.10),
    "brown soil": (0.06, 0.09, 0.13, 0.17, 0.22, 0.32, 0.28),
    "red soil": (0.05, 0.085, 0.18, 0.23, 0.28, 0.36, 0.30),
    "loess": (0.11, 0.16, 0.22, 0.26, 0.31, 0.40, 0.36),
    "grey rock": (0.12, 0.14, 0.16, 0.17, 0.19, 0.22, 0.21),
    "gravel": (0.15, 0.17, 0.19, 0.20, 0.22, 0.25, 0.24),
    "asphalt": (0.09, 0.10, 0.11, 0.12, 0.13, 0.16, 0.16),
    "roof": (0.16, 0.17, 0.20, 0.21, 0.23, 0.27, 0.25),
    "clear water": (0.045, 0.045, 0.025, 0.015, 0.01, 0.005, 0.003),
    "muddy water": (0.08, 0.11, 0.12, 0.08, 0.04, 0.01, 0.005),
    "snow": (0.88, 0.88, 0.86, 0.83, 0.78, 0.12, 0.08),
    "cloud": (0.72, 0.71, 0.71, 0.71, 0.72, 0.60, 0.50),
}
"""Of each material, in all `BANDS`."""


def spectrum(material: str) -> Float32:
    """Reflectance of a material in all `BANDS`, float32 (band,), from 0 to 1."""
    return np.array(REFLECTANCE[material], np.float32)


def both_dates(bands: tuple[Band, ...]) -> tuple[str, ...]:
    """Names of the bands of an image that holds those of two dates."""
    return tuple(f"{date}{band}" for date in (BEFORE, AFTER) for band in bands)


def chosen(bands: tuple[Band, ...]) -> list[int]:
    """Where bands stand among `BANDS`.

    Raises
    ------
    ValueError
        If there is none, one is unknown, or one is given twice.
    """
    unknown = [band for band in bands if band not in BANDS]
    if unknown or not bands or len(set(bands)) != len(bands):
        raise ValueError(f"bands: found {', '.join(bands) or 'none'}, expected each once out of {', '.join(BANDS)}")
    return [BANDS.index(band) for band in bands]
