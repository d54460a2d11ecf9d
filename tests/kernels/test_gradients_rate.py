"""The estimator that tells gradient rates from gradients of the DEM error."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import pytest
import ramps
import speckle

from slidecloud import simulate
from slidecloud.kernels import gradients, reference_gradients_rate
from slidecloud.simulate.decorrelation import Coherence

INNER = (slice(8, -8), slice(8, -8))
SHAPE = (40, 48)
LEVER = 6


def solved(data, **options):
    """Gradient rates (rad per pixel and year), their sigma, and DEM-error gradients."""
    sums = gradients.accumulate(**data, **options, estimator="rate")
    options.pop("interior", None)
    stack = gradients.finish(sums, estimator="rate", **options)
    rates = [field / stack.mean_span for field in (stack.x, stack.y, stack.x_sigma, stack.y_sigma)]
    return rates, gradients.dem_error(sums, **options), stack


@pytest.mark.parametrize("angle", [0.1, 0.4, 0.8, 1.0])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.5])
def test_rates_are_right_up_to_a_radian_at_the_longest_span(angle, spread):
    pairs = ramps.flat(16, 3, SHAPE)
    baseline = ramps.baselines(pairs, 60.0)
    rate = angle / LEVER / ramps.spans(pairs).max()
    error = spread / LEVER / baseline.std()
    (x, y, _, _), dem, _ = solved(ramps.tilted(pairs, (rate, -0.7 * rate), (-error, 0.6 * error), baseline))
    # 16-bit phases and samples are good to 4e-5 rad between the blocks, which is 0.3 % of the smallest angle here.
    np.testing.assert_allclose(x[INNER], rate, rtol=0.01)
    np.testing.assert_allclose(y[INNER], -0.7 * rate, rtol=0.01)
    np.testing.assert_allclose(dem.x[INNER], -error, atol=0.01 * max(error, 0.02 / LEVER / baseline.std()))
    np.testing.assert_allclose(dem.y[INNER], 0.6 * error, atol=0.01 * max(error, 0.02 / LEVER / baseline.std()))


@pytest.mark.parametrize("angle", [1.35, 1.6, 2.5])
def test_beyond_newton_there_is_no_number(angle):
    pairs = ramps.flat(16, 3, SHAPE)
    baseline = ramps.baselines(pairs, 60.0)
    rate = angle / LEVER / ramps.spans(pairs).max()
    for along in ((rate, 0.0), (0.0, -rate)):
        (x, y, sigma, _), dem, stack = solved(ramps.tilted(pairs, along, (0.0, 0.0), baseline))
        for values in (x, y, sigma, dem.x, dem.y_sigma):
            assert np.all(np.isnan(values[INNER]))
        assert np.all(stack.count[INNER] == len(baseline))


@pytest.mark.parametrize(("window", "gap"), [(10, None), (3, None), ((6, 9), 2)])
def test_the_kernel_equals_the_plain_reference(window, gap):
    generator = np.random.default_rng(0)
    pairs = speckle.series_pairs(
        generator, SHAPE, dates=12, longest=3, decorrelation=24, looks=6, gradient=(0.0, 0.0), turbulent=0.01
    )
    coherence = np.where(generator.random(pairs.coherence.shape) < 0.3, 0, pairs.coherence).astype(np.uint8)
    coherence[:, :12, :15] = 0
    data = ramps.tilted(pairs._replace(coherence=coherence), (0.5, -0.3), (1e-3, 5e-4), ramps.baselines(pairs, 60.0))
    _, dem, stack = solved(data, window=window, gap=gap)
    plain, plain_dem = reference_gradients_rate.stack(**data, window=window, gap=gap)
    # The reference has every pair for itself: classes of baselines change the result by a fraction of its sigma.
    for fast, slow in ((stack, plain), (dem, plain_dem)):
        for axis in "xy":
            known = np.isfinite(getattr(fast, axis)) & np.isfinite(getattr(slow, axis))
            assert np.mean(np.isfinite(getattr(fast, axis)) != np.isfinite(getattr(slow, axis))) < 0.02
            away = (getattr(fast, axis) - getattr(slow, axis)) / getattr(slow, f"{axis}_sigma")
            assert np.nanpercentile(np.abs(away[known]), 99) < 0.25
            ratio = getattr(fast, f"{axis}_sigma") / getattr(slow, f"{axis}_sigma")
            assert np.nanmedian(np.abs(ratio - 1)) < 0.03
    bounded = gradients.Flag.BOUNDED_SIGMA
    assert np.mean((stack.flags ^ plain.flags) & bounded) / bounded < 0.05
    np.testing.assert_array_equal(stack.count, plain.count)
    np.testing.assert_allclose(stack.mean_span, plain.mean_span, rtol=2e-4)


def standardised(dates, longest, decorrelation, turbulent, seeds):
    """(estimate - truth) / sigma at windows that do not overlap: of the rates, and of the DEM errors."""
    rate, error = (0.3, -0.12), (5e-4, -2e-4)
    found, truths = ([], []), (rate, error)
    for seed in range(seeds):
        pairs = speckle.series_pairs(
            np.random.default_rng(seed), (130, 260), dates=dates, longest=longest, decorrelation=decorrelation, looks=4,
            gradient=(0.0, 0.0), turbulent=turbulent,
        )  # fmt: skip
        (x, y, x_sigma, y_sigma), dem, _ = solved(
            ramps.tilted(pairs, rate, error, ramps.baselines(pairs, 60.0, seed=100 + seed))
        )
        for values, truth, maps in zip(found, truths, ((x, y, x_sigma, y_sigma), dem), strict=True):
            for k in range(2):
                values.append(((maps[k] - truth[k]) / maps[2 + k])[8:-8:10, 8:-8:10].ravel())
    return [np.concatenate(values) for values in found]


@pytest.mark.parametrize("decorrelation", [12.0, 24.0])
@pytest.mark.parametrize("turbulent", [0.0, 0.02])
def test_sigma_is_the_scatter_of_the_errors(decorrelation, turbulent):
    for values in standardised(24, 3, decorrelation, turbulent, 5):
        assert np.all(np.isfinite(values))
        assert 0.9 < np.std(values) < 1.15


@pytest.mark.long
@pytest.mark.parametrize("decorrelation", [12.0, 24.0])
@pytest.mark.parametrize("turbulent", [0.0, 0.02])
@pytest.mark.parametrize(("dates", "longest"), [(15, 3), (30, 2), (60, 3)])
def test_sigma_over_networks(decorrelation, turbulent, dates, longest):
    for name, values in zip(("rate", "dem"), standardised(dates, longest, decorrelation, turbulent, 8), strict=True):
        print(f"{dates} x {longest}, {decorrelation} days, {turbulent} rad, {name}: {np.std(values):.3f}")  # noqa: T201
        assert 0.85 < np.std(values) < 1.2


def ridges(height, shape=(72, 96)):
    """Parallel ridges 960 m apart (24 pixels) and some 400 m wide, as elevation models round them off, m."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    away = (0.8 * columns + 0.6 * rows) % 24 - 12
    return (height * np.exp(-0.5 * (away / 4) ** 2)).astype(np.float32)


