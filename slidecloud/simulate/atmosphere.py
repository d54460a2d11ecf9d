"""Delays of the troposphere: turbulent mixing and vertical stratification, one field per date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from slidecloud.simulate import fields
from slidecloud.simulate.streams import Subject, date_key, stream
from slidecloud.types import Float32, Float64

LONG_REGIME = 1500.0
SHORT_REGIME = 250.0
STRENGTH_SPREAD = 0.35


@dataclass(frozen=True, slots=True)
class Atmosphere:
    """Size of the atmospheric delay of a date.

    Attributes
    ----------
    turbulence
        RMS over the scene and over dates of the turbulent delay along the line of sight, m. Dates differ in strength
        (log-normal) but keep the spectrum.
    stratified
        Standard deviation over dates of the zenith delay of the whole air column above sea level, m.
    scale_height
        Height over which the stratified delay falls by a factor e, m.
    """

    turbulence: float = 0.005
    stratified: float = 0.02
    scale_height: float = 2500.0

    def __post_init__(self) -> None:
        if min(self.turbulence, self.stratified) < 0.0 or self.scale_height <= 0.0:
            raise ValueError(f"atmosphere: found {self}, expected sizes of at least 0 and a positive scale height")


def turbulence_density(extent: float) -> fields.Density:
    """Two-dimensional power density of turbulent delay against wavenumber (cycles/m), continuous.

    One-dimensional power falls with wavenumber as k^(-5/3) beyond 1.5 km, k^(-8/3) from 1.5 km to 250 m and k^(-2/3)
    below (Hanssen 2001, section 4.7); a two-dimensional isotropic density is steeper by one. Wavelengths beyond
    `extent` (m) get no more power than `extent` itself.

    References
    ----------
    Hanssen, R. F. (2001), Radar Interferometry: Data Interpretation and Error Analysis, Kluwer.
    """

    def density(k: Float64) -> Float64:
        k = np.maximum(k, 1.0 / extent)
        middle, fine = 1.0 / LONG_REGIME, 1.0 / SHORT_REGIME
        power = np.where(k < middle, (k / middle) ** (-8.0 / 3.0), (k / middle) ** (-11.0 / 3.0))
        return np.where(k < fine, power, (fine / middle) ** (-11.0 / 3.0) * (k / fine) ** (-5.0 / 3.0))

    return density


def delays(
    atmosphere: Atmosphere,
    *,
    seed: int,
    dates: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    elevation: Float32,
    incidence: Float32,
    spacing: tuple[float, float],
) -> Iterator[Float32]:
    """Excess delay along the line of sight of every date in turn, m, float32 (y, x).

    The stratified part is ``K exp(-height / scale_height) / cos(incidence)`` with a normal K per date. A date's field
    depends on the seed, the date and the scene, never on the other dates.
    """
    extent = max(n * d for n, d in zip(elevation.shape, spacing, strict=True))
    rows, columns = elevation.shape
    of = fields.spectrum((rows, columns), spacing, turbulence_density(extent))
    column = np.exp(-elevation / atmosphere.scale_height) / np.cos(incidence)
    for date in dates:
        rng = stream(seed, Subject.TURBULENCE, date_key(date))
        # exp(-s^2) makes the mean square of the log-normal strength 1.
        strength = np.exp(STRENGTH_SPREAD * rng.standard_normal() - STRENGTH_SPREAD**2)
        mixed = np.float32(atmosphere.turbulence * strength) * fields.draw(rng, of)
        zenith = atmosphere.stratified * stream(seed, Subject.STRATIFICATION, date_key(date)).standard_normal()
        yield (mixed + np.float32(zenith) * column).astype(np.float32)
