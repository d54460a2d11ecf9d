"""Weights in one safetensors file, with everything needed to use them and to know where they come from."""

from __future__ import annotations

import json
import os
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise

from slidecloud.kernels.calibration import Calibration
from slidecloud.models.architecture import Architecture
from slidecloud.models.features import Inputs
from slidecloud.models.yolo import Yolo
from slidecloud.types import DataError

FORMAT: Final = "slidecloud detector 1"

_PASSING: Final = "num_batches_tracked"


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
    """Write weights whole or not at all.

    Convolutions are kept in half precision; biases and statistics, which are few and may be tiny, in single.
    """
    tensors = {
        name: (value.half() if value.ndim > 1 else value.float()).cpu().contiguous()
        for name, value in network.state_dict().items()
        if not name.endswith(_PASSING)
    }
    line = card.calibration
    metadata = {
        "format": FORMAT,
        "architecture": card.architecture.plain(),
        "inputs": asdict(card.inputs),
        "threshold": card.threshold,
        "calibration": None if line is None else {name: values.tolist() for name, values in line._asdict().items()},
        "record": card.record,
    }
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
    try:
        partial.write_bytes(serialise(tensors, {name: json.dumps(value) for name, value in metadata.items()}))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def load(path: str | os.PathLike[str]) -> tuple[Yolo, Card]:
    """Read weights into a network, ready to predict.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DataError
        If it is damaged, not a detector, or its parts do not fit together.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There are no weights {str(file)!r}; 'slidecloud train' writes weights.safetensors.")
    try:
        with safe_open(file, framework="pt") as stored:
            metadata = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name).float() for name in stored.keys()}  # noqa: SIM118 - no dict
    except (SafetensorError, OSError) as error:
        raise DataError(
            f"The weights {str(file)!r} cannot be read ({error}); expected a whole safetensors file. "
            "Copy or train them again."
        ) from None
    card = _card(file, metadata)
    network = Yolo(card.architecture)
    _check(file, tensors, network)
    network.load_state_dict(tensors, strict=False)
    return network.eval(), card


def _card(file: Path, metadata: dict[str, str]) -> Card:
    try:
        found = {name: json.loads(text) for name, text in metadata.items() if name != "format"}
        kind = json.loads(metadata["format"])
    except (KeyError, ValueError):
        raise DataError(
            f"{str(file)!r} holds tensors but does not say that they are a detector of slidecloud; "
            "give weights that 'slidecloud train' has written."
        ) from None
    if kind != FORMAT:
        raise DataError(f"The weights {str(file)!r} are of format {kind!r}; expected {FORMAT!r}. Train them again.")
    try:
        line = found["calibration"]
        return Card(
            Architecture.from_plain(found["architecture"]),
            Inputs(**found["inputs"]),
            float(found["threshold"]),
            None
            if line is None
            else Calibration(np.array(line["score"], np.float64), np.array(line["probability"], np.float64)),
            found["record"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"The description in the weights {str(file)!r} contradicts itself: {error}. Train them again."
        ) from None


def _check(file: Path, tensors: dict[str, torch.Tensor], network: Yolo) -> None:
    expected = {name: value.shape for name, value in network.state_dict().items() if not name.endswith(_PASSING)}
    found = {name: value.shape for name, value in tensors.items()}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        has, wants = ("none" if shapes.get(name) is None else str(tuple(shapes[name])) for shapes in (found, expected))
        raise DataError(
            f"The weights {str(file)!r} do not fit the network they describe, in {len(wrong)} tensors: "
            f"{name} is {has}, expected {wants}. Train them again."
        )
    spoilt = [name for name, value in tensors.items() if not bool(torch.isfinite(value).all())]
    if spoilt:
        raise DataError(
            f"The weights {str(file)!r} hold numbers that are not finite, in {spoilt[0]}. Train them again."
        )
