"""The file that says what a plain stack holds: YAML or JSON, strict."""

from __future__ import annotations

from pathlib import Path

from slidecloud.config_mapping import EXAMPLE, MappingConfig
from slidecloud.config_yaml import ConfigError, parsed
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
    text = file.read_bytes().decode(errors="replace")
    return parsed(text, MappingConfig, name=name, form="YAML or JSON", example=f"\n{EXAMPLE}")
