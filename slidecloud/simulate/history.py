"""What each date contributes to the phase, and the pairs formed by default."""

from __future__ import annotations

import numpy as np

from slidecloud.simulate.atmosphere import delays
from slidecloud.simulate.calendar import neighbours
from slidecloud.simulate.scenes import Scene
from slidecloud.types import Float32, Pair


def default_pairs(scene: Scene, *, connections: int = 3, max_days: float = 36.0) -> tuple[Pair, ...]:
    """Each date with its next `connections` dates no more than `max_days` later."""
    return tuple(_pair(scene, i, j) for i, j in neighbours(scene.dates, connections=connections, max_days=max_days))


def phase_history(scene: Scene) -> Float32:
    """Noise-free phase of every date, float32 (date, y, x), rad, positive away from the satellite.

    ``4 pi / lambda * (delay - displacement - B dh / (R sin theta))``: B the perpendicular baseline, dh the error of the
    elevation model, R the slant range (Hanssen 2001, section 2.4; Fattahi and Amelung 2013). The noise-free phase of a
    pair is that of its secondary minus that of its reference.

    References
    ----------
    Fattahi, H., Amelung, F. (2013), DEM error correction in InSAR time series, IEEE Trans. Geosci. Remote Sens. 51(7),
    4249-4259.
    """
    radians_per_metre = np.float32(4.0 * np.pi / scene.header.wavelength)
    lever = scene.dem_error / np.float32(scene.header.slant_range) / np.sin(scene.incidence)
    history = np.empty((len(scene.dates), *scene.header.shape), dtype=np.float32)
    for index, baseline in enumerate(scene.perpendicular_baseline):
        history[index] = -scene.displacement(scene.dates[index]) - np.float32(baseline) * lever
    if scene.atmosphere is not None:
        fields = delays(
            scene.atmosphere,
            seed=scene.seed,
            dates=scene.dates,
            elevation=scene.elevation,
            incidence=scene.incidence,
            spacing=scene.header.spacing,
        )
        for path, delay in zip(history, fields, strict=True):
            path += delay
    history *= radians_per_metre
    return history


def _pair(scene: Scene, i: int, j: int) -> Pair:
    baseline = float(scene.perpendicular_baseline[j] - scene.perpendicular_baseline[i])
    return Pair(scene.dates[i], scene.dates[j], baseline)
