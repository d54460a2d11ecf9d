"""Gradient stacking: known phases in, known gradients out; masks, flags, bins and messages."""

from __future__ import annotations

import numpy as np
import pytest
import speckle

from slidecloud.kernels import gradients, reference_gradients
from slidecloud.kernels.gradients import Flag
from slidecloud.kernels.phase import encode, wrap

ESTIMATORS = ("coherent", "overlap", "sum", "rewrapped")
SHAPE = (48, 60)
INNER = (slice(8, -8), slice(8, -8))


def constant_stack(x, y, pairs=6, shape=SHAPE, coherence=200):
    """Pairs of a chain, all with the same plane and no noise."""
    phase = np.broadcast_to(encode(speckle.ramp(shape, x, y)), (pairs, *shape)).copy()
    return {
        "phase": phase,
        "coherence": np.full(phase.shape, coherence, np.uint8),
        "reference": np.arange(pairs),
        "secondary": np.arange(pairs) + 1,
    }


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize("window", [3, 6, 10, (5, 8)])
@pytest.mark.parametrize(("x", "y"), [(0.05, -0.02), (-0.2, 0.1), (0.0, 0.0)])
def test_planes_give_their_slopes(estimator, window, x, y):
    result = gradients.stack(**constant_stack(x, y), window=window, estimator=estimator)
    # Binary angles and the sine of 1.4e-4 leave a few 1e-5 rad; the factor of the overlap is right to first order in
    # the gradient only, which an odd function leaves with a cubic error.
    tolerance = 2e-4 + (0.15 * max(abs(x), abs(y)) ** 3 if estimator == "overlap" else 0.0)
    assert np.abs(result.x[INNER] - x).max() < tolerance
    assert np.abs(result.y[INNER] - y).max() < tolerance
    assert np.all(result.count[INNER] == 6)
    assert result.x.dtype == np.float32
    assert result.flags.dtype == np.uint8


def test_the_sign_follows_the_index_and_the_gradient_sits_half_a_pixel_after_even_windows():
    _, columns = np.mgrid[:40, :80]
    curvature = 0.002
    phase = encode(0.5 * curvature * columns**2)[None]
    data = {"coherence": np.full((1, 40, 80), 255, np.uint8), "reference": [0], "secondary": [1]}
    odd = gradients.stack(phase, **data, window=9).x[20, 20:60]
    even = gradients.stack(phase, **data, window=10).x[20, 20:60]
    np.testing.assert_allclose(odd, curvature * columns[0, 20:60], atol=4e-4)
    np.testing.assert_allclose(even, curvature * (columns[0, 20:60] + 0.5), atol=4e-4)


@pytest.mark.parametrize(
    ("estimator", "valid", "same", "pairs", "spread", "bias"),
    [
        ("coherent", 0.4, True, 5, 0.01, 0.002),
        ("coherent", 0.7, True, 5, 0.01, 0.002),
        ("coherent", 0.7, False, 5, 0.01, 0.002),
        ("coherent", 0.7, False, 30, 0.01, 0.002),
        ("coherent", 0.4, False, 5, 0.01, 0.002),
        ("coherent", 0.4, False, 30, 0.01, 0.002),
        ("overlap", 0.7, True, 5, 0.01, 0.002),
        ("overlap", 0.7, False, 30, 0.01, 0.01),
    ],
)
def test_ramps_survive_random_masks(estimator, valid, same, pairs, spread, bias):
    x, y = 0.06, -0.04
    data = constant_stack(x, y, pairs=pairs, shape=(80, 90))
    mask = np.random.default_rng(4).random((1 if same else pairs, 80, 90)) < valid
    data["coherence"] = np.where(mask, data["coherence"], 0).astype(np.uint8)
    result = gradients.stack(**data, estimator=estimator)
    error = np.hypot(result.x - x, result.y - y)[INNER] / np.hypot(x, y)
    assert np.nanpercentile(error, 99) < spread
    assert abs(np.nanmean(result.x[INNER]) / x - 1) < bias
    assert abs(np.nanmean(result.y[INNER]) / y - 1) < bias


