"""What every method of forecasting offers, and their names."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple, Protocol

from slidecloud.forecast.samples import Samples
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.types import DataError, Float64

LEVEL: Final = 0.9
"""Probability with which an interval holds what is measured at the target."""


class Forecast(NamedTuple):
    """Increments since the origin (n,), mm, and the ends of an interval of probability `LEVEL` about each."""

    increment: Float64
    lower: Float64
    upper: Float64


class Fitted(Protocol):
    """A method that has learnt."""

    def predict(self, displacement: Displacement, drivers: Drivers, samples: Samples) -> Forecast:
        """Forecast samples of the points it learnt from.

        Of each sample only displacement up to its origin and drivers up to its target are looked at.
        """
        ...


class Method(Protocol):
    """A method and its options."""

    @property
    def name(self) -> str:
        """Its key in `METHODS`."""
        ...

    def fit(self, displacement: Displacement, drivers: Drivers, train: Samples, *, seed: int) -> Fitted:
        """Learn; of displacement and drivers nothing after the last target of `train` is looked at.

        Raises
        ------
        DataError
            If there is nothing to learn from.
        """
        ...


Factory = Callable[..., Method]


def _lazily(module: str, name: str) -> Factory:
    """Imported when asked for: some methods bring large libraries."""

    def made(**options: Any) -> Method:
        found: Method = getattr(importlib.import_module(f"slidecloud.forecast.{module}"), name)(**options)
        return found

    return made


METHODS: Final[dict[str, Factory]] = {
    "persistence": _lazily("persistence", "Persistence"),
    "linear": _lazily("linear", "Linear"),
    "ridge": _lazily("ridge", "Ridge"),
    "boosting": _lazily("boosting", "Boosting"),
    "kalman": _lazily("kalman", "Kalman"),
    "kalman_driven": _lazily("kalman", "KalmanDriven"),
    "kf_arima": _lazily("arima", "KalmanArima"),
    "kf_lstm": _lazily("networks", "RecurrentFilter"),
    "musenet": _lazily("networks", "Musenet"),
    "musenet_published": _lazily("networks", "PublishedMusenet"),
}
"""Makers of methods by name; keywords are their options."""


def method(name: str, **options: Any) -> Method:
    """A method by name.

    Raises
    ------
    DataError
        If there is none of that name.
    """
    if name not in METHODS:
        raise DataError(f"method: found {name!r}, expected one of {', '.join(METHODS)}.")
    return METHODS[name](**options)
