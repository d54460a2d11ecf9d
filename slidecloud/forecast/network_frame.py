"""How networks scale what they see, learnt on the training part, and where their checkpoints go."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.network_drivers import DriverScaling
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.scaling import feature_scales, signed_motion
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.types import Float64


@dataclass(frozen=True)
class Frame:
    """Scaling of drivers, motion and features.

    Attributes
    ----------
    drivers
        Of rain and level.
    motion
        (points,), mm, the usual increment, negative of points that move away from the satellite.
    features
        (2, k) means and standard deviations.
    """

    drivers: DriverScaling
    motion: Float64
    features: Float64

    @staticmethod
    def learnt(displacement: Displacement, drivers: Drivers, train: Samples) -> Frame:
        """From the training part alone."""
        driven = DriverScaling.learnt(drivers.until(train.target.max()), train.inputs)
        return Frame(driven, signed_motion(train, points=displacement.points), feature_scales(train.features))

    def of_points(self, displacement: Displacement) -> Float64:
        """Scaled features (points, k); unknown ones are 0, the mean."""
        mean, spread = self.features
        found: Float64 = np.nan_to_num((displacement.features - mean) / np.where(spread > 0, spread, 1.0))
        return found


def checkpoint_file(folder: str | None, name: str, known: Iterable[Any]) -> Path | None:
    """A file for what is learnt from this and nothing else; None without a folder.

    Parameters
    ----------
    folder
        Of all checkpoints of a method.
    name
        Of the network.
    known
        Everything that the weights depend on: arrays, and values that print what they are.
    """
    if folder is None:
        return None
    digest = hashlib.sha256()
    for one in known:
        values: NDArray[Any] | None = one if isinstance(one, np.ndarray) else None
        digest.update(repr(one).encode() if values is None else repr((values.shape, values.dtype.str)).encode())
        if values is not None:
            digest.update(np.ascontiguousarray(values).tobytes())
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    return path / f"{name}-{digest.hexdigest()[:20]}.pt"