def test_uneven_weights_are_flagged_and_corrected():
    data = constant_stack(0.05, 0.03)
    data["coherence"][:, :, 30:33] = 0
    result = gradients.stack(**data)
    row = 24
    assert result.flags[row, 34] & Flag.UNEVEN
    assert not result.flags[row, 15] & Flag.UNEVEN
    np.testing.assert_allclose(result.x[row, 10:50], 0.05, atol=5e-4)
    np.testing.assert_allclose(result.y[row, 10:50], 0.03, atol=5e-4)


def test_a_block_needs_a_quarter_of_its_pixels():
    # Window 10: the first x block of pixel (20, 20) is columns 16 to 19, rows 16 to 25: 40 pixels, ten are enough.
    data = constant_stack(0.05, 0.0, pairs=2)
    block = data["coherence"][1, 16:26, 16:20]
    block[:] = 0
    block[:, 0] = 200
    assert gradients.stack(**data).count[20, 20] == 2
    block[0, 0] = 0
    result = gradients.stack(**data)
    assert result.count[20, 20] == 1
    assert np.isfinite(result.x[20, 20])
    data["coherence"][0] = data["coherence"][1]
    result = gradients.stack(**data)
    assert result.count[20, 20] == 0
    assert np.isnan(result.x[20, 20])
    assert np.isnan(result.y[20, 20])


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_without_valid_pixels_everything_is_undefined(estimator):
    data = constant_stack(0.05, 0.0, coherence=0)
    result = gradients.stack(**data, estimator=estimator)
    for name in ("x", "y", "x_sigma", "y_sigma", "effective_pairs", "mean_coherence", "mean_span"):
        assert np.all(np.isnan(getattr(result, name))), name
    assert not result.count.any()
    assert not result.flags.any()


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_no_pairs_are_the_neutral_element(estimator):
    data = constant_stack(0.05, 0.02)
    none = {name: values[:0] for name, values in data.items()}
    empty = gradients.accumulate(**none, estimator=estimator)
    assert np.all(np.isnan(gradients.finish(empty, estimator=estimator).x))
    sums = gradients.accumulate(**data, estimator=estimator)
    for name, merged, single in zip(sums._fields, gradients.merge(empty, sums, estimator=estimator), sums, strict=True):
        np.testing.assert_allclose(merged, single, rtol=1e-6, err_msg=name)


def test_one_pair_has_a_gradient_but_no_sigma():
    pair = speckle.white_pairs(
        np.random.default_rng(0), speckle.ramp(SHAPE, 0.05, 0.0), coherence=np.array([0.8]), looks=8
    )
    result = gradients.stack(pair.phase, pair.coherence, reference=[3], secondary=[7], span=[0.1])
    assert np.all(np.isnan(result.x_sigma))
    np.testing.assert_allclose(result.x[INNER], 0.05, atol=0.05)
    np.testing.assert_allclose(result.mean_span[INNER], 0.1, rtol=1e-5)
    np.testing.assert_allclose(result.effective_pairs[INNER], 1.0, rtol=1e-5)
    np.testing.assert_allclose(result.mean_coherence[INNER], pair.coherence[0, 0, 0] / 255, rtol=1e-5)


@pytest.mark.parametrize(("window", "lever", "block"), [(10, 6, 4), (3, 2, 1), (6, 4, 2)])
def test_aliasing_is_flagged_beyond_pi_over_the_lever(window, lever, block):
    limit = np.pi / lever
    for part in (0.3, 0.9, 0.97):
        result = gradients.stack(**constant_stack(part * limit, 0.0), window=window)
        assert not np.any(result.flags[INNER] & Flag.ALIASED)
    beyond = min(1.4 * limit, 0.97 * np.pi / block)
    for x, y in ((beyond, 0.0), (0.0, -beyond)):
        result = gradients.stack(**constant_stack(x, y), window=window)
        assert np.all(result.flags[INNER] & Flag.ALIASED)


def test_overlap_warns_of_steep_gradients():
    assert np.all(gradients.stack(**constant_stack(0.35, 0.0), estimator="overlap").flags[INNER] & Flag.STEEP)
    assert not np.any(gradients.stack(**constant_stack(0.25, 0.0), estimator="overlap").flags[INNER] & Flag.STEEP)


