"""A U-Net described completely, so that weights know what they belong to."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

DEEPEST: Final = 6


@dataclass(frozen=True)
class UnetShape:
    """Everything that the shape of a U-Net depends on.

    Attributes
    ----------
    bands
        Of the image.
    width
        Factor on the channels of every layer; 1 is the publication's.
    depth
        How often maps are halved; 4 is the publication's.
    """

    bands: int
    width: float
    depth: int

    def __post_init__(self) -> None:
        if self.bands < 1:
            raise ValueError(f"bands is {self.bands}; expected at least 1")
        if not 0 < self.width <= 2:
            raise ValueError(f"width is {self.width}; expected a factor above 0, at most 2")
        if not 1 <= self.depth <= DEEPEST:
            raise ValueError(f"depth is {self.depth}; expected 1 to {DEEPEST}")

    @property
    def stride(self) -> int:
        """Pixels that sides of an image must be multiples of, and that tiles may be offset by."""
        return int(2**self.depth)

    @property
    def reach(self) -> int:
        """Pixels to each side beyond which nothing has an influence on a pixel.

        Each level has two convolutions before it is halved and two after it is brought back, which see one of its own
        pixels to each side; halving and bringing back see to the other end of the pixel below.
        """
        levels = sum(4 * 2**level + 2**level for level in range(self.depth))
        return int(levels + 2 * 2**self.depth)

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
