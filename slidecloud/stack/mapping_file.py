"""The file that says what a plain stack holds: YAML or JSON, strict."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import ValidationError

from slidecloud.config import ConfigError, explain
from slidecloud.config_mapping import EXAMPLE, MappingConfig
from slidecloud.stack.names import printable

_LARGEST = 2**20


def load_mapping(path: str) -> MappingConfig:
    """Read a mapping.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ConfigError
        If it is neither YAML nor JSON, or a key is unknown (the nearest is named), missing or has a wrong value.
    """
    file, name = Path(path), printable(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no mapping {name}; write one such as:\n{EXAMPLE}")
    if file.stat().st_size > _LARGEST:
        raise ConfigError(f"{name} has {file.stat().st_size} bytes; expected a mapping of a few lines")
    try:
        content = yaml.safe_load(file.read_bytes().decode(errors="replace"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigError(f"{name} is neither YAML nor JSON: {error}") from None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise ConfigError(f"{name} holds {type(content).__name__}; expected keys and values such as:\n{EXAMPLE}")
    try:
        return MappingConfig.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{name}: {explain(error, MappingConfig)}") from None
