"""KF-LSTM on series: what it learns, and says of samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from slidecloud.forecast.held_out import Told
from slidecloud.forecast.network_drivers import Calendar
from slidecloud.forecast.network_frame import Frame, checkpoint_file
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.models import filter_learning
from slidecloud.models.filter_learning import Asked, Followed
from slidecloud.models.fitting import Plan
from slidecloud.models.small_weights import Weights

if TYPE_CHECKING:
    from slidecloud.config_resources import Device


@dataclass(frozen=True)
class Filter:
    """What has been learnt: scaling, weights, and where they are used."""

    frame: Frame
    weights: Weights
    device: Device = "cpu"

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Told:
        # The filter runs forward: passes after an origin do not change its state there.
        seen, calendar = _followed(self.frame, displacement.until(samples.origin.max()), drivers, samples.target.max())
        question = Asked(
            samples.point.astype(np.int64),
            np.searchsorted(displacement.dates, samples.origin).astype(np.int64),
            calendar.number(samples.origin),
            calendar.number(samples.target),
        )
        mean, variance = filter_learning.forecast(self.weights, seen, question, device=self.device)
        motion = self.frame.motion[samples.point]
        return Told(mean * motion, np.sqrt(variance) * np.abs(motion))


def learn(
    displacement: Displacement, drivers: Drivers, train: Samples, plan: Plan, *, folder: str | None, device: Device
) -> Filter:
    """Learn from all passes until the last target of the training part."""
    frame = Frame.learnt(displacement, drivers, train)
    last = train.target.max()
    seen, _ = _followed(frame, displacement.until(last), drivers, last)
    file = checkpoint_file(folder, "filter", (plan, *seen.pieces, *seen[1:]))
    return Filter(frame, filter_learning.learn(seen, plan=plan, file=file, device=device), device)


def _followed(
    frame: Frame, displacement: Displacement, drivers: Drivers, last: np.datetime64
) -> tuple[Followed, Calendar]:
    calendar = frame.drivers.calendar(drivers, displacement, last)
    first = displacement.values[:, :1]
    # Every series begins near 0: only differences matter, and a filter starts from the first value anyway.
    measured = (displacement.values - np.where(np.isfinite(first), first, 0.0)) / frame.motion[:, None]
    days = calendar.number(displacement.dates)
    seen = Followed(
        calendar.pieces, calendar.plain, calendar.row, frame.of_points(displacement), days, measured
    )  # fmt: skip
    return seen, calendar
