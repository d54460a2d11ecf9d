"""Light on the ground: the sun on slopes, shadows of mountains, clouds and their shadows."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.terrain import layover_shadow
from slidecloud.simulate import fields
from slidecloud.simulate.optical.relief import Relief
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32

AMBIENT: Final = 0.18
_CLOUD_BASE: Final = (250.0, 600.0)
_CLOUD_SIZE: Final = 700.0
_SEEN: Final = 0.15
_TRANSMITTED: Final = 0.35


class Sun(NamedTuple):
    """Where the sun stands: `elevation` above the horizon and `azimuth` clockwise from north, rad."""

    elevation: float
    azimuth: float


class Clouds(NamedTuple):
    """`cover` float32 (y, x): share of the light from the ground that clouds hide. `light` float32 (y, x): share of the
    direct sunlight that they let through to the ground."""

    cover: Float32
    light: Float32

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Pixels where a cloud shows."""
        return self.cover > _SEEN

    @property
    def shaded(self) -> NDArray[np.bool_]:
        """Pixels in the shadow of a cloud."""
        return self.light < 1.0 - _SEEN


def illumination(relief: Relief, sun: Sun, light: Float32) -> tuple[Float32, NDArray[np.bool_]]:
    """Brightness of slopes against level ground in the sun, float32 (y, x), and where mountains cast shadow.

    Direct light falls as the cosine of its angle with the ground; 0.18 of all light comes from the whole sky.

    Parameters
    ----------
    relief
        The ground.
    sun
        Where it stands.
    light
        Share of direct light that passes the clouds, (y, x).
    """
    rise_y, rise_x = relief.rise
    east, north, up = (
        math.cos(sun.elevation) * math.sin(sun.azimuth),
        math.cos(sun.elevation) * math.cos(sun.azimuth),
        math.sin(sun.elevation),
    )
    # Rows run southward: ground that rises along them leans north.
    towards = (up - rise_x * east + rise_y * north) / np.sqrt(1.0 + rise_x**2 + rise_y**2)
    # The sun shines along the direction in which a radar with this heading would look.
    heading = math.degrees(sun.azimuth) + 90.0
    dark = layover_shadow(
        relief.elevation,
        spacing=(relief.spacing, relief.spacing),
        incidence=0.5 * math.pi - sun.elevation,
        heading=heading,
    ).shadow
    direct = np.where(dark, 0.0, np.clip(towards, 0.0, None) / up) * light
    return (AMBIENT + (1.0 - AMBIENT) * direct).astype(np.float32), dark


def clouds(seed: int, date: int, *, shape: tuple[int, int], spacing: float, share: float, sun: Sun) -> Clouds:
    """Clouds over so large a share of the scene, and their shadows, which fall away from the sun.

    Raises
    ------
    ValueError
        If the share is not from 0 to 0.9.
    """
    if not 0.0 <= share <= 0.9:
        raise ValueError(f"clouds: found {share}, expected a share of the scene from 0 to 0.9")
    if not share:
        return Clouds(np.zeros(shape, np.float32), np.ones(shape, np.float32))
    rng = stream(seed, Subject.CLOUDS, date)
    away = rng.uniform(*_CLOUD_BASE) / math.tan(sun.elevation) / spacing
    down, right = round(away * math.cos(sun.azimuth)), round(-away * math.sin(sun.azimuth))
    # Clouds outside the scene may shade it, so they are drawn over more than it.
    margin = max(abs(down), abs(right))
    wide = (shape[0] + 2 * margin, shape[1] + 2 * margin)
    density = fields.power_law(-3.6, longest=_CLOUD_SIZE)
    thickness = fields.draw(rng, fields.spectrum(wide, (spacing, spacing), density))

    def part(top: int, left: int) -> Float32:
        return thickness[margin + top : margin + top + shape[0], margin + left : margin + left + shape[1]]

    edge = np.quantile(part(0, 0), 1.0 - share)
    cover, shade = (1.0 - np.exp(-5.0 * np.clip(each - edge, 0.0, None)) for each in (part(0, 0), part(-down, -right)))
    return Clouds(cover.astype(np.float32), (1.0 - (1.0 - _TRANSMITTED) * shade).astype(np.float32))
