"""Whether client and workers run the same thing: slidecloud, its stores' schema, Python."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, NamedTuple

import slidecloud
from slidecloud.store.schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from distributed import Client

EXPECTED: Final = "SLIDECLOUD_EXPECTED_VERSIONS"
"""Environment variable that tells a worker what its client runs."""


class VersionError(RuntimeError):
    """Workers run something else than their client."""


class Versions(NamedTuple):
    """Versions that must agree: results depend on the first two, and what is sent between processes on the last."""

    slidecloud: str
    schema: str
    python: str

    def __str__(self) -> str:
        return f"slidecloud {self.slidecloud}, schema {self.schema}, Python {self.python}"


def here() -> Versions:
    """Versions of this process; of Python, major and minor."""
    return Versions(slidecloud.__version__, SCHEMA_VERSION, f"{sys.version_info.major}.{sys.version_info.minor}")


def check(client: Client) -> None:
    """Make sure that the workers a client can reach run what it runs itself.

    Workers that join later are asked by their own preload, `slidecloud.cluster.preload`.

    Raises
    ------
    VersionError
        If one does not, or has no slidecloud at all; names it, and what it runs.
    """
    own = here()
    others = {}
    for worker, found in client.run(here, on_error="return").items():
        if isinstance(found, BaseException):
            others[worker] = f"no slidecloud that answers ({type(found).__name__}: {found})"
        elif tuple(found) != tuple(own):
            others[worker] = str(found)
    if others:
        worker, found = min(others.items())
        raise VersionError(
            f"{len(others)} of the cluster's workers run something else than this client: {worker} has {found}; "
            f"this client has {own}. Start client and workers from the same image or environment."
        )
