"""Real pairs from their wrapped phase: unwrapped, mended and inverted, against what their publisher unwrapped."""

from __future__ import annotations

import mexico
import numpy as np
import pytest

from slidecloud.kernels.cycles import mend
from slidecloud.kernels.levels import pair_median
from slidecloud.kernels.phase import encode
from slidecloud.kernels.sbas import invert
from slidecloud.kernels.unwrapping import unwrap
from slidecloud.kernels.weights import inverse_phase_variance

TURN = 2 * np.pi


@pytest.fixture(scope="module")
def mexico_city():
    """The public stack and the same pairs wrapped and unwrapped again, (pair, pixel)."""
    data = mexico.load()
    parts = [
        unwrap(encode(phase.reshape(60, 100)), coherence.reshape(60, 100), looks=8)
        for phase, coherence in zip(data.phase, data.coherence, strict=True)
    ]
    return data, *(np.stack([part[field].ravel() for part in parts]) for field in (0, 1))


def test_mexico_city_from_wrapped_phase(mexico_city):
    """Theirs and ours differ by one number of turns a pair."""
    data, ours, _ = mexico_city
    apart = np.rint((ours - data.phase) / TURN)
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(data.phase))
    alike = [np.unique(row[np.isfinite(row)], return_counts=True)[1].max() for row in apart]
    assert sum(alike) >= 0.995 * np.isfinite(apart).sum()


def test_mexico_city_velocities(mexico_city):
    """Velocities from theirs and from ours, mended: what differs are pixels that loops reject."""
    data, ours, component = mexico_city
    result = mend(ours, component, data.reference, data.secondary, shape=(60, 100))
    weight = inverse_phase_variance(data.coherence, looks=8)
    velocity = []
    for phase in (data.phase, result.phase):
        level = pair_median(phase, np.ones(phase.shape[1], bool))
        levelled = (phase - level[:, None]).astype(np.float32)
        found = invert(levelled, weight, data.reference, data.secondary, time=data.time)
        velocity.append(found.velocity * mexico.RADIANS_TO_METRES)
    known = np.isfinite(velocity[0])
    apart = np.abs(velocity[1] - velocity[0])[known]
    assert np.mean(apart <= 1e-3) >= 0.99
    assert result.rejected[np.isfinite(data.phase)].mean() < 0.01
