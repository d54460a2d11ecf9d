"""What looks for landslides: a net with its weights, or the classical blobs; named by a digest before it is opened."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal, NamedTuple

import numpy as np

from slidecloud.config_detect import DetectConfig
from slidecloud.config_resources import Device
from slidecloud.kernels import blobs
from slidecloud.kernels.views import GradientView
from slidecloud.models import predict
from slidecloud.types import Float32

_ALONE = Lock()


class Found(NamedTuple):
    """Boxes float32 (n, 4) in pixels of a view, best first; their scores and calibrated probabilities, float32 (n,)."""

    boxes: Float32
    scores: Float32
    probability: Float32


@dataclass(frozen=True, slots=True)
class Finder:
    """A detector that travels to workers as its settings; weights are read once by each process."""

    method: Literal["net", "classical"]
    weights: str | None
    threshold: float | None
    batch: int
    device: Device = "cpu"

    def find(self, view: GradientView) -> Found:
        """What it sees in a view."""
        given: dict[str, Any] = {} if self.threshold is None else {"threshold": self.threshold}
        if self.method == "classical":
            boxes, scores = blobs.detect(view, **given)
            return Found(boxes, scores, np.full(len(scores), np.nan, np.float32))
        net = _net(self.weights)
        # One thread, and one view at a time in a process: how many threads share a sum shows in its last digits.
        with _ALONE:
            boxes, scores = net.detect(view, batch=self.batch, device=self.device, threads=1, **given)
        return Found(boxes, scores, np.asarray(net.probability(scores), np.float32))


def finder_of(config: DetectConfig, device: Device = "cpu") -> Finder:
    """The detector that a configuration names; only nets run on a GPU."""
    where: Device = device if config.method == "net" else "cpu"
    return Finder(config.method, config.weights, config.threshold, config.batch, where)


def usual_method() -> Literal["net", "classical"]:
    """The net where what it needs is installed, else the classical method."""
    try:
        predict.need_torch()
    except ImportError:
        return "classical"
    return "net" if predict.shipped().is_file() else "classical"


def weights_digest(config: DetectConfig) -> str:
    """Digest of the weights that the configuration names; empty where there are none.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    """
    if config.method == "classical":
        return ""
    if config.weights is None:
        return hashlib.sha256(predict.shipped().read_bytes()).hexdigest()[:32]
    file = Path(config.weights)
    if not file.is_file():
        raise FileNotFoundError(f"There are no weights {str(file)!r}; check detect.weights, or set it to null.")
    return hashlib.sha256(file.read_bytes()).hexdigest()[:32]


def check_installed(config: DetectConfig) -> None:
    """Raise ImportError, naming the remedies, where the net is asked for and what it needs is not installed."""
    if config.method == "net":
        predict.need_torch(otherwise=" Without it, use the classical method.")


@lru_cache(maxsize=2)
def _net(weights: str | None) -> Any:
    return predict.load(weights)
