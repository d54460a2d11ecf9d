"""The velocity of a patch from gradients: as large as the motion, whatever the pairs."""

from __future__ import annotations

import numpy as np
import three_velocities

from slidecloud import simulate
from slidecloud.kernels.injection import recovered
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.samples import StoredPairs
from slidecloud.pipeline.wrapped_patch import Wrapped
from slidecloud.store import locate
from slidecloud.store.patch_specs import Window, window_header


def test_velocity_from_gradients_is_as_large_as_the_motion_whatever_the_spans(tmp_path):
    """Half the pairs span 120 days and weigh little: divided by the mean span of all, it came out below a third.
    A seventh is what blocks, the fading of short waves and the steep phase of long pairs may take of such a slide."""
    made = three_velocities.scene(3, 0.4, 0.02, dates=50)
    pairs = [
        pair
        for pair in simulate.default_pairs(made, connections=10, max_days=120)
        if (pair.secondary - pair.reference) / np.timedelta64(1, "D") in (12, 120)
    ]
    seen = three_velocities.observe(made, pairs)
    window = Window(0, three_velocities.SHAPE[0], 0, three_velocities.SHAPE[1])
    wrapped = Wrapped(
        StoredPairs(locate(str(tmp_path)), tuple(range(len(pairs))), 1),
        tuple(seen.reference.tolist()), tuple(seen.secondary.tolist()), tuple(seen.time.tolist()),
        window_header(made.header, window), Patch(window, ()), (10, 10), (2, 2),
    )  # fmt: skip
    still = three_velocities.stable_ground()
    found = wrapped.integrated(wrapped.rates(seen.phase, seen.coherence), still, draws=0).velocity
    share = recovered(found, np.zeros_like(found), three_velocities.slide(0.02, three_velocities.PLACE)).fraction
    assert abs(share - 1) < 0.15, share
