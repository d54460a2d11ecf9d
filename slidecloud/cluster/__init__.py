"""Dask clusters to run on: this machine's processes, or a scheduler that is already there."""

from __future__ import annotations

from slidecloud.cluster.choose import executor
from slidecloud.cluster.local import connect, cores, local

__all__ = ["connect", "cores", "executor", "local"]
