"""Landslides in images of any size, pixel by pixel, found by a trained U-Net."""

from __future__ import annotations

import os
from importlib.resources import as_file
from typing import TYPE_CHECKING, Final

import numpy as np

from slidecloud.models.predict import need_torch, shipped, with_threads
from slidecloud.types import Float32

if TYPE_CHECKING:
    from slidecloud.config_resources import Device
    from slidecloud.models.unet import Unet
    from slidecloud.models.unet_weights import UnetCard

SHIPPED: Final = "u-net"
"""Name of the small network that comes with slidecloud."""


class Segmenter:
    """A trained U-Net, ready to look at images; `load` makes one.

    Attributes
    ----------
    card
        What its weights say about themselves: shape, normalisation, threshold, calibration, record.
    """

    def __init__(self, network: Unet, card: UnetCard) -> None:
        from slidecloud.models.blocks import folded

        self._network = folded(network)
        self.card = card

    def scores(self, image: Float32, *, device: Device = "cpu", threads: int | None = None) -> Float32:
        """How much each pixel looks like a landslide.

        An image whose sides are no multiples of the network's stride is filled up below and to the right with what has
        no data, which reaches `UnetShape.reach` pixels back into it.

        Parameters
        ----------
        image
            (band, y, x) in the units of the training's images; NaN without data.
        device
            cpu or gpu.
        threads
            Of a CPU, for this call; by default as torch is set.

        Returns
        -------
        float32 (y, x), from 0 to 1; NaN where a band has no data.

        Raises
        ------
        DataError
            If it has another number of bands.
        """
        import torch

        from slidecloud.models.place import place

        where = place(device)
        seen = self.card.normalisation.apply(image)
        stride = self.card.shape.stride
        rows, columns = seen.shape[1:]
        filled = np.pad(seen, [(0, 0), (0, -rows % stride), (0, -columns % stride)])
        self._network.to(where)
        # TensorFloat's ten bits would show in the scores.
        with with_threads(threads), torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            batch = torch.from_numpy(filled[None]).to(where, memory_format=torch.channels_last)
            found: Float32 = torch.sigmoid(self._network(batch))[0, :rows, :columns].cpu().numpy()
        return np.where(np.isfinite(image).all(0), found, np.float32(np.nan))


def load(path: str | os.PathLike[str] | None = None) -> Segmenter:
    """A segmenter from weights.

    Parameters
    ----------
    path
        The file; by default the small network that comes with slidecloud, to try things out. It learnt images of two
        dates that were simulated, and says nothing of real ones.

    Raises
    ------
    ImportError
        If torch or safetensors is not installed; names the extra that brings them.
    FileNotFoundError
        If there is no such file.
    DataError
        If it cannot be used.
    """
    need_torch()
    from slidecloud.models import unet_weights

    if path is not None:
        return Segmenter(*unet_weights.load(path))
    with as_file(shipped(SHIPPED)) as file:
        return Segmenter(*unet_weights.load(file))
