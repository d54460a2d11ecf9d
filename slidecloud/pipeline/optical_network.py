"""The network that maps: it travels to workers as the path of its weights, and is read once by each process."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from slidecloud.config_optical import DEMO
from slidecloud.config_resources import Device
from slidecloud.config_yaml import ConfigError
from slidecloud.models.predict import shipped
from slidecloud.models.unet_predict import SHIPPED, Segmenter, load
from slidecloud.types import DataError, Float32

if TYPE_CHECKING:
    from slidecloud.models.unet_weights import UnetCard

_ALONE = Lock()


@dataclass(frozen=True, slots=True)
class Network:
    """Weights, a file or `DEMO`, with the digest that they had when the work was planned."""

    weights: str
    digest: str
    device: Device

    @property
    def card(self) -> UnetCard:
        """What the weights say about themselves."""
        return self._segmenter().card

    def scores(self, image: Float32) -> Float32:
        """Scores of an image (band, y, x) from 0 to 1, float32 (y, x); NaN without data."""
        # One thread, and one image at a time in a process: how many threads share a sum shows in its last digits.
        with _ALONE:
            return self._segmenter().scores(image, device=self.device, threads=1)

    def _segmenter(self) -> Segmenter:
        return _loaded(self.weights, self.digest)


def network_of(weights: str | None, device: Device) -> Network:
    """The network of a configuration.

    Raises
    ------
    ConfigError
        If none is named.
    FileNotFoundError
        If there are no such weights.
    """
    if weights is None:
        raise ConfigError(
            "weights is missing; give the file that 'slidecloud optical train' writes (see its --print-recipe), or "
            f"{DEMO!r} for a network of simulated images to try things out."
        )
    if weights != DEMO and not Path(weights).is_file():
        raise FileNotFoundError(f"There are no weights {weights!r}; check the key weights.")
    return Network(weights, _digest(weights), device)


@lru_cache(maxsize=2)
def _loaded(weights: str, digest: str) -> Segmenter:
    if _digest(weights) != digest:
        raise DataError(f"{weights} has changed since the work was planned: give the command again")
    return load(None if weights == DEMO else weights)


def _digest(weights: str) -> str:
    file = shipped(SHIPPED) if weights == DEMO else Path(weights)
    return hashlib.sha256(file.read_bytes()).hexdigest()[:32]
