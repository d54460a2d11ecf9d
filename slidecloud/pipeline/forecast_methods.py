"""Methods of forecasting as a configuration asks for them."""

from __future__ import annotations

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.forecast.methods import METHODS, Method


def check(config: ForecastConfig) -> None:
    """Raise ConfigError where there is no such method."""
    for key, name in (("method", config.method), *(("beside", name) for name in config.beside)):
        if name not in METHODS:
            raise ConfigError(f"{key} is {name!r}; expected one of {', '.join(METHODS)}.")


def made(config: ForecastConfig, name: str | None = None) -> Method:
    """The method of a configuration, or another one."""
    return METHODS[name or config.method]()
