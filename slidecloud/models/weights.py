"""Weights of a detector, with everything needed to use them and to know where they come from."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from slidecloud.kernels.calibration import Calibration
from slidecloud.models import weight_files
from slidecloud.models.architecture import Architecture
from slidecloud.models.features import Inputs
from slidecloud.models.yolo import Yolo

FORMAT: Final = "slidecloud detector 1"


@dataclass(frozen=True)
class Card:
    """What weights carry with them.

    Attributes
    ----------
    architecture
        The network they fit.
    inputs
        What it sees.
    threshold
        Score above which it is usually believed.
    calibration
        From scores to probabilities; None where it was not calibrated.
    record
        How it was trained and what it scored, plain JSON values.
    """

    architecture: Architecture
    inputs: Inputs
    threshold: float = 0.5
    calibration: Calibration | None = None
    record: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.architecture.channels != self.inputs.channels:
            raise ValueError(
                f"the network takes {self.architecture.channels} channels, but its inputs "
                f"({self.inputs.scaling}, {self.inputs.axes}) are {self.inputs.channels}"
            )


def save(path: str | os.PathLike[str], network: Yolo, card: Card) -> Path:
    """Write weights whole or not at all."""
    return weight_files.write(
        path,
        network,
        {
            "format": FORMAT,
            "architecture": card.architecture.plain(),
            "inputs": asdict(card.inputs),
            "threshold": card.threshold,
            "calibration": plain_calibration(card.calibration),
            "record": card.record,
        },
    )


def load(path: str | os.PathLike[str]) -> tuple[Yolo, Card]:
    """Read weights into a network, ready to predict.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it is damaged, not a detector, or its parts do not fit together.
    """
    found, tensors = weight_files.read(path, format=FORMAT, what="a detector", command="slidecloud train")
    try:
        card = Card(
            Architecture.from_plain(found["architecture"]),
            Inputs(**found["inputs"]),
            float(found["threshold"]),
            calibration_from(found["calibration"]),
            found["record"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise weight_files.contradiction(path, error) from None
    network = Yolo(card.architecture)
    weight_files.fill(network, tensors, path)
    return network.eval(), card


def plain_calibration(line: Calibration | None) -> dict[str, list[float]] | None:
    """A calibration as JSON values."""
    return None if line is None else {name: values.tolist() for name, values in line._asdict().items()}


def calibration_from(plain: dict[str, list[float]] | None) -> Calibration | None:
    """A calibration from what `plain_calibration` gave; raises KeyError, TypeError or ValueError where it did not."""
    if plain is None:
        return None
    return Calibration(np.array(plain["score"], np.float64), np.array(plain["probability"], np.float64))
