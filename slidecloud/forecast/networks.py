"""Networks among the methods: MUSEnet made to extrapolate and as published, and KF-LSTM; torch is needed to fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from slidecloud.forecast.held_out import HeldOut, Teller, held_out
from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.libraries import library

if TYPE_CHECKING:
    from slidecloud.config import Device

_JUDGES: Final = 2


@dataclass(frozen=True)
class Musenet:
    """An ensemble that forecasts increments, without the absolute year; the default.

    Attributes
    ----------
    members
        Of the ensemble. The factor of the intervals comes from two of them, which are learnt from the early part.
    steps, rate, batch
        Of learning; a batch is larger where there are very many samples.
    folder
        Of checkpoints, from which an interrupted fit goes on and a finished one is taken; None keeps none.
    device
        cpu or gpu.
    """

    members: int = 5
    steps: int = 400
    rate: float = 5e-3
    batch: int = 256
    folder: str | None = None
    device: Device = "cpu"
    name: str = "musenet"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> HeldOut:
        """Learns members and the factor of the intervals.

        Raises
        ------
        DataError
            If there is nothing to learn from, or an input is absent.
        ModuleNotFoundError
            Naming the extra where torch is not installed.
        """
        library("torch")
        from slidecloud.forecast.network_ensemble import Options, learn
        from slidecloud.models.fitting import Plan

        plan = Plan(self.steps, self.batch, self.rate, pull=0.01, seed=seed)

        def learnt(part: Samples, kept: bool) -> Teller:
            members = self.members if kept else min(self.members, _JUDGES)
            return learn(displacement, drivers, part, Options(plan, members, self.folder, self.device))

        return held_out(learnt, displacement, drivers, train)


@dataclass(frozen=True)
class RecurrentFilter:
    """KF-LSTM: an LSTM predicts and a Kalman filter corrects.

    Attributes
    ----------
    steps, rate
        Of learning.
    folder, device
        As for `Musenet`.
    """

    steps: int = 200
    rate: float = 5e-3
    folder: str | None = None
    device: Device = "cpu"
    name: str = "kf_lstm"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> HeldOut:
        """As `Musenet.fit`."""
        library("torch")
        from slidecloud.forecast.network_filter import learn
        from slidecloud.models.fitting import Plan

        plan = Plan(self.steps, 512, self.rate, pull=0.01, seed=seed)

        def learnt(part: Samples, kept: bool) -> Teller:  # noqa: ARG001
            return learn(displacement, drivers, part, plan, folder=self.folder, device=self.device)

        return held_out(learnt, displacement, drivers, train)


@dataclass(frozen=True)
class PublishedMusenet:
    """MUSEnet as published: absolute displacement from windows with absolute dates; it does not extrapolate.

    Windows are of 30 passes and 30 days as published, unless samples have others.

    Attributes
    ----------
    steps, batch
        Of learning with Adam at 1e-4.
    apart
        A network for each point, as published.
    folder, device
        As for `Musenet`.
    """

    steps: int = 2000
    batch: int = 64
    apart: bool = False
    folder: str | None = None
    device: Device = "cpu"
    name: str = "musenet_published"

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> HeldOut:
        """As `Musenet.fit`."""
        library("torch")
        from slidecloud.forecast.network_published import learn
        from slidecloud.models.fitting import Plan
        from slidecloud.models.musenet import RATE

        plan = Plan(self.steps, self.batch, RATE, decay="constant", seed=seed)

        def learnt(part: Samples, kept: bool) -> Teller:  # noqa: ARG001
            return learn(displacement, part, plan, apart=self.apart, folder=self.folder, device=self.device)

        return held_out(learnt, displacement, drivers, train)
