"""Weights of any network in one safetensors file, with a description of what they are."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import nn

from slidecloud.types import DataError

_CARD: Final = "slidecloud"
_PASSING: Final = "num_batches_tracked"


def write(path: str | os.PathLike[str], network: nn.Module, description: Mapping[str, Any]) -> Path:
    """Write weights whole or not at all.

    Convolutions are kept in half precision; biases and statistics, which are few and may be tiny, in single.

    Parameters
    ----------
    path
        The file.
    network
        Its weights.
    description
        Plain JSON values, among them ``format``.
    """
    tensors = {
        name: (value.half() if value.ndim > 1 else value.float()).cpu().contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith(_PASSING)
    }
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        # All in one entry: the order of several is not the same twice.
        partial.write_bytes(serialise(tensors, {_CARD: json.dumps(description)}))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def read(
    path: str | os.PathLike[str], *, format: str, what: str, command: str
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The description and the tensors of a file, in single precision.

    Parameters
    ----------
    path
        The file.
    format
        That its description must have.
    what
        It is, such as ``a detector``.
    command
        That writes such files.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it is damaged, or something else.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There are no weights {str(file)!r}; '{command}' writes weights.safetensors.")
    try:
        with safe_open(file, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"The weights {str(file)!r} cannot be read ({error}); expected a whole safetensors file. "
            "Copy or train them again."
        ) from None
    try:
        description = json.loads(metadata[_CARD])
        found = description["format"]
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{str(file)!r} holds tensors but does not say that they are {what} of slidecloud; "
            f"give weights that '{command}' has written."
        ) from None
    if found != format:
        raise DataError(f"The weights {str(file)!r} are of format {found!r}; expected {format!r}. Train them again.")
    return description, tensors


def contradiction(path: str | os.PathLike[str], error: Exception) -> DataError:
    """What is said of a description whose parts do not fit together."""
    return DataError(f"The description in the weights {str(path)!r} contradicts itself: {error}. Train them again.")


def fill(network: nn.Module, tensors: Mapping[str, torch.Tensor], path: str | os.PathLike[str]) -> None:
    """Put tensors into the network they are for.

    Raises
    ------
    DataError
        If they do not fit it, or hold numbers that are not finite; ``path`` stands in the message.
    """
    expected = {name: value.shape for name, value in network.state_dict().items() if not name.endswith(_PASSING)}
    found = {name: value.shape for name, value in tensors.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        has, wants = ("none" if shapes.get(name) is None else str(tuple(shapes[name])) for shapes in (found, expected))
        raise DataError(
            f"The weights {str(path)!r} do not fit the network they describe, in {len(wrong)} tensors: "
            f"{name} is {has}, expected {wants}. Train them again."
        )
    spoilt = [name for name, value in tensors.items() if not bool(torch.isfinite(value).all())]
    if spoilt:
        raise DataError(
            f"The weights {str(path)!r} hold numbers that are not finite, in {spoilt[0]}. Train them again."
        )
    network.load_state_dict(dict(tensors), strict=False)
