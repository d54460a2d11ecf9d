"""How the coherence of a pair depends on place, time span and season."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from slidecloud.simulate import fields
from slidecloud.simulate.streams import Subject, stream
from slidecloud.types import Float32

SUMMER_PEAK = 0.54
WINTER_PEAK = 0.06


@dataclass(frozen=True, slots=True)
class Coherence:
    """Coherence of bare and of vegetated ground, and what the seasons take from it.

    The coherence of dates i and j is ``sqrt(q_i q_j) (p + (1 - p) exp(-|t_i - t_j| / tau))`` (long-term coherence p and
    decorrelation time tau after Zebker and Villasenor 1992, Morishita and Hanssen 2015), q the share of a date's signal
    that is not noise. Ground between bare and vegetated takes values in between.

    Attributes
    ----------
    bare_persistent, vegetated_persistent
        Coherence p that never decays, in [0, 1].
    bare_time, vegetated_time
        Decorrelation time tau, days.
    quality
        q outside the season of leaves and snow, in [0, 1].
    leaf_loss
        Share of q lost on vegetated ground in midsummer.
    snow_loss
        Share of q lost above the snow line in midwinter.
    vegetation
        Mean share of vegetated ground.
    snow_line
        Elevation of the winter snow line, m.
    """

    bare_persistent: float = 0.55
    vegetated_persistent: float = 0.03
    bare_time: float = 120.0
    vegetated_time: float = 14.0
    quality: float = 0.95
    leaf_loss: float = 0.6
    snow_loss: float = 0.95
    vegetation: float = 0.4
    snow_line: float = 2700.0

    def __post_init__(self) -> None:
        shares = ("bare_persistent", "vegetated_persistent", "quality", "leaf_loss", "snow_loss", "vegetation")
        for name in shares:
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"coherence {name}: found {getattr(self, name)}, expected a share in [0, 1]")
        for name in ("bare_time", "vegetated_time"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"coherence {name}: found {getattr(self, name)}, expected days, more than 0")

    @classmethod
    def uniform(cls, persistent: float, *, time: float = 60.0, quality: float = 1.0) -> Coherence:
        """The same coherence everywhere and in every season; `time` in days."""
        return cls(persistent, persistent, time, time, quality, leaf_loss=0.0, snow_loss=0.0)


class CoherenceMaps(NamedTuple):
    """The coherence model of every pixel, float32 (y, x): see `Coherence`. ``decorrelation_time`` in days."""

    persistent: Float32
    decorrelation_time: Float32
    quality: Float32
    leaf_loss: Float32
    snow_loss: Float32

    def quality_at(self, date: np.datetime64) -> Float32:
        """q of a date, float32 (y, x)."""
        leaves, snow = np.float32(_season(date, SUMMER_PEAK)), np.float32(_season(date, WINTER_PEAK))
        one = np.float32(1.0)
        left: Float32 = self.quality * (one - leaves * self.leaf_loss) * (one - snow * self.snow_loss)
        return left

    def row(self, row: int) -> CoherenceMaps:
        """The maps of one row, shape (x,)."""
        return CoherenceMaps(*(each[row] for each in self))

    def between(self, reference: np.datetime64, secondary: np.datetime64) -> Float32:
        """True coherence of a pair of dates, float32 (y, x)."""
        days = abs((secondary - reference) / np.timedelta64(1, "D"))
        return self.decayed(np.float32(days), self.quality_at(reference), self.quality_at(secondary))

    def decayed(self, days: np.float32 | Float32, quality: Float32, other_quality: Float32) -> Float32:
        """True coherence across `days` between dates of the given qualities; arguments broadcast."""
        one = np.float32(1.0)
        lasting = self.persistent + (one - self.persistent) * np.exp(-days / self.decorrelation_time)
        result: Float32 = np.sqrt(quality * other_quality) * lasting
        return result


def coherence_maps(model: Coherence, *, seed: int, elevation: Float32, spacing: tuple[float, float]) -> CoherenceMaps:
    """Spread a model over a scene: patchy vegetation, snow by elevation."""
    rows, columns = elevation.shape
    patches = fields.power_law(-3.0, longest=4000.0, shortest=3.0 * max(spacing))
    noise = fields.draw(stream(seed, Subject.VEGETATION), fields.spectrum((rows, columns), spacing, patches))
    share = np.float32(np.clip(model.vegetation, 1e-3, 1.0 - 1e-3))
    cover = 1.0 / (1.0 + np.exp(-3.0 * noise) * (1.0 - share) / share)
    with np.errstate(over="ignore"):  # far below the line: no snow
        snow = 1.0 / (1.0 + np.exp(-(elevation - model.snow_line) / 80.0))
    mixed = (
        _mix(model.bare_persistent, model.vegetated_persistent, cover),
        np.exp(_mix(np.log(model.bare_time), np.log(model.vegetated_time), cover)),
        np.full(elevation.shape, model.quality),
        model.leaf_loss * cover,
        model.snow_loss * snow,
    )
    return CoherenceMaps(*(each.astype(np.float32) for each in mixed))


def _mix(bare: float, vegetated: float, cover: Float32) -> Float32:
    return (np.float32(bare) + np.float32(vegetated - bare) * cover).astype(np.float32)


def _season(date: np.datetime64, peak: float) -> float:
    """Strength in [0, 1] of a season that peaks at the year fraction `peak` and lasts about four months."""
    turn = 2.0 * np.pi * (year_fraction(date) - peak)
    return float((0.5 + 0.5 * np.cos(turn)) ** 3)


def year_fraction(date: np.datetime64) -> float:
    """Time since 1 January in years of 365.25 days."""
    start = date.astype("datetime64[Y]")
    return float((date - start) / np.timedelta64(1, "D")) / 365.25
