"""Estimates against numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import miniature
import pytest
import small

from slidecloud.config import SourceConfig, load
from slidecloud.pipeline.costs import crew
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.nation import nation
from slidecloud.pipeline.rates import BLOBS, LEVELS, MAPS, ROBUST, START, TASK, UNIT, UNWRAP, Measurement, Rates
from slidecloud.pipeline.scale import forecast
from slidecloud.pipeline.typical import typical_pairs

ENDLESS = 1e30


def rates(*, gradients: float = ENDLESS, sbas: float = ENDLESS, read: float = ENDLESS, write: float = ENDLESS) -> Rates:
    """Rates in pair-pixels/s, pixels/s of 429 pairs, and MB/s; nothing else takes any time."""
    return Rates(
        (
            Measurement("gradients", "pair-pixels/s", gradients),
            Measurement("sbas", "pixels/s", sbas, dates=145, pairs=429),
            Measurement("read", "MB/s", read),
            Measurement("write", "MB/s", write),
            Measurement("read, all cores", "MB/s", 2 * read),
            Measurement("write, all cores", "MB/s", 2 * write),
            Measurement(MAPS, "bin-pixels/s", ENDLESS),
            Measurement(LEVELS, "pair-pixels/s", ENDLESS),
            Measurement(BLOBS, "view-pixels/s", ENDLESS),
            *(Measurement(name, "s", 1 / ENDLESS) for name in (UNIT, TASK, START)),
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
    assert found.core_hours == pytest.approx(sum(s.bytes_read for s in found.stages) / 2e6 / 3600)
    found = estimate(load(planned), rates(write=0.5))
    assert found.core_hours == pytest.approx(sum(s.bytes_written for s in found.stages) / 0.5e6 / 3600)
    alone = forecast(found.costs, crew(found.rates, 1))
    assert alone.seconds == pytest.approx(3600 * found.core_hours)


def test_every_unit_and_the_run_take_their_time(planned: Path) -> None:
    slow = rates()
    slow = Rates(
        (
            *(m for m in slow.measurements if m.unit != "s"),
            *(Measurement(name, "s", seconds) for name, seconds in ((UNIT, 0.5), (TASK, 0.25), (START, 7.0))),
        ),
        date="2026-01-02",
    )
    found = estimate(load(planned), slow)
    units = sum(stage.units for stage in found.stages)
    assert found.core_hours == pytest.approx(units * 0.5 / 3600)
    alone = forecast(found.costs, crew(slow, 1)).seconds
    assert 7 + units * 0.5 < alone < 7 + units * 0.75


def test_robust_series_take_the_time_of_robust_series(planned: Path) -> None:
    config = load(planned)
    robust = config.model_copy(update={"timeseries": config.timeseries.model_copy(update={"robust": True})})
    known = rates(sbas=2.0)
    known = Rates((*known.measurements, Measurement(ROBUST, "pixels/s", 0.5, dates=145, pairs=429)), date="2026-01-02")
    plain, found = (estimate(settings, known).core_hours for settings in (config, robust))
    assert found == pytest.approx(4 * plain)


def test_unwrapping_takes_the_time_of_unwrapping(planned: Path) -> None:
    """24 pairs of 5,120 pixels at 1,000 a second, and no more where nothing else takes any time."""
    config = load(planned)
    settings = {"phase": "unwrap", "integrate": False, "recovered": False}
    unwrapped = config.model_copy(update={"timeseries": config.timeseries.model_copy(update=settings)})
    known = rates()
    known = Rates((*known.measurements, Measurement(UNWRAP, "pair-pixels/s", 1000.0)), date="2026-01-02")
    found = {s.stage: s for s in estimate(unwrapped, known).stages}
    assert found["unwrap"].core_hours == pytest.approx(24 * 5120 / 1000 / 3600)
    assert not any("assumed" in line for line in estimate(unwrapped, known).lines())


def test_units_wait_for_what_is_ingested_first(planned: Path, tmp_path: Path) -> None:
    """A source that is not ingested yet comes first; all its batches end before a unit begins."""
    folder = miniature.gamma(tmp_path / "source")
    config = load(planned).model_copy(
        update={
            "stacks": str(tmp_path / "stacks"),
            "run": str(tmp_path / "run.zarr"),
            "sources": (SourceConfig(path=str(folder)),),
        }
    )
    found = estimate(config, rates(read=1.0))
    ingest = found.stages[0]
    assert ingest.stage == "ingest"
    many = forecast(found.costs, crew(found.rates, 1000, throughput=ENDLESS)).seconds
    assert many >= ingest.bytes_read / 1e6 / ingest.units


def test_published_nation_is_computed_from_its_pixels() -> None:
    """130,977 x 768 x 2816 = 283,262,386,176 pair-pixels of three bytes."""
    found = nation(130_977, rates(gradients=1e8))
    assert found.stack_bytes == 849_787_158_528
    assert found.bursts == pytest.approx(485.1)
    assert found.core_hours == pytest.approx(283_262_386_176 / 1e8 / 3600)
    ten = forecast(found.costs, crew(found.rates, 10))
    assert ten.seconds / 3600 == pytest.approx(0.0787, rel=0.02)
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
