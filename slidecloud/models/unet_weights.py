"""Weights of a U-Net, with everything needed to use them and to know where they come from."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from slidecloud.kernels.calibration import Calibration
from slidecloud.kernels.normalisation import Normalisation
from slidecloud.models import weight_files
from slidecloud.models.unet import Unet
from slidecloud.models.unet_shape import UnetShape
from slidecloud.models.weights import calibration_from, plain_calibration

FORMAT: Final = "slidecloud outlines 1"
COMMAND: Final = "slidecloud optical train"


@dataclass(frozen=True)
class UnetCard:
    """What weights carry with them.

    Attributes
    ----------
    shape
        Of the network they fit.
    normalisation
        From the units of the training's images to what the network sees.
    bands
        Names, in order; None where they are not known.
    threshold
        Score from which a pixel counts as landslide.
    calibration
        From scores to probabilities; None where it was not calibrated.
    record
        How it was trained and what it scored, plain JSON values.
    """

    shape: UnetShape
    normalisation: Normalisation
    bands: tuple[str, ...] | None = None
    threshold: float = 0.5
    calibration: Calibration | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        counts = {self.shape.bands, len(self.normalisation.mean), len(self.bands or self.normalisation.mean)}
        if len(counts) > 1:
            raise ValueError(
                f"the network takes {self.shape.bands} bands, but there are means of "
                f"{len(self.normalisation.mean)} and names {self.bands}"
            )


def save(path: str | os.PathLike[str], network: Unet, card: UnetCard) -> Path:
    """Write weights whole or not at all."""
    description = {
        "format": FORMAT,
        "shape": card.shape.plain(),
        "normalisation": card.normalisation.plain(),
        "bands": None if card.bands is None else list(card.bands),
        "threshold": card.threshold,
        "calibration": plain_calibration(card.calibration),
        "record": card.record,
    }
    return weight_files.write(path, network, description)


def load(path: str | os.PathLike[str]) -> tuple[Unet, UnetCard]:
    """Read weights into a network, ready to predict.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it is damaged, no U-Net of slidecloud, or its parts do not fit together.
    """
    found, tensors = weight_files.read(path, format=FORMAT, what="a network of outlines", command=COMMAND)
    try:
        named = found["bands"]
        card = UnetCard(
            UnetShape(**found["shape"]),
            Normalisation(*(tuple(map(float, found["normalisation"][name])) for name in ("mean", "deviation"))),
            None if named is None else tuple(map(str, named)),
            float(found["threshold"]),
            calibration_from(found["calibration"]),
            found["record"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise weight_files.contradiction(path, error) from None
    network = Unet(card.shape)
    weight_files.fill(network, tensors, path)
    return network.eval(), card