def test_the_rewrapped_sum_is_unwrapped_and_the_plain_sum_needs_no_unwrapping():
    # Thirty pairs of up to 0.3 rad per pixel: the sum reaches 9 rad and is stored wrapped.
    rows, columns = np.mgrid[:60, :60]
    phase = 8.0 * np.exp(-((rows - 30) ** 2 + (columns - 30) ** 2) / 200)
    data = constant_stack(0, 0, pairs=30, shape=(60, 60)) | {
        "phase": np.broadcast_to(encode(phase), (30, 60, 60)).copy()
    }
    plain = gradients.stack(**data, estimator="sum")
    sums = gradients.accumulate(**data, estimator="rewrapped")
    assert np.abs(sums.x_imag).max() <= np.float32(np.pi)
    assert np.abs(plain.x[INNER] * 30).max() > 2 * np.pi
    unwrapped = gradients.finish(sums, estimator="rewrapped")
    np.testing.assert_allclose(unwrapped.x[INNER], plain.x[INNER], atol=1e-5)
    np.testing.assert_allclose(unwrapped.y[INNER], plain.y[INNER], atol=1e-5)


def masked_series(seed=0):
    """Noisy pairs of a series with holes, and spans."""
    generator = np.random.default_rng(seed)
    pairs = speckle.series_pairs(
        generator, (40, 50), dates=9, longest=3, decorrelation=24, looks=6, gradient=(0.1, -0.05), turbulent=0.01
    )
    coherence = np.where(generator.random(pairs.coherence.shape) < 0.3, 0, pairs.coherence).astype(np.uint8)
    coherence[:, :12, :15] = 0
    span = (pairs.secondary - pairs.reference) * 12 / 365.25
    return pairs._replace(coherence=coherence), span


@pytest.mark.parametrize("estimator", ["coherent", "overlap", "sum"])
@pytest.mark.parametrize(("window", "gap"), [(10, None), (3, None), ((6, 9), 2), (7, (1, 3))])
def test_the_kernels_equal_the_plain_reference(estimator, window, gap):
    pairs, span = masked_series()
    options = {"reference": pairs.reference, "secondary": pairs.secondary, "span": span, "window": window, "gap": gap}
    fast = gradients.stack(pairs.phase, pairs.coherence, **options, estimator=estimator)
    plain = reference_gradients.stack(pairs.phase, pairs.coherence, **options, estimator=estimator)
    # The reference has other sines: now and then a sample is rounded the other way.
    tolerances = {"x": (0, 2e-3), "y": (0, 2e-3), "x_sigma": (0.15, 1e-5), "y_sigma": (0.15, 1e-5)}
    for name in ("x", "y", "x_sigma", "y_sigma", "effective_pairs", "mean_coherence", "mean_span", "count"):
        relative, absolute = tolerances.get(name, (2e-4, 0))
        np.testing.assert_allclose(
            getattr(fast, name), getattr(plain, name), rtol=relative, atol=absolute, err_msg=name
        )
    middle = [np.nanmedian(np.abs(getattr(fast, n) / getattr(plain, n) - 1)) for n in ("x", "x_sigma", "y_sigma")]
    assert max(middle) < 5e-3


@pytest.mark.parametrize("window", [6, 10, 30])
def test_rounding_the_samples_does_not_show(window):
    pairs, _ = masked_series()
    options = {"reference": pairs.reference, "secondary": pairs.secondary, "window": window}
    fast = gradients.stack(pairs.phase, pairs.coherence, **options)
    plain = reference_gradients.stack(pairs.phase, pairs.coherence, **options, rounded=False)
    for name in ("x", "y"):
        difference = getattr(fast, name) - getattr(plain, name)
        sigma = np.nanmedian(getattr(plain, f"{name}_sigma"))
        assert np.sqrt(np.nanmedian(difference**2)) < 0.005 * sigma
        assert np.sqrt(np.nanmean(difference[INNER] ** 2)) < 0.02 * sigma


