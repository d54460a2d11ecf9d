"""MUSEnet made to extrapolate: what its ensemble learns from series, and says of samples."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from slidecloud.forecast.held_out import Told
from slidecloud.forecast.network_frame import Frame, checkpoint_file
from slidecloud.forecast.network_windows import Passed, asked, learnt_from
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.models.ensemble import Seen, member, together
from slidecloud.models.fitting import Plan
from slidecloud.models.small_weights import Weights

if TYPE_CHECKING:
    from slidecloud.config import Device


@dataclass(frozen=True)
class Ensemble:
    """What has been learnt: scaling, the weights of each member, and where they are used."""

    frame: Frame
    members: tuple[Weights, ...]
    device: Device = "cpu"

    def __call__(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Told:
        seen = _seen(self.frame, displacement, drivers, asked(samples))
        mean, variance = together(self.members, seen, device=self.device)
        motion = self.frame.motion[samples.point]
        return Told(mean * motion, np.sqrt(variance) * np.abs(motion))


_LARGEST: Final = 2048
"""Samples of a batch where there are very many."""


class Options(NamedTuple):
    """How members are learnt: `plan` with the seed of the first, how many, the folder of checkpoints, and where."""

    plan: Plan
    members: int
    folder: str | None
    device: Device


def learn(displacement: Displacement, drivers: Drivers, train: Samples, options: Options) -> Ensemble:
    """Learn each member from all passes until the last target of the training part."""
    frame = Frame.learnt(displacement, drivers, train)
    passed = learnt_from(displacement, train)
    seen = _seen(frame, displacement, drivers, passed)
    increment = passed.increment / frame.motion[passed.point]
    plan = replace(options.plan, batch=max(options.plan.batch, min(len(increment) // 40, _LARGEST)))
    made = []
    for number in range(options.members):
        own = replace(plan, seed=plan.seed * 1000 + number)
        file = checkpoint_file(options.folder, f"member-{number}", (own, *seen.pieces, *seen[1:], increment))
        one = member(seen, increment, points=displacement.points, plan=own, file=file, device=options.device)
        made.append(one)
    return Ensemble(frame, tuple(made), options.device)


def _seen(frame: Frame, displacement: Displacement, drivers: Drivers, passed: Passed) -> Seen:
    calendar = frame.drivers.calendar(drivers, displacement, passed.target.max())
    return Seen(
        calendar.pieces,
        calendar.plain,
        passed.point,
        calendar.row[passed.point],
        frame.of_points(displacement)[passed.point],
        calendar.index(passed.passes),
        passed.moved / frame.motion[passed.point, None],
        calendar.index(passed.target),
    )
