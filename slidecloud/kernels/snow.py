"""Snow in Sentinel-2 scenes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST_INDEX: Final = 0.4
LEAST_GREEN: Final = 0.28
LEAST_INFRARED: Final = 0.15


def snow_mask(green: ArrayLike, shortwave: ArrayLike, infrared: ArrayLike) -> NDArray[np.bool_]:
    """Snow by its index (green - shortwave) / (green + shortwave), and by being bright.

    Snow is bright in green and dark in the short-wave infrared; water is too, but dark in green and in the near
    infrared. Thresholds are those of Fu et al. (2022): index above 0.4, green above 0.28, near infrared above 0.15.

    Parameters
    ----------
    green, shortwave, infrared
        Surface reflectance in [0, 1] of the bands B3, B11 and B8A (20 m), any one shape. NaN, or 0 in green and
        shortwave together, is no data.

    Returns
    -------
    bool, in their shape; False where there is no data.

    Raises
    ------
    ValueError
        If shapes differ, or values are no reflectances but digital numbers.
    """
    bands = {"green": green, "shortwave": shortwave, "infrared": infrared}
    b3, b11, b8a = (np.asarray(values, dtype=np.float32) for values in bands.values())
    if not b3.shape == b11.shape == b8a.shape:
        raise ValueError(f"bands: found shapes {b3.shape}, {b11.shape} and {b8a.shape}, expected one")
    for name, values in zip(bands, (b3, b11, b8a), strict=True):
        largest = float(np.nanmax(values, initial=0.0))
        if largest > 20.0:  # bright snow in the sun may exceed 1, digital numbers are in the thousands
            raise ValueError(
                f"{name}: found up to {largest:g}, expected reflectance in [0, 1]; Sentinel-2 L2A stores it times "
                "10000 (and, since 2022, with an offset of -0.1)"
            )
    total = b3 + b11
    index = np.divide(b3 - b11, total, out=np.zeros_like(total), where=total > 0)
    snow: NDArray[np.bool_] = (index > LEAST_INDEX) & (b3 > LEAST_GREEN) & (b8a > LEAST_INFRARED)
    return snow
