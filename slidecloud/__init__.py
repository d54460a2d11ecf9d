"""slidecloud finds and watches slow-moving landslides over whole countries from Sentinel-1 interferograms."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "open_forecast", "open_run", "open_stack"]

if TYPE_CHECKING:
    from slidecloud.store import open_forecast, open_run, open_stack


logging.getLogger(__name__).addHandler(logging.NullHandler())  # a library prints nothing by itself


def __getattr__(name: str) -> Any:
    # Importing zarr and xarray takes a second; the command line must answer sooner.
    if name in ("open_forecast", "open_run", "open_stack"):
        from slidecloud import store

        return getattr(store, name)
    raise AttributeError(f"module 'slidecloud' has no attribute {name!r}")
