"""Dask clusters to run on: this machine's processes, pods of Kubernetes, or a scheduler that is already there."""

from __future__ import annotations

from slidecloud.cluster.choose import executor
from slidecloud.cluster.connect import TLS, connect
from slidecloud.cluster.kubernetes import kubernetes
from slidecloud.cluster.local import local
from slidecloud.pipeline.executors import cores

__all__ = ["TLS", "connect", "cores", "executor", "kubernetes", "local"]