@pytest.mark.parametrize("height", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("baseline", [50.0, 150.0])
def test_ridges_of_the_dem_error_vanish(height, baseline):
    level = np.full((72, 96), 1500.0)
    scene = simulate.scene(
        2, elevation=level, dates=16, slides=0, baseline=baseline, atmosphere=None,
        coherence=Coherence.uniform(0.6, time=60.0),
    )  # fmt: skip
    scene = dataclasses.replace(scene, dem_error=ridges(height))
    seen = simulate.interferograms(scene, noise=False, coherence="true", unwrapped=False)
    times = np.array([[pair.reference, pair.secondary] for pair in seen.pairs], "datetime64[s]")
    dates = np.searchsorted(scene.dates, times)
    data = {
        "phase": seen.phase, "coherence": seen.coherence, "reference": dates[:, 0], "secondary": dates[:, 1],
        "span": (times[:, 1] - times[:, 0]) / np.timedelta64(1, "s") / (86400 * 365.25),
        "baseline": [pair.perpendicular_baseline for pair in seen.pairs],
    }  # fmt: skip
    _, dem, stack = solved(data, window=9)  # odd windows are centred on the pixel, as the truth is
    coherent = gradients.stack(**data, window=9)
    left, before = (np.hypot(each.x, each.y)[INNER] for each in (stack, coherent))
    assert np.all(np.isfinite(left))
    assert left.mean() < 0.1 * before.mean()
    # Where the ridges went: with the sign of true height minus model, softened by the window.
    metres = -scene.header.wavelength / (4 * np.pi) * scene.header.slant_range * np.sin(scene.incidence)
    truth = np.gradient(scene.dem_error, axis=1)[INNER]
    found = (dem.x * metres)[INNER]
    assert np.corrcoef(found.ravel(), truth.ravel())[0, 1] > 0.98
    assert 0.7 < np.polyfit(truth.ravel(), found.ravel(), 1)[0] < 0.85


def two_bins():
    """Half a year at one rate and half a year at another over one DEM error, and their parts."""
    pairs = ramps.flat(20, 3, SHAPE)
    baseline = ramps.baselines(pairs, 60.0)
    late = pairs.reference >= 10
    rates, error = (0.2, 0.6), 5e-4
    parts = []
    for chosen, rate in zip((~late, late), rates, strict=True):
        part = speckle.Pairs(*(field[chosen] for field in pairs))
        data = ramps.tilted(part, (rate, -rate), (error, 0.0), baseline[chosen])
        parts.append(gradients.accumulate(**data, estimator="rate"))
    return parts, rates, error


def test_bins_share_their_dem_error_and_keep_their_rates():
    (first, second), rates, error = two_bins()
    # The first bin is mistaken about the elevation model by a little: together they know better.
    wrong = first._replace(x_dem=first.x_dem + np.float32(2e-4), x_dem_information=first.x_dem_information / 100)
    merged = gradients.merge(wrong, second, estimator="rate")
    np.testing.assert_allclose(gradients.dem_error(merged).x[INNER], error, rtol=0.03)
    stacks = [gradients.finish(gradients.share_dem_error(each, merged), estimator="rate") for each in (wrong, second)]
    for stack, rate in zip(stacks, rates, strict=True):
        np.testing.assert_allclose((stack.x / stack.mean_span)[INNER], rate, rtol=0.01)
    mean = gradients.mean_rate(stacks, [0.5, 0.5])
    np.testing.assert_allclose(mean.x[INNER], np.mean(rates), rtol=0.01)
    np.testing.assert_allclose(mean.y[INNER], -np.mean(rates), rtol=0.01)


def test_bins_that_differ_in_rate_make_no_dem_error():
    (first, second), rates, error = two_bins()
    merged = gradients.merge(first, second, estimator="rate")
    np.testing.assert_allclose(gradients.dem_error(merged).x[INNER], error, rtol=0.01)
    stack = gradients.finish(merged, estimator="rate")
    assert np.all((stack.x / stack.mean_span)[INNER] > rates[0])
    assert np.all((stack.x / stack.mean_span)[INNER] < rates[1])
    np.testing.assert_array_equal(stack.count, first.count + second.count)


def test_an_empty_bin_is_the_neutral_element():
    data = ramps.tilted(ramps.flat(8, 2, SHAPE), (0.3, 0.0), (0.0, 0.0), ramps.baselines(ramps.flat(8, 2, SHAPE), 60.0))
    none = {name: values[:0] for name, values in data.items()}
    empty = gradients.accumulate(**none, estimator="rate")
    assert np.all(np.isnan(gradients.finish(empty, estimator="rate").x))
    assert np.all(np.isnan(gradients.dem_error(empty).x))
    sums = gradients.accumulate(**data, estimator="rate")
    for name, merged, single in zip(sums._fields, gradients.merge(empty, sums, estimator="rate"), sums, strict=True):
        np.testing.assert_allclose(merged, single, rtol=1e-6, err_msg=name)


def test_one_pair_cannot_tell_but_a_known_dem_error_lets_it():
    pairs = ramps.flat(8, 2, SHAPE)
    baseline = ramps.baselines(pairs, 60.0)
    data = ramps.tilted(pairs, (0.3, 0.0), (4e-4, 0.0), baseline)
    one = {name: values[:1] for name, values in data.items()}
    single = gradients.accumulate(**one, estimator="rate")
    assert np.all(np.isnan(gradients.finish(single, estimator="rate").x))
    everything = gradients.accumulate(**data, estimator="rate")
    helped = gradients.finish(gradients.share_dem_error(single, everything), estimator="rate")
    np.testing.assert_allclose((helped.x / helped.mean_span)[INNER], 0.3, rtol=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"span": None}, "span: found None, expected a number for each pair.*choose 'coherent'"),
        ({"span": None, "baseline": None}, "span and baseline: found None"),
        ({"baseline": [1.0]}, r"baseline: found shape \(1,\), expected \(13,\) finite metres"),
        ({"baseline": np.full(13, np.nan)}, "leave out the pairs whose perpendicular baseline is not known"),
        ({"span": np.zeros(13)}, "span: found 0 or less"),
    ],
)
def test_messages_teach(changes, message):
    pairs = ramps.flat(8, 2, (20, 20))
    data = ramps.tilted(pairs, (0.0, 0.0), (0.0, 0.0), ramps.baselines(pairs, 60.0))
    with pytest.raises(ValueError, match=message):
        gradients.stack(**(data | changes), estimator="rate")


@pytest.mark.long
@pytest.mark.parametrize("dates", [22, 60])
def test_it_takes_at_most_twice_as_long_as_coherent(dates):
    generator = np.random.default_rng(0)
    pairs = ramps.flat(dates, 3, (256, 512))
    phase = generator.integers(-3000, 3000, size=pairs.phase.shape).astype(np.int16)
    data = ramps.tilted(pairs._replace(phase=phase), (0.0, 0.0), (0.0, 0.0), ramps.baselines(pairs, 60.0))
    best = {"coherent": np.inf, "rate": np.inf}
    for _ in range(12):
        for estimator in best:
            start = time.perf_counter()
            gradients.stack(**data, estimator=estimator)
            best[estimator] = min(best[estimator], time.perf_counter() - start)
    print(f"{len(phase)} pairs: {best['rate'] / best['coherent']:.2f} x coherent")  # noqa: T201
    assert best["rate"] < 2.0 * best["coherent"]
