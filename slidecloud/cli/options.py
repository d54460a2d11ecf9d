"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from cyclopts import Parameter, validators

from slidecloud.cli.errors import UsageError

Executor = Literal["dask", "threads", "serial"]

Workers = Annotated[
    int | None,
    Parameter(validator=validators.Number(gte=1), help="Workers; by default the cores of this machine."),
]

Namespace = Annotated[
    str | None, Parameter(show_default=False, help="Kubernetes namespace; by default that of the kubeconfig.")
]

Storage = Annotated[
    tuple[str, ...],
    Parameter(
        show_default=False,
        help="Option of the object store as NAME=VALUE, such as profile=geo or endpoint_url=https://...; may be "
        "repeated. A secret is given as env:VARIABLE, never in clear.",
    ),
]


def storage_options(words: Sequence[str]) -> dict[str, str]:
    """Storage options from ``NAME=VALUE`` words."""
    options: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--storage is {word!r}; expected NAME=VALUE, such as profile=geo")
        options[name] = value
    return options
