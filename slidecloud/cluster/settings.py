"""Settings of Dask that all processes of a run share, whoever starts them."""

from __future__ import annotations

from typing import Any, Final

SETTINGS: Final[dict[str, Any]] = {
    # Dask keeps the last thousand messages of every connection, for debugging. Ours bring whole units, of up to 30 kB:
    # on a scheduler of a thousand workers that would be 30 GB.
    "distributed.admin.low-level-log-length": 50,
}


def variables() -> dict[str, str]:
    """The settings as environment variables of a process that Dask's own commands start."""
    return {f"DASK_{name.replace('.', '__').replace('-', '_').upper()}": str(value) for name, value in SETTINGS.items()}
