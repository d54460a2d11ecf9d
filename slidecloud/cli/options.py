"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from cyclopts import Parameter, validators

from slidecloud.cli.errors import UsageError

Executor = Literal["dask", "threads", "serial"]

Workers = Annotated[
    int | None,
    Parameter(validator=validators.Number(gte=1), help="Workers; by default the cores of this machine."),
]

Port = Annotated[int | None, Parameter(validator=validators.Number(gte=0, lte=65535), show_default=False)]

Namespace = Annotated[
    str | None, Parameter(show_default=False, help="Kubernetes namespace; by default that of the kubeconfig.")
]

Storage = Annotated[
    tuple[str, ...],
    Parameter(
        show_default=False,
        help="Option of the object store as NAME=VALUE, such as profile=geo, endpoint_url=https://... or "
        "client_kwargs.verify=ca.pem; may be repeated. A secret is given as env:VARIABLE, never in clear.",
    ),
]


def storage_options(words: Sequence[str], option: str = "--storage") -> dict[str, Any]:
    """Storage options from ``NAME=VALUE`` words; dots in a name go into nested options, true and false are no text."""
    options: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{option} is {word!r}; expected NAME=VALUE, such as profile=geo")
        *outer, last = name.split(".")
        inner = options
        for part in outer:
            inner = inner.setdefault(part, {})
        inner[last] = {"true": True, "false": False}.get(value, value)
    return options


def memory_text(text: str) -> str:
    """The value of --memory, if it is a number of bytes with a unit."""
    from slidecloud.config_resources import parse_bytes

    try:
        parse_bytes(text)
    except ValueError as error:
        raise UsageError(f"--memory: {error}") from None
    return text


def degrees(text: str | None, count: int, option: str, expected: str) -> tuple[float, ...] | None:
    """Numbers with commas between them, such as a point or an area; None where the option is not given."""
    if text is None:
        return None
    try:
        values = tuple(float(part) for part in text.split(","))
    except ValueError:
        values = ()
    if len(values) != count:
        raise UsageError(f"{option} is {text!r}; expected {expected} in degrees")
    return values
