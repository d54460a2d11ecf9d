"""Methods of forecasting as a configuration asks for them."""

from __future__ import annotations

from slidecloud.config_forecast import ForecastConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.forecast.methods import METHODS, Method


def check(config: ForecastConfig) -> None:
    """Raise ConfigError where there is no such method."""
    if config.method not in METHODS:
        raise ConfigError(f"method is {config.method!r}; expected one of {', '.join(METHODS)}.")


def made(config: ForecastConfig) -> Method:
    """The method of a configuration."""
    return METHODS[config.method]()
