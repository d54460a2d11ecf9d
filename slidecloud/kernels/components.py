"""Whole turns between connected components of an unwrapped pair: stable ground tells what no path of pixels does."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import Float32

LEFT_OUT: Final = np.iinfo(np.int16).min
"""Stands for a component that cannot be levelled."""

COMPONENTS: Final = 256
"""Labels there are, 0 included, which is no component."""


def turns(
    phase: Float32, component: NDArray[np.uint8], mask: NDArray[np.bool_], *, least: int = 1
) -> NDArray[np.int16]:
    """Turns of 2 pi by which each component of a pair lies above the largest one.

    Unwrapping leaves each component at a level of its own. Over ground at rest they agree but for noise and atmosphere,
    so the difference of their medians there, in whole turns, is what has to go. Nothing but whole turns is taken off:
    the phase stays congruent with what was measured.

    Parameters
    ----------
    phase
        (pixel,) float32 rad, NaN = missing.
    component
        (pixel,) uint8, 0 = none.
    mask
        (pixel,) bool, true where the ground is at rest.
    least
        Valid pixels of the mask that a component needs.

    Returns
    -------
    int16 (256,) turns by label; `LEFT_OUT` where a component has too few pixels in the mask, and for all where none
    has enough. Label 0, pixels of no component, goes with the largest: what is wrong there, loops of pairs tell.

    Raises
    ------
    ValueError
        If the shapes disagree.
    """
    if phase.ndim != 1 or component.shape != phase.shape or mask.shape != phase.shape:
        raise ValueError(
            f"phase, component, mask: found shapes {phase.shape}, {component.shape}, {mask.shape}, "
            "expected one shape (pixel,)"
        )
    found = np.full(COMPONENTS, LEFT_OUT, np.int16)
    at_rest = mask & np.isfinite(phase)
    seen, label = phase[at_rest], component[at_rest]
    sizes = np.bincount(label, minlength=COMPONENTS)
    if not sizes[1:].any():
        # A pair whose pixels hang together nowhere is one piece, levelled as a whole.
        found[0] = 0 if sizes[0] >= least else LEFT_OUT
        return found
    largest = 1 + int(np.argmax(sizes[1:]))
    if sizes[largest] < least:
        return found
    found[0], level = 0, np.median(seen[label == largest])
    for one in np.flatnonzero(sizes[1:] >= least) + 1:
        found[one] = round(float(np.median(seen[label == one]) - level) / (2 * np.pi))
    return found


def levelled(phase: Float32, component: NDArray[np.uint8], taken: NDArray[np.int16]) -> Float32:
    """Phase (pixel,) with the turns of its components taken off; NaN in those that are left out.

    ``phase``, ``component`` and the result ``taken`` of `turns` are as there.
    """
    whole = taken[component]
    moved = phase.astype(np.float64) - 2 * np.pi * whole
    result: Float32 = np.where(whole == LEFT_OUT, np.nan, moved).astype(np.float32)
    return result
