"""Weights of small networks as NumPy arrays, which anything can keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from slidecloud.types import Float64

Weights = dict[str, NDArray[np.float32]]


def weights_of(network: nn.Module) -> Weights:
    """Copies by name."""
    return {name: value.detach().cpu().numpy().copy() for name, value in network.state_dict().items()}


def with_weights(network: nn.Module, weights: Mapping[str, NDArray[Any]], device: torch.device) -> nn.Module:
    """The network with these weights in double precision, in which how samples are batched does not show."""
    network.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in weights.items()})
    return network.to(device, torch.float64).requires_grad_(False).eval()


def tensor(values: NDArray[Any], device: torch.device, *, precision: torch.dtype = torch.float32) -> Tensor:
    """On a device; whole numbers as int64, others in a precision."""
    kind = torch.int64 if np.issubdtype(values.dtype, np.integer) else precision
    return torch.as_tensor(np.ascontiguousarray(values), dtype=kind, device=device)


def array(values: Tensor) -> Float64:
    """Of a tensor on any device."""
    found: Float64 = values.detach().cpu().numpy().astype(np.float64)
    return found
