"""What the training of outlines makes small: wrong belief in pixels, and overlap that is missed."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional


class UnetLoss(NamedTuple):
    """Loss of a batch and its parts, each a scalar.

    Attributes
    ----------
    total
        To be made small.
    entropy
        Cross-entropy, mean over known pixels.
    dice
        1 - Dice coefficient of all known pixels of the batch together.
    """

    total: Tensor
    entropy: Tensor
    dice: Tensor


def unet_loss(logits: Tensor, truth: Tensor, known: Tensor, *, dice: float = 0.5) -> UnetLoss:
    """Cross-entropy and soft Dice loss, ``(1 - d) entropy + d (1 - (2 sum p t + 1) / (sum p + sum t + 1))``.

    Over the batch, not over each image: of an image without landslide the Dice coefficient says nothing.

    Parameters
    ----------
    logits, truth, known
        (image, y, x); truth 1 where there is a landslide, known 1 where that counts.
    dice
        Its share d, from 0 to 1.

    References
    ----------
    Milletari, F., Navab, N., Ahmadi, S.-A. (2016), V-Net: fully convolutional neural networks for volumetric medical
    image segmentation, 3DV, 565-571.
    """
    logits = logits.float()
    pixels = known.sum().clamp(min=1)
    each = functional.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    entropy = (each * known).sum() / pixels
    belief = logits.sigmoid() * known
    wanted = truth * known
    overlap = 1 - (2 * (belief * wanted).sum() + 1) / (belief.sum() + wanted.sum() + 1)
    return UnetLoss((1 - dice) * entropy + dice * overlap, entropy, overlap)
