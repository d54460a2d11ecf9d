"""Simulated burst stacks of known truth: `scene` makes the truth, `interferograms` what a radar delivers of it.

`slc_series` and `form_pairs` make small image series for tests of kernels.
"""

from __future__ import annotations

from slidecloud.simulate.atmosphere import Atmosphere
from slidecloud.simulate.decorrelation import Coherence, CoherenceMaps
from slidecloud.simulate.history import default_pairs, phase_history
from slidecloud.simulate.interferometry import Interferograms, blocks, interferograms
from slidecloud.simulate.placement import Sizes
from slidecloud.simulate.scenes import Scene, scene
from slidecloud.simulate.slides import Slide
from slidecloud.simulate.speckle import Looks, form_pairs, slc_series

__all__ = [
    "Atmosphere",
    "Coherence",
    "CoherenceMaps",
    "Interferograms",
    "Looks",
    "Scene",
    "Sizes",
    "Slide",
    "blocks",
    "default_pairs",
    "form_pairs",
    "interferograms",
    "phase_history",
    "scene",
    "slc_series",
]
