"""Where torch works: a CPU, or the NVIDIA GPU that was asked for, and nothing in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from slidecloud.config_resources import Device


def place(device: Device) -> torch.device:
    """Torch's name of a device.

    Raises
    ------
    RuntimeError
        If a GPU is asked for and torch cannot use one.
    """
    if device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        reason = "is a build for CPUs" if torch.version.cuda is None else "finds no NVIDIA GPU"
        raise RuntimeError(
            f"The device is gpu, but torch {torch.__version__} {reason}; "
            "install a CUDA build of torch where there is an NVIDIA driver, or use the device cpu."
        )
    return torch.device("cuda")