def test_bins_merge_to_the_sums_of_all_pairs():
    pairs, span = masked_series()
    early = pairs.reference < 4
    parts = [
        gradients.accumulate(
            pairs.phase[keep], pairs.coherence[keep], reference=pairs.reference[keep], secondary=pairs.secondary[keep],
            span=span[keep],
        )
        for keep in (early, ~early)
    ]  # fmt: skip
    merged = gradients.merge(*parts)
    whole = gradients.accumulate(
        pairs.phase, pairs.coherence, reference=pairs.reference, secondary=pairs.secondary, span=span
    )
    for name in (
        "x_real",
        "x_imag",
        "y_real",
        "y_imag",
        "magnitude",
        "magnitude_squared",
        "span",
        "coherence",
        "count",
    ):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=1e-5, atol=2e-2, err_msg=name)
    np.testing.assert_allclose(merged.x_variance, parts[0].x_variance + parts[1].x_variance, rtol=1e-6)
    difference = gradients.finish(merged).x - gradients.finish(whole).x
    assert np.nanmax(np.abs(difference)) < 2e-2  # the distances are averaged over bins, not over pairs
    assert np.nanmedian(np.abs(difference)) < 5e-4


def test_rewrapped_bins_merge_modulo_a_turn():
    data = constant_stack(0.3, 0.0, pairs=8)
    first = gradients.accumulate(**data, estimator="rewrapped")
    merged = gradients.merge(first, first, estimator="rewrapped")
    np.testing.assert_allclose(merged.x_imag[INNER], wrap(np.float32(16 * 0.3)), atol=2e-3)


def test_mean_rate_weighs_bins_by_time_and_not_by_coherence():
    # Half a year at 0.02 rad per pair of 0.05 years in 40 good pairs, half a year without motion in 4 poor ones.
    moving = gradients.stack(**constant_stack(0.02, 0.01, pairs=40), span=np.full(40, 0.05))
    still = gradients.stack(**constant_stack(0.0, 0.0, pairs=4, coherence=40), span=np.full(4, 0.1))
    rate = gradients.mean_rate(iter([moving, still]), [0.5, 0.5])
    np.testing.assert_allclose(rate.x[INNER], 0.2, rtol=2e-3)
    np.testing.assert_allclose(rate.y[INNER], 0.1, rtol=4e-3)
    mean_span = (40 * 0.05 + 4 * 0.1) / 44
    np.testing.assert_allclose(rate.pair_x[INNER], 0.2 * mean_span, rtol=2e-3)
    np.testing.assert_allclose(rate.duration[INNER], 1.0)
    assert np.all(rate.count[INNER] == 44)


def test_mean_rate_leaves_out_undefined_bins_and_propagates_sigma():
    sigma = np.full((2, 2), 0.003, np.float32)
    base = gradients.GradientStack(
        x=np.full((2, 2), 0.01, np.float32), y=np.full((2, 2), 0.02, np.float32), x_sigma=sigma, y_sigma=2 * sigma,
        flags=np.zeros((2, 2), np.uint8), count=np.full((2, 2), 5, np.int32), effective_pairs=sigma,
        mean_coherence=sigma, mean_span=np.full((2, 2), 0.1, np.float32),
    )  # fmt: skip
    hole = np.array([[np.nan, 1.0], [1.0, 1.0]], np.float32)
    second = base._replace(x=3 * base.x * hole, flags=np.full((2, 2), 4, np.uint8))
    rate = gradients.mean_rate([base, second], [1.0, 3.0])
    np.testing.assert_allclose(rate.x, [[0.1, 0.25], [0.25, 0.25]], rtol=1e-6)
    np.testing.assert_allclose(rate.x_sigma[1, 1], 0.03 * np.sqrt(1 + 9) / 4, rtol=1e-6)
    np.testing.assert_allclose(rate.x_sigma[0, 0], 0.03, rtol=1e-6)
    np.testing.assert_array_equal(rate.flags, [[0, 4], [4, 4]])
    np.testing.assert_array_equal(rate.count, [[5, 10], [10, 10]])
    nothing = gradients.mean_rate([base._replace(x=np.full((2, 2), np.nan, np.float32))], [1.0])
    assert np.all(np.isnan(nothing.x))
    assert np.all(np.isnan(nothing.pair_y_sigma))


