"""Checkpoints of trainings: written whole or not at all, and named when they cannot be read."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from slidecloud.types import DataError


def keep(path: Path, state: Mapping[str, Any]) -> None:
    """Write everything that the next step depends on: tensors, numbers, text, and lists and dictionaries of them."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with partial.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def taken_up(path: Path, device: torch.device) -> Iterator[dict[str, Any]]:
    """What `keep` wrote, for a block that takes it up.

    Raises
    ------
    DataError
        If the file is damaged, or what the block does with it fails because it is of another network.
    """
    try:
        yield torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # noqa: BLE001 - whatever a damaged file makes torch raise
        raise DataError(
            f"The checkpoint {str(path)!r} cannot be read ({type(error).__name__}). "
            "Remove it to begin the training again."
        ) from None
