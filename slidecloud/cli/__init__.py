"""The command line: parses, calls, prints. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

from slidecloud.cli.app import main

__all__ = ["main"]
