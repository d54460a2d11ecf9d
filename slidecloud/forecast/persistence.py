"""A point stays where the last pass saw it: what every other method has to beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from slidecloud.forecast.intervals import Calibrated, Estimate, conformal
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers


@dataclass(frozen=True)
class Persistence:
    """No motion since the last pass."""

    name: str = "persistence"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Calibrated:  # noqa: ARG002
        """Learns its intervals alone."""
        return conformal(lambda _: _still, displacement, drivers, train, blocks=1)


def _still(_displacement: Displacement, _drivers: Drivers, samples: Samples) -> Estimate:
    return Estimate(np.zeros(len(samples)))
