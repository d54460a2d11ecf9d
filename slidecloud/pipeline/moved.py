"""What a new reference takes off a burst or a patch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slidecloud.store.referencing import WARN_ABOVE, Shift


@dataclass(frozen=True, slots=True)
class Moved:
    """A burst or patch whose reference changes: group, name, the shift (None if it does not cover the place), dates."""

    group: str
    name: str
    shift: Shift | None
    time: NDArray[np.datetime64]

    @property
    def place(self) -> tuple[str, str]:
        """Burst and patch; the patch of a whole burst is empty."""
        burst, _, patch = self.name.partition(" ")
        return burst, patch

    def line(self) -> str:
        """In words, for people."""
        if self.shift is None:
            return f"{self.name}: does not cover it, stays as it is"
        last = 1000 * float(self.shift.displacement[-1])
        doubt = "" if self.shift.closure_rms <= WARN_ABOVE else f" (above {WARN_ABOVE}: choose a more coherent place)"
        return (
            f"{self.name}: velocity {-1000 * self.shift.velocity:+.1f} mm/yr, last date {-last:+.1f} mm, "
            f"closure {self.shift.closure_rms:.2f} rad{doubt}"
        )
