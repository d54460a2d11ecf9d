"""A network described completely, so that weights know what they belong to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

Network = Literal["yolov3", "a-yolov3-r", "a-yolov3-t"]

Sizes = tuple[tuple[float, float], ...]

STRIDES: Final[dict[Network, tuple[int, ...]]] = {
    "yolov3": (8, 16, 32),
    "a-yolov3-r": (8, 16, 32),
    "a-yolov3-t": (8, 16),
}
"""Pixels per cell of each head. Slides are 8 to 60 pixels wide: the tiny network looks at 8 and 16, where YOLOv3-tiny
looks at 16 and 32; its coarsest maps serve as context."""

PER_HEAD: Final = 3
"""Anchors of each head."""


@dataclass(frozen=True)
class Architecture:
    """Everything that the shape of a network depends on.

    Attributes
    ----------
    network
        ``yolov3`` (Darknet-53), ``a-yolov3-r`` (the same with attention and DropBlock) or ``a-yolov3-t`` (tiny).
    width
        Factor on the channels of every layer; 1 is the publication's.
    channels
        Of the input.
    attention, dropblock
        Whether the network has them.
    anchors
        For each head, finest first, height and width in pixels of its anchors.
    """

    network: Network
    width: float
    channels: int
    attention: bool
    dropblock: bool
    anchors: tuple[Sizes, ...]

    def __post_init__(self) -> None:
        if self.network not in get_args(Network):
            raise ValueError(f"network is {self.network!r}; expected {', '.join(get_args(Network))}")
        if not 0 < self.width <= 2:
            raise ValueError(f"width is {self.width}; expected a factor above 0, at most 2")
        if len(self.anchors) != len(self.strides) or any(len(sizes) != PER_HEAD for sizes in self.anchors):
            raise ValueError(
                f"anchors are {[len(sizes) for sizes in self.anchors]} a head; "
                f"expected {PER_HEAD} for each of the {len(self.strides)} heads of {self.network}"
            )

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels per cell of each head."""
        return STRIDES[self.network]

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: dict[str, Any]) -> Architecture:
        """From what `plain` gave; raises TypeError, KeyError or ValueError where it did not."""
        anchors = tuple(tuple((float(h), float(w)) for h, w in sizes) for sizes in values["anchors"])
        return cls(**{**values, "anchors": anchors})
