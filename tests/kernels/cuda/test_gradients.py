"""Gradient stacking on the device against plain NumPy and the host's kernels, and to the last bit against itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from slidecloud.kernels import device, gradients, reference_gradients
from slidecloud.kernels.gradients_device import RunningSums
from slidecloud.kernels.phase import encode

pytestmark = pytest.mark.gpu


class Case(NamedTuple):
    phase: np.ndarray
    coherence: np.ndarray
    pairs: dict
    window: tuple[int, int]

    def on_device(self):
        return device.to_device(self.phase), device.to_device(self.coherence)


def case(*, holes: bool, number: int = 5) -> Case:
    """Ramps with noise in most of the pairs of five dates, in no order; without data in corners and here and there."""
    shape, window = ((12, 17), (4, 5)) if device.is_simulated() else ((301, 517), (10, 10))
    number, dates = (number, 5) if device.is_simulated() else (40, 12)
    random = np.random.default_rng(7)
    first, last = np.triu_indices(dates, 1)
    chosen = random.permutation(first.size)[:number]
    reference, secondary = first[chosen], last[chosen]
    y, x = np.indices(shape)
    ramp = [0.07 * x * (b - a) - 0.04 * y for a, b in zip(reference, secondary, strict=True)]
    phase = encode(np.stack(ramp) + random.normal(0, 0.6, (number, *shape)))
    coherence = random.integers(20, 256, phase.shape).astype(np.uint8)
    if holes:
        coherence[1:3][random.random((2, *shape)) < 0.15] = 0
        coherence[:, :7, :9] = 0
        coherence[0, shape[0] // 2 :] = 0
    return Case(phase, coherence, {"reference": reference, "secondary": secondary, "span": secondary / 9.0}, window)


def rms(difference):
    return float(np.sqrt(np.nanmean(difference.astype(np.float64) ** 2)))


@pytest.mark.parametrize("holes", [False, True])
def test_against_plain_numpy(holes):
    """Within 2 % of the median sigma of the map or 5e-5 rad RMS, whichever is larger."""
    it = case(holes=holes)
    found = gradients.stack(*it.on_device(), **it.pairs, window=it.window)
    expected = reference_gradients.stack(it.phase, it.coherence, **it.pairs, window=it.window)
    for axis in ("x", "y"):
        value, sigma = getattr(expected, axis), getattr(expected, f"{axis}_sigma")
        assert np.array_equal(np.isnan(getattr(found, axis)), np.isnan(value))
        assert rms(getattr(found, axis) - value) < max(0.02 * np.nanmedian(sigma), 5e-5)
        assert rms((getattr(found, f"{axis}_sigma") - sigma) / np.nanmedian(sigma)) < 0.02
    assert np.array_equal(found.count, expected.count)
    assert rms(found.mean_coherence - expected.mean_coherence) < 1e-6


@pytest.mark.parametrize(("estimator", "holes"), [("coherent", True), ("sum", False), ("rewrapped", True)])
def test_against_the_host(estimator, holes):
    """The sums of the host's kernels but for float32 rounding, and samples that a last bit rounds otherwise."""
    it = case(holes=holes, number=4)
    options = {**it.pairs, "window": it.window, "estimator": estimator}
    found = gradients.accumulate(*it.on_device(), **options)
    expected = gradients.accumulate(it.phase, it.coherence, **options)
    for name in ("count", "flags"):
        assert np.mean(getattr(found, name) != getattr(expected, name)) < 1e-3
    for name in gradients.GradientSums._fields[:14]:
        value = getattr(expected, name)
        scale = np.abs(value).max() or 1.0
        assert rms(getattr(found, name) - value) < 2e-4 * scale, name


def test_tilings():
    """Parts of a burst, each with its halo, and the whole: equal to the last bit."""
    it = case(holes=True, number=3)
    options = {**it.pairs, "window": it.window}
    whole = gradients.accumulate(*it.on_device(), **options)
    (above, below), (before, after) = gradients.halo(it.window)
    height, width = it.phase.shape[1:]
    parts = [(height // 3, height, width // 2 + 1, width), (0, height // 3, 0, width)]
    for top, bottom, left, right in parts[:1] if device.is_simulated() else parts:
        first, last = max(top - above, 0), min(bottom + below, height)
        start, stop = max(left - before, 0), min(right + after, width)
        part = (slice(None), slice(first, last), slice(start, stop))
        sums = gradients.accumulate(
            device.to_device(it.phase[part]), device.to_device(it.coherence[part]), **options, origin=(first, start),
            interior=(slice(top - first, bottom - first), slice(left - start, right - start)),
        )  # fmt: skip
        for name, field in sums._asdict().items():
            assert np.array_equal(field, getattr(whole, name)[top:bottom, left:right]), name


def test_batches_and_order():
    """Pairs in batches of any size, and in any order of the input: equal to the last bit."""
    it = case(holes=True, number=3)
    options = {**it.pairs, "window": it.window}
    whole = gradients.accumulate(*it.on_device(), **options)
    running = RunningSums(it.phase.shape[1:], **options)
    for chosen in np.split(running.order, [1]):
        running.add(device.to_device(it.phase[chosen]), device.to_device(it.coherence[chosen]))
    for name, field in running.sums()._asdict().items():
        assert np.array_equal(field, getattr(whole, name)), name


def test_no_pairs():
    running = RunningSums((4, 5), reference=[], secondary=[])
    assert not any(field.any() for field in running.sums())


def test_what_the_device_cannot_do_is_named():
    it = case(holes=False, number=2)
    phase, coherence = it.on_device()
    for estimator in ("overlap", "rate"):
        with pytest.raises(ValueError, match=f"found '{estimator}' on the GPU"):
            gradients.accumulate(phase, coherence, **it.pairs, window=it.window, estimator=estimator)
    with pytest.raises(ValueError, match="at most about 40 x 40 on a GPU"):
        gradients.accumulate(phase, coherence, **it.pairs, window=200)
    with pytest.raises(TypeError, match="coherence: found ndarray"):
        gradients.accumulate(phase, it.coherence, **it.pairs, window=it.window)
    running = RunningSums(it.phase.shape[1:], **it.pairs, window=it.window)
    with pytest.raises(ValueError, match=r"found 0 added, expected \d+"):
        running.sums()
    with pytest.raises(ValueError, match="expected both"):
        running.add(device.to_device(it.phase[:, 1:]), device.to_device(it.coherence[:, 1:]))
