"""Series of points without the air that they share with the ground around them, by independent components of a map."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.demixing import demix
from slidecloud.store.velocity_maps import Pixels
from slidecloud.types import DataError, Float64

_STRIP: Final = 256
"""Rows of a map that are read at a time."""


class Map(Protocol):
    """What is needed of a `slidecloud.store.velocity_maps.VelocityMap`."""

    @property
    def path(self) -> str:
        """Of its group, for people."""
        ...

    def map(self, name: str) -> NDArray[np.float32]:
        """A whole map, (y, x)."""
        ...

    def series(self, name: str, pixels: Pixels) -> NDArray[np.float32]:
        """Series of some pixels, (time, n)."""
        ...


def without_air(one: Map, days: NDArray[np.datetime64], moved: Float64, config: ForecastConfig) -> Float64:
    """Displacement of points of a map less what independent components tell to be air, and season where that is asked.

    Components are learnt from the points and from pixels spread over the map, with dates up to `train_until` alone, so
    that no forecast is judged on what they were learnt from. Where no component is motion the displacement stays as it
    is: what moves is then spread over components that seem to be air, and would go with it.

    Parameters
    ----------
    one
        The map.
    days
        datetime64[D] (date,).
    moved
        (point, date), mm.
    config
        With `demix`.

    Returns
    -------
    (point, date), mm, NaN where `moved` is, and for a point with too few dates to learn from.

    Raises
    ------
    DataError
        If there are too few dates or pixels to learn from.
    """
    asked = config.demix
    assert asked is not None
    cube = np.concatenate([moved, _around(one, asked.around)])
    try:
        found = demix(
            cube, days, learn_until=np.datetime64(config.train_until, "D"), components=asked.components,
            seed=config.seed,
        )  # fmt: skip
    except (DataError, ValueError) as error:
        raise DataError(f"{one.path} cannot be separated into components: {error}. Leave out demix.") from None
    if not found.moves.any():
        return moved
    unwanted = found.atmosphere if asked.season == "keep" else found.atmosphere + found.season
    return moved - unwanted[: len(moved)]


def _around(one: Map, most: int) -> Float64:
    """Series of pixels spread evenly over a map, at most so many, mm (pixel, date)."""
    known = np.isfinite(one.map("velocity"))
    # Steps of equal length along both axes, so many that the pixels with a velocity are few enough.
    step = max(1, int(np.ceil(np.sqrt(known.sum() / most))))
    rows, columns = np.nonzero(known[::step, ::step])
    pixels = Pixels(rows * step, columns * step)
    found = []
    for top in range(0, len(known), _STRIP):
        inside = (pixels.rows >= top) & (pixels.rows < top + _STRIP)
        if inside.any():
            strip = Pixels(pixels.rows[inside], pixels.columns[inside])
            found.append(1000.0 * one.series("displacement", strip).T.astype(np.float64))
    return np.concatenate(found)
