"""Methods of forecasting as a configuration asks for them, and where networks among them learn."""

from __future__ import annotations

import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any, Final

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_resources import Device
from slidecloud.config_yaml import ConfigError
from slidecloud.forecast.methods import METHODS, Fitted, Method
from slidecloud.libraries import library
from slidecloud.store.forecast_specs import CHECKPOINTS
from slidecloud.store.location import Location

NETWORKS: Final = frozenset({"musenet", "musenet_published", "kf_lstm"})
"""Methods that learn step by step, with checkpoints, on a CPU or a GPU."""
_LIBRARIES: Final = {"boosting": "lightgbm", "kf_arima": "statsmodels"}
"""Of the extra ``forecast``, by method."""
_OURS: Final = frozenset({"name", "folder", "device"})
"""Options of methods that are not the configuration's to give."""


def check(config: ForecastConfig) -> None:
    """Refuse what no method can do.

    Raises
    ------
    ConfigError
        If there is no such method or option, or the method has no use for a GPU.
    ModuleNotFoundError
        Naming the extra where the library of a method is not installed.
    """
    for key, name in (("method", config.method), *(("beside", name) for name in config.beside)):
        if name not in METHODS:
            raise ConfigError(f"{key} is {name!r}; expected one of {', '.join(METHODS)}.")
    if config.resources.device == "gpu" and config.method not in NETWORKS:
        raise ConfigError(
            f"resources.device is gpu, and the method {config.method!r} has no use for one; give cpu, or one of "
            f"{', '.join(sorted(NETWORKS))}."
        )
    _check_options(config)
    for name in (config.method, *config.beside):
        if name in NETWORKS:
            library("torch")
        elif name in _LIBRARIES:
            library(_LIBRARIES[name], extra="forecast")
    if config.demix is not None:
        library("sklearn", extra="forecast")


def _check_options(config: ForecastConfig) -> None:
    """Raise ConfigError for an option that the method does not have, or a value that it cannot take."""
    plain: Any = METHODS[config.method]()
    known = {field.name: getattr(plain, field.name) for field in dataclasses.fields(plain) if field.name not in _OURS}
    for name, value in config.options.items():
        if name not in known:
            has = ", ".join(sorted(known)) or "none"
            raise ConfigError(f"options: the method {config.method!r} has no {name!r}; it has {has}.")
        kind = type(known[name])
        if kind is bool:
            fits, expected = isinstance(value, bool), "true or false"
        elif kind is int:
            fits, expected = type(value) is int and value >= 1, "a whole number of at least 1"
        else:
            fits, expected = not isinstance(value, bool) and 0 < value < math.inf, "a number above 0"
        if not fits:
            raise ConfigError(f"options: {name} of the method {config.method!r} is {value!r}; expected {expected}.")


def made(config: ForecastConfig, location: Location, name: str | None = None) -> Method:
    """The method of a configuration, or another one, for a store."""
    options: dict[str, Any] = dict(config.options) if name is None else {}
    if (name or config.method) in NETWORKS:
        options |= {"folder": _folder(location), "device": device_of(config, name)}
    return METHODS[name or config.method](**options)


def device_of(config: ForecastConfig, name: str | None = None) -> Device:
    """Where a method works."""
    return config.resources.device if (name or config.method) in NETWORKS else "cpu"


def on_device(fitted: Fitted, device: Device) -> Fitted:
    """What was learnt, wherever that was, for use on a device."""
    teller: Any = getattr(fitted, "teller", None)
    if not hasattr(teller, "device"):
        return fitted
    moved: Fitted = dataclasses.replace(fitted, teller=dataclasses.replace(teller, device=device))  # type: ignore[type-var]
    return moved


def forget_checkpoints(location: Location) -> None:
    """Remove what was kept of networks that have learnt to the end."""
    folder = _folder(location)
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)


def _folder(location: Location) -> str | None:
    """Of checkpoints, beside the records of a store on this machine; elsewhere there is none, and no half is kept."""
    return str(Path(location.url) / CHECKPOINTS) if location.is_local else None
