"""Forming interferograms: against plain NumPy, against what speckle must give, and the same however it is cut."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import gammaln

from slidecloud import simulate
from slidecloud.kernels import interferograms
from slidecloud.kernels.phase import decode, encode


def plain(slc, i, j, looks, window=(1, 1)):
    """Phase (rad), coherence and validity of a pair by reshaping, as anyone would write it."""
    rows, columns = (n // look for n, look in zip(slc.shape[1:], looks, strict=True))
    cut = slc[:, : rows * looks[0], : columns * looks[1]]
    cells = cut.reshape(len(slc), rows, looks[0], columns, looks[1])
    known = (np.isfinite(cells) & (cells != 0)).all(axis=(2, 4))
    known = known[i] & known[j]
    safe = np.where(np.isfinite(cells), cells, 0).astype(np.complex128)
    product = (safe[i] * safe[j].conj()).sum(axis=(1, 3)) * known
    powers = [(np.abs(safe[d]) ** 2).sum(axis=(1, 3)) * known for d in (i, j)]
    around = [box(values, window) for values in (product, *powers)]
    with np.errstate(invalid="ignore"):
        coherence = np.abs(around[0]) / np.sqrt(around[1] * around[2])
    return np.where(known, np.angle(product), 0), np.where(known, coherence, 0), known


def box(values, window):
    """Sums over a window around each cell, fewer at the borders."""
    half = [side // 2 for side in window]
    padded = np.pad(values, [(h, h) for h in half])
    views = np.lib.stride_tricks.sliding_window_view(padded, window)
    return views.sum(axis=(2, 3))


def random_images(seed, shape, dtype=np.complex64):
    parts = np.random.default_rng(seed).standard_normal((*shape, 2), dtype=np.float32)
    if dtype == np.int16:
        return np.rint(parts * 300).astype(np.int16)
    return parts.view(np.complex64)[..., 0]


def agrees(found, expected):
    """Phase to one step of a binary angle where coherence means something, coherence to one step of 1/255."""
    phase, coherence, known = expected
    np.testing.assert_array_equal(found.coherence > 0, known)
    np.testing.assert_array_equal(found.phase[~known], 0)
    steps = (found.phase - encode(phase)).astype(np.int16)
    # float32 sums are off by up to 1e-6 of the power: 1e-6 / coherence rad.
    assert np.all(np.abs(steps.astype(int)) <= 1 + 0.02 / np.maximum(coherence, 1e-3))
    assert np.all(np.abs(found.coherence / 255.0 - coherence)[known] <= 0.501 / 255 + (coherence[known] < 0.6 / 255))


@pytest.mark.parametrize("looks", [(2, 8), (1, 1), (3, 5), (4, 20), (1, 2)])
@pytest.mark.parametrize("window", [(1, 1), (3, 5)])
def test_agrees_with_plain_numpy(looks, window):
    slc = random_images(1, (4, 37, 333))
    slc[1:] += 0.7 * slc[0]
    slc[1, 5:9, 40:60] = 0
    slc[2, 20, 100] = np.nan
    slc[3, 30:, :] = np.inf
    reference, secondary = [0, 0, 1, 2, 0], [1, 2, 2, 3, 3]
    found = interferograms.form_pairs(
        slc, reference=reference, secondary=secondary, looks=looks, coherence_window=window
    )
    for n, (i, j) in enumerate(zip(reference, secondary, strict=True)):
        agrees(interferograms.Interferograms(found.phase[n], found.coherence[n]), plain(slc, i, j, looks, window))


def test_phase_is_positive_away_from_the_satellite():
    """An image carries -4 pi / lambda times its range: the later, longer one gives a positive phase."""
    first, later = (np.full((2, 8), np.exp(-1j * phase), np.complex64) for phase in (0.3, 0.8))
    found = interferograms.form(first, later)
    assert decode(found.phase)[0, 0] == pytest.approx(0.5, abs=5e-5)
    assert found.coherence[0, 0] == 255


def test_integer_samples_are_those_of_complex_ones():
    parts = random_images(2, (2, 20, 160), np.int16)
    slc = (parts[..., 0] + 1j * parts[..., 1]).astype(np.complex64)
    for one, other in zip(interferograms.form(parts[0], parts[1]), interferograms.form(slc[0], slc[1]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_flattening_takes_geometry_off():
    slc = random_images(3, (2, 16, 256))
    slc[1] = slc[0]
    geometry = np.stack([np.zeros((16, 256)), np.broadcast_to(0.4 * np.arange(256), (16, 256))])
    turned = (slc * np.exp(1j * geometry)).astype(np.complex64)
    found = interferograms.form(turned[0], turned[1], flattening=encode(geometry))
    # Two angles of half a step each, over sums of 16: 5e-5 rad at most.
    np.testing.assert_allclose(decode(found.phase), 0, atol=1e-4)
    assert found.coherence.min() >= 254


@settings(max_examples=25, deadline=None)
@given(
    looks=st.tuples(st.integers(1, 4), st.integers(1, 9)),
    window=st.tuples(st.sampled_from([1, 3]), st.sampled_from([1, 3, 5])),
    corner=st.tuples(st.integers(0, 6), st.integers(0, 150)),
    size=st.tuples(st.integers(1, 5), st.integers(1, 140)),
    seed=st.integers(0, 99),
)
def test_a_part_has_the_bits_of_the_whole(looks, window, corner, size, seed):
    cells = (12, 300)
    slc = random_images(seed, (3, cells[0] * looks[0], cells[1] * looks[1]))
    slc[np.random.default_rng(seed).random(slc.shape) < 0.002] = 0
    options = {"looks": looks, "coherence_window": window}
    whole = interferograms.form_pairs(slc, reference=[0, 1], secondary=[2, 2], **options)
    part = tuple(slice(c, min(c + s, n)) for c, s, n in zip(corner, size, cells, strict=True))
    rows, columns, wanted = interferograms.samples(part, cells, **options)
    # Other pairs in another order beside it: a pair does not depend on its company.
    cut = interferograms.form_pairs(slc[:, rows, columns], reference=[1, 0, 0], secondary=[2, 2, 1], **options)
    for field in ("phase", "coherence"):
        both = getattr(cut, field)[:2][::-1][:, *wanted]
        np.testing.assert_array_equal(both, getattr(whole, field)[:, *part])


@pytest.mark.parametrize(("looks", "window"), [((2, 8), 1), ((2, 8), 3), ((1, 4), 1)])
def test_bias_of_coherence_is_what_the_docstring_says(looks, window):
    """Incoherent images: Gamma(L) Gamma(1.5) / Gamma(L + 0.5) for L independent samples."""
    slc = random_images(4, (2, 256, 1024))
    found = interferograms.form(slc[0], slc[1], looks=looks, coherence_window=window)
    inner = found.coherence[2:-2, 2:-2] / 255.0
    samples = looks[0] * looks[1] * window**2
    expected = np.exp(gammaln(samples) + gammaln(1.5) - gammaln(samples + 0.5))
    # Thousands of cells, a spread of half the mean: 2 % is four standard errors of the worst case.
    assert inner.mean() == pytest.approx(expected, rel=0.02)


def test_coherence_of_speckle_is_that_of_its_model():
    slc = simulate.slc_series(5, dates=3, shape=(256, 1024), decorrelation_time=24.0)
    found = interferograms.form_pairs(slc, reference=[0, 0], secondary=[1, 2], coherence_window=5)
    for coherence, days in zip(found.coherence, (12.0, 24.0), strict=True):
        assert coherence.mean() / 255 == pytest.approx(np.exp(-days / 24), abs=0.01)


def test_amsterdam(real_data):
    """Real coregistered images: the coherence their publishers state, and plain NumPy."""
    from slidecloud.stack import open_source

    source = open_source(real_data("amsterdam_slc"))
    slc = np.stack([source.read_image(image, slice(None)).samples for image in source.images])
    fine = interferograms.form(*slc, looks=(1, 1), coherence_window=5)
    assert np.median(fine.coherence) / 255 == pytest.approx(0.82, abs=0.005)
    for looks, window in (((2, 8), (1, 1)), ((1, 4), (3, 3)), ((1, 1), (5, 5))):
        agrees(interferograms.form(*slc, looks=looks, coherence_window=window), plain(slc, 0, 1, looks, window))


def test_wrong_input_is_named():
    slc = random_images(0, (2, 8, 32))
    cases = [
        ({"slc": slc.astype(np.complex128)}, TypeError, "complex128"),
        ({"slc": slc.real}, TypeError, "float32"),
        ({"secondary": [2]}, ValueError, "dates 2 to 2, expected 0 to 1"),
        ({"secondary": [1, 1]}, ValueError, "expected 1, one for each reference"),
        ({"reference": [0.5]}, TypeError, "integer date indices"),
        ({"looks": (9, 1)}, ValueError, "looks: found 9 x 1"),
        ({"looks": (0, 1)}, ValueError, "at least 1"),
        ({"looks": 2.5}, TypeError, "whole number"),
        ({"coherence_window": 4}, ValueError, "odd numbers"),
        ({"flattening": np.zeros((2, 8, 32))}, TypeError, "int16 binary angles"),
    ]
    for change, error, text in cases:
        arguments = {"slc": slc, "reference": [0], "secondary": [1]} | change
        with pytest.raises(error, match=text):
            interferograms.form_pairs(arguments.pop("slc"), **arguments)
    with pytest.raises(ValueError, match="coregister"):
        interferograms.form(slc[0], slc[1, :4])


def test_much_faster_than_plain_numpy(record_property):
    """One core, interleaved, best of many: pairs formed a second, beside NumPy and beside copying the images once."""
    slc = random_images(6, (10, 128, 4096))
    pairs = [(i, j) for i in range(10) for j in range(i + 1, min(i + 4, 10))]
    reference, secondary = np.array(pairs).T
    cells = len(pairs) * 64 * 512
    work = {
        "formed": lambda: interferograms.form_pairs(slc, reference=reference, secondary=secondary),
        "plain": lambda: plain_pair(slc),
        "copied": lambda: slc.copy(),
    }
    best = dict.fromkeys(work, np.inf)
    for _ in range(6):
        for name, call in work.items():
            began = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - began)
    ratio = best["plain"] * len(pairs) / best["formed"]
    record_property("cells_per_second", cells / best["formed"])
    record_property("times_numpy", ratio)
    record_property("share_of_copy", best["copied"] / best["formed"])
    assert ratio > 3


def plain_pair(slc):
    """One pair the short way: complex products, sums over looks, angle, and coherence."""
    shape = (64, 2, 512, 8)
    sums = [
        values.reshape(shape).sum(axis=(1, 3))
        for values in (slc[0] * slc[1].conj(), np.abs(slc[0]) ** 2, np.abs(slc[1]) ** 2)
    ]
    coherence = np.abs(sums[0]) / np.sqrt(sums[1] * sums[2])
    return encode(np.angle(sums[0])), np.rint(coherence * 255).astype(np.uint8)