def test_a_bin_of_one_pair_takes_the_variance_per_pair_of_the_others():
    rng = np.random.default_rng(7)
    per_pair, spans, years = 0.02, [0.1, 0.1, 0.1], [0.5, 0.5, 0.1]
    pairs = [9, 16, 1]
    shape = (200, 200)

    def made(count):
        value = per_pair / np.sqrt(count) * rng.standard_normal(shape)
        sigma = np.full(shape, per_pair / np.sqrt(count) if count > 1 else np.nan, np.float32)
        return gradients.GradientStack(
            x=value.astype(np.float32), y=value.astype(np.float32), x_sigma=sigma, y_sigma=sigma,
            flags=np.zeros(shape, np.uint8), count=np.full(shape, count, np.int32), effective_pairs=sigma,
            mean_coherence=np.ones(shape, np.float32), mean_span=np.full(shape, spans[0], np.float32),
        )  # fmt: skip

    rate = gradients.mean_rate([made(count) for count in pairs], years)
    expected = per_pair / spans[0] * np.sqrt(sum(t**2 / n for t, n in zip(years, pairs, strict=True))) / sum(years)
    np.testing.assert_allclose(rate.x_sigma, expected, rtol=1e-5)
    np.testing.assert_allclose(rate.x.std(), expected, rtol=0.02)
    alone = gradients.mean_rate([made(1)], [0.1])
    assert np.all(np.isnan(alone.x_sigma))
    assert np.all(np.isfinite(alone.x))


DATA = constant_stack(0.05, 0.0, pairs=2, shape=(20, 20))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"phase": DATA["phase"].astype(np.float32)}, TypeError, "phase: found dtype float32.*encode"),
        ({"coherence": DATA["coherence"] / 255}, TypeError, "coherence: found dtype float64.*multiply by 255"),
        ({"phase": DATA["phase"][0]}, ValueError, r"shapes \(20, 20\) and \(2, 20, 20\).*leading axis"),
        ({"coherence": DATA["coherence"][:, 1:]}, ValueError, "expected the same"),
        ({"reference": [0]}, ValueError, r"reference: found shape \(1,\), expected \(2,\)"),
        ({"secondary": [1.0, 2.0]}, TypeError, "secondary: found dtype float64, expected integer date indices"),
        ({"reference": [1, 2]}, ValueError, "pair 0: found reference date 1 and secondary date 1.*swap"),
        ({"reference": [0, 0], "secondary": [1, 1]}, ValueError, r"dates \(0, 1\) more than once"),
        ({"span": [0.1]}, ValueError, r"span: found shape \(1,\)"),
        ({"span": [0.1, np.nan]}, ValueError, "finite numbers of years"),
        ({"window": 2}, ValueError, "window: found 2 x 2.*at least 3"),
        ({"window": 300}, ValueError, "expected 3 to 256"),
        ({"window": 9.5}, TypeError, "window: found 9.5"),
        ({"window": 3, "gap": 2}, ValueError, "gap: found 2 x 2 pixels for a window of 3 x 3.*gap=None"),
        ({"estimator": "median"}, ValueError, "found 'median', expected one of coherent, overlap, rate, sum"),
    ],
)
def test_messages_teach(changes, error, message):
    with pytest.raises(error, match=message):
        gradients.stack(**(DATA | changes))


def test_messages_of_the_other_edges():
    sums = gradients.accumulate(**DATA)
    with pytest.raises(ValueError, match="step 1"):
        gradients.accumulate(**DATA, interior=(slice(0, 9, 2), slice(None)))
    with pytest.raises(TypeError, match="two slices"):
        gradients.accumulate(**DATA, interior=(3, 4))
    with pytest.raises(ValueError, match="one shape"):
        gradients.finish(sums._replace(count=sums.count[1:]))
    with pytest.raises(ValueError, match="merge: found sums of"):
        gradients.merge(sums, gradients.accumulate(**DATA, interior=(slice(5), slice(5))))
    one = gradients.finish(sums)
    with pytest.raises(ValueError, match="found no bins"):
        gradients.mean_rate([], [])
    with pytest.raises(ValueError, match="above 0"):
        gradients.mean_rate([one], [0.0])
