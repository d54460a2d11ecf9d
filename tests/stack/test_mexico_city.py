"""The real GAMMA set of 30 Sentinel-1 pairs over Mexico City."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
import rasterio

from slidecloud import network
from slidecloud.stack import WavelengthWarning, open_source
from slidecloud.stack.gamma_headers import read_acquisition, read_perpendicular_baseline, read_perpendicular_table

DATA = Path(os.environ.get("SLIDECLOUD_DATA", "")) / "mexico_city_s1"
pytestmark = pytest.mark.skipif(
    "SLIDECLOUD_DATA" not in os.environ or not DATA.is_dir(), reason="mexico_city_s1 not found under SLIDECLOUD_DATA"
)


@pytest.fixture(scope="module")
def source():
    with pytest.warns(WavelengthWarning, match=r"0\.05550416 m, expected 0\.05546576 m"):
        return open_source(DATA)


def test_header(source):
    header = source.header
    assert source.rejected == ()
    assert len(source.pairs) == 30
    assert len({day for item in source.pairs for day in item.pair.key.split("_")}) == 13
    assert header.id == "mexico_city_s1"
    assert header.shape == (60, 100)
    assert header.wavelength == pytest.approx(0.0554658, abs=1e-7)
    assert header.heading == pytest.approx(-12.27, abs=0.005)
    assert (header.range_looks, header.azimuth_looks, header.pass_) == (8, 2, "ascending")
    assert header.spacing == pytest.approx((153.7, 145.9), abs=0.1)
    assert source.pairs[0].pair.reference == np.datetime64("2018-01-06T00:40:22")


def test_static_maps(source):
    maps = source.static()
    assert np.degrees(maps["incidence"]) == pytest.approx(39.70, abs=0.005)
    assert (maps["los_east"] < 0).all()
    assert float(maps["elevation"].min()) == 2217
    assert float(maps["elevation"].max()) == 2287


def test_mean_coherence_is_that_of_the_publisher(source):
    coherence = np.stack([source.read(item, slice(None)).coherence for item in source.pairs]).astype(float)
    count = (coherence > 0).sum(axis=0)
    mean = np.where(count, coherence.sum(axis=0) / np.maximum(count, 1) / 255, np.nan)
    with rasterio.open(DATA / "coherence_stats/coh_mean.tif") as dataset:
        expected = dataset.read(1)
    assert np.array_equal(np.isnan(mean), np.isnan(expected))
    assert np.nanmax(np.abs(mean - expected)) <= 1e-3


def test_subsidence_is_positive_phase(source):
    """The clay basin sinks by decimetres a year: over the set, long pairs are far more positive than not."""
    rates = []
    for item in source.pairs:
        phase = source.read(item, slice(None)).unwrapped
        days = (item.pair.secondary - item.pair.reference) / np.timedelta64(1, "D")
        rates.append((np.nanpercentile(phase, 95) - np.nanmedian(phase)) / days)
        assert np.nanpercentile(phase, 95) - np.nanmedian(phase) > 0
    rate = np.median(rates) * 365.25 * source.header.wavelength / (4 * np.pi)
    assert 0.05 < rate < 0.4


def test_baselines_close_around_triplets(source):
    baseline = {item.pair.key: item.pair.perpendicular_baseline for item in source.pairs}
    days = sorted({day for key in baseline for day in key.split("_")})
    gaps = [
        baseline[f"{a}_{b}"] + baseline[f"{b}_{c}"] - baseline[f"{a}_{c}"]
        for a, b, c in itertools.combinations(days, 3)
        if {f"{a}_{b}", f"{b}_{c}", f"{a}_{c}"} <= baseline.keys()
    ]
    assert len(gaps) >= 20
    assert np.abs(gaps).max() < 1.5
    assert 20 < np.abs(list(baseline.values())).max() < 200


def test_tables_and_components_of_baselines_agree():
    look = read_acquisition(DATA / "headers/r20180106_VV_8rlks_mli.par").look_angle
    for path in sorted((DATA / "geometry").glob("*_bperp.par")):
        components = read_perpendicular_baseline(path.with_name(path.name.replace("bperp", "base")), look)
        assert read_perpendicular_table(path) == pytest.approx(components, abs=0.15)


def test_the_network_is_connected(source):
    net = network.from_pairs([item.pair for item in source.pairs])
    assert (net.dates.size, net.reference.size, net.subset_count) == (13, 30, 1)
    assert net.redundancy == 18
    assert not net.isolated.size
