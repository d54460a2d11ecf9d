"""The Zarr contract: schema, templates, aligned writes, done-records, and the objects users open."""

from __future__ import annotations

from slidecloud.store.forecasts import open_forecast
from slidecloud.store.location import Location, locate
from slidecloud.store.runs import Run, open_run
from slidecloud.store.stacks import Stack, open_stack

__all__ = ["Location", "Run", "Stack", "locate", "open_forecast", "open_run", "open_stack"]
