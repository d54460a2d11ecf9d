"""MUSEnet as published, on series: absolute displacement from absolute dates.

What the publication (IEEE JSTARS 2023) does not tell is ours: the units of the LSTMs, the scaling of every column to
mean 0 and spread 1 on the training part, batches, and the number of steps. It learns a network for each point; here one
learns from all points together unless `apart` is asked for, which takes as many times as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from slidecloud.forecast.held_out import Told
from slidecloud.forecast.network_frame import checkpoint_file
from slidecloud.forecast.samples import INPUTS, Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.models import musenet_learning
from slidecloud.models.fitting import Plan
from slidecloud.models.small_weights import Weights
from slidecloud.types import Float64

if TYPE_CHECKING:
    from slidecloud.config_resources import Device


_TINY: Final = 1e-3
"""mm; the spread of displacement where nothing moves."""


class Scales(NamedTuple):
    """Mean and spread of the windows' columns, (inputs, 4) each, and of displacement; `steps` of each input."""

    mean: Float64
    spread: Float64
    displacement: tuple[float, float]
    steps: tuple[int, ...]


@dataclass(frozen=True)
class Published:
    """What has been learnt: scales and weights of networks; the size of errors of points, and their networks or -1."""

    scales: tuple[Scales, ...]
    weights: tuple[Weights, ...]
    size: Float64
    of_point: NDArray[np.int64]
    device: Device = "cpu"

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Told:  # noqa: ARG002
        windows, found = windows_of(samples), np.full(len(samples), np.nan)
        for number, (scales, weights) in enumerate(zip(self.scales, self.weights, strict=True)):
            own = self.of_point[samples.point] == number
            if own.any():
                mean, spread = scales.displacement
                seen = _joined([window[own] for window in windows], scales)
                told = musenet_learning.forecast(weights, seen, steps=scales.steps, device=self.device)
                found[own] = mean + spread * told - samples.value[own]
        return Told(found, self.size[samples.point])


def learn(
    displacement: Displacement, train: Samples, plan: Plan, *, apart: bool, folder: str | None, device: Device
) -> Published:
    """Learn one network, or one for each point that has samples: the others are then not forecast."""
    windows, moved = windows_of(train), train.value + train.increment
    points, count = np.unique(train.point, return_counts=True)
    of_point = np.full(displacement.points, -1 if apart else 0)
    if apart:
        of_point[points] = np.arange(len(points))
    scales, weights = [], []
    for number in range(int(of_point.max()) + 1):
        own = of_point[train.point] == number
        chosen = [window[own] for window in windows]
        scales.append(_scales(chosen, moved[own]))
        known, (mean, spread), steps = _joined(chosen, scales[-1]), scales[-1].displacement, scales[-1].steps
        wanted = (moved[own] - mean) / spread
        file = checkpoint_file(folder, f"published-{number}", (plan, known, wanted))
        weights.append(musenet_learning.learn(known, wanted, steps=steps, plan=plan, file=file, device=device))
    # One size for all horizons: the published network tells none.
    own_size = np.sqrt(np.bincount(train.point, train.increment**2)[points] / count)
    size = np.full(displacement.points, np.median(own_size))
    size[points] = own_size
    return Published(tuple(scales), tuple(weights), size, of_point, device)


def windows_of(samples: Samples) -> list[Float64]:
    """Windows (n, steps, 4) of displacement and each driver, newest first: value, year, month and day.

    Unknown days of a driver have the mean of the known days of their window.
    """
    parts = [(samples.displacement + samples.value[:, None], samples.displacement_dates)]
    parts += [(getattr(samples, name), getattr(samples, f"{name}_dates")) for name in INPUTS[samples.inputs]]
    return [_dated(*part) for part in parts]


def _dated(values: Float64, dates: NDArray[np.datetime64]) -> Float64:
    month, day = dates.astype("datetime64[M]"), dates.astype(np.int64)
    year = dates.astype("datetime64[Y]").astype(np.int64) + 1970
    in_month = day - month.astype("datetime64[D]").astype(np.int64) + 1
    known = np.where(np.isfinite(values), values, np.nanmean(values, axis=1, keepdims=True))
    return np.stack([known, year, month.astype(np.int64) % 12 + 1, in_month], axis=2).astype(np.float64)


def _scales(windows: list[Float64], moved: Float64) -> Scales:
    spread = np.stack([window.std(axis=(0, 1)) for window in windows])
    return Scales(
        np.stack([window.mean(axis=(0, 1)) for window in windows]),
        np.where(spread > 0, spread, 1.0),
        (float(moved.mean()), max(float(moved.std()), _TINY)),
        tuple(window.shape[1] for window in windows),
    )


def _joined(windows: list[Float64], scales: Scales) -> Float64:
    """Scaled, (n, all steps, 4): (n, 60, 4) or (n, 90, 4) as published."""
    scaled = zip(windows, scales.mean, scales.spread, strict=True)
    return np.concatenate([(window - mean) / spread for window, mean, spread in scaled], axis=1)
