"""Runs that are handed to Kubernetes: submit one, read its logs, cancel it; the client may leave in between."""

from __future__ import annotations

from slidecloud.client.jobs import cancel, logs
from slidecloud.client.submit import manifests, submit

__all__ = ["cancel", "logs", "manifests", "submit"]
