"""What must never stand in a file, a record or a log: passwords, keys and tokens in clear."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from typing import Any

_WORDS = ("key", "secret", "token", "password", "credential", "connection_string", "signature")
_IN_URL = re.compile(
    r"://[^/@\s]*:[^/@\s]+@|[?&](sig|[\w-]*(?:key|secret|token|password|credential|signature)[\w-]*)=", re.I
)

_USER_IN_URL = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_VALUE_IN_URL = re.compile(r"([?&][\w-]*(?:sig|key|secret|token|password|credential|signature)[\w-]*=)[^&\s\"']+", re.I)
_SHORTEST = 8
"""Letters of a value that is worth hiding: shorter ones stand in many words."""


def refuse_secrets(options: Mapping[str, Any]) -> None:
    """Raise ValueError if an option, nested ones too, holds a secret in clear instead of ``env:NAME``."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            refuse_secrets(value)
        elif isinstance(value, str | bytes) and not str(value).startswith("env:") and _holds_secret(name, str(value)):
            raise ValueError(
                f"{name} holds a secret in clear; write env:NAME with the name of an environment variable, "
                "or give a profile. Secrets must not stand in files"
            )


def _holds_secret(name: str, value: str) -> bool:
    return any(word in name.lower() for word in _WORDS) or _IN_URL.search(value) is not None


def variables(options: Mapping[str, Any]) -> set[str]:
    """Names of the environment variables that options ask for."""
    nested = [variables(value) for value in options.values() if isinstance(value, Mapping)]
    return set().union(*nested, (v[4:] for v in options.values() if isinstance(v, str) and v.startswith("env:")))


def hide(text: str) -> str:
    """A text with ``***`` in place of the values of environment variables that hold secrets, and of secrets in URLs."""
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST and any(word in name.lower() for word in _WORDS):
            text = text.replace(value, "***").replace(json.dumps(value)[1:-1], "***")
    return _VALUE_IN_URL.sub(r"\1***", _USER_IN_URL.sub("://***@", text))
