"""Estimates against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
import small

from slidecloud.config import load
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.nation import nation
from slidecloud.pipeline.rates import Measurement, Rates
from slidecloud.pipeline.typical import typical_pairs

ENDLESS = 1e30


def rates(*, gradients: float = ENDLESS, sbas: float = ENDLESS, read: float = ENDLESS, write: float = ENDLESS) -> Rates:
    """Rates in pair-pixels/s, pixels/s of 429 pairs, and MB/s."""
    return Rates(
        (
            Measurement("gradients", "pair-pixels/s", gradients),
            Measurement("sbas", "pixels/s", sbas, dates=145, pairs=429),
            Measurement("read", "MB/s", read),
            Measurement("write", "MB/s", write),
        ),
        date="2026-01-02",
    )


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Configuration of a region of 64 x 80 pixels, ten dates and 24 pairs, that is ingested and not run."""
    folder = tmp_path_factory.mktemp("planned")
    small.stack(folder, small.scene())
    return small.settings(folder)


def test_hours_of_a_run_are_work_over_rates(planned: Path) -> None:
    """24 pairs of 5,120 pixels at 1,000 pair-pixels/s; the same at 2 pixels/s of 429 pairs each."""
    found = {s.stage: s for s in estimate(load(planned), rates(gradients=1000.0, sbas=2.0)).stages}
    assert found["gradients"].core_hours == pytest.approx(24 * 5120 / 1000 / 3600)
    assert found["timeseries"].core_hours == pytest.approx(24 * 5120 / (2 * 429) / 3600)


def test_hours_of_a_run_are_bytes_over_rates(planned: Path) -> None:
    found = estimate(load(planned), rates(read=2.0))
    assert found.hours(1) == pytest.approx(sum(s.bytes_read for s in found.stages) / 2e6 / 3600)
    found = estimate(load(planned), rates(write=0.5))
    assert found.hours(3) == pytest.approx(sum(s.bytes_written for s in found.stages) / 0.5e6 / 3600 / 3)


def test_published_nation_is_computed_from_its_pixels() -> None:
    """130,977 x 768 x 2816 = 283,262,386,176 pair-pixels of three bytes."""
    found = nation(130_977, rates(gradients=1e8))
    assert found.stack_bytes == 849_787_158_528
    assert found.bursts == pytest.approx(485.1)
    assert found.core_hours == pytest.approx(283_262_386_176 / 1e8 / 3600)
    assert found.hours(10) == pytest.approx(0.0787, rel=1e-3)
    assert found.gpu_hours is None
    text = "\n".join(found.lines())
    assert "850 GB" in text
    assert "no GPU rate measured" in text
    assert "less than 3 days on a desktop computer (Fu et al., 2022" in text
    assert "Extrapolated from one burst" in text


def test_nation_reads_its_stack_and_writes_maps_for_every_burst() -> None:
    """Bursts count as many times as there are: twice the interferograms are twice the bytes."""
    one, two = (nation(count, rates(read=100.0, write=50.0), shape=(512, 1024)) for count in (2700, 5400))
    assert one.bursts == 10
    assert one.bytes_read > one.stack_bytes == 2700 * 512 * 1024 * 3
    assert one.reading == pytest.approx(one.bytes_read / 100e6 / 3600)
    assert one.writing == pytest.approx(one.bytes_written / 50e6 / 3600)
    assert two.core_hours == pytest.approx(2 * one.core_hours)
    assert two.peak_memory == one.peak_memory


def test_longer_series_write_more_bins() -> None:
    short, long = (
        nation(2700, rates(), shape=(256, 512), pairs_per_burst=90, images_per_burst=images) for images in (40, 80)
    )
    assert long.bytes_written > 1.25 * short.bytes_written


def test_gpu_hours_follow_from_its_rate() -> None:
    gpu = Measurement("gradients", "pair-pixels/s", 1e10, device="NVIDIA H100")
    found = nation(130_977, Rates((gpu,), date="2026-01-02"))
    assert found.gpu_hours == pytest.approx(283_262_386_176 / 1e10 / 3600)
    assert "0.00787 for computing on one NVIDIA H100" in "\n".join(found.lines())


def test_built_in_rates_are_called_so() -> None:
    assert "from rates built in" in "\n".join(nation(10, Rates()).lines())


@pytest.mark.parametrize(("images", "pairs"), [(145, 348), (97, 191), (121, 270), (2, 1)])
def test_typical_pairs_are_short_and_spread(images: int, pairs: int) -> None:
    found = typical_pairs(images=images, pairs=pairs)
    assert len(set(found)) == pairs
    days = [(pair.secondary - pair.reference).astype(float) / 86400 for pair in found]
    assert max(days) <= 36
    assert (found[-1].secondary - found[0].reference).astype(float) / 86400 >= 12 * (images - 3)


@pytest.mark.parametrize(
    ("count", "shape", "pairs", "images", "message"),
    [
        (0, (768, 2816), 270, 121, "0 interferograms"),
        (10, (0, 2816), 270, 121, "0 x 2816"),
        (10, (768, 2816), 500, 121, "expected 1 to 357 pairs"),
        (10, (768, 2816), 0, 121, "expected 1 to 357 pairs"),
    ],
)
def test_a_nation_that_cannot_be_is_refused(
    count: int, shape: tuple[int, int], pairs: int, images: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        nation(count, rates(), shape=shape, pairs_per_burst=pairs, images_per_burst=images)
