"""The simulated crew against runs whose time can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.pipeline.costs import crew, lines
from slidecloud.pipeline.rates import READ, READ_TOGETHER, WRITE_TOGETHER, Measurement, Rates
from slidecloud.pipeline.scale import Cost, Crew, Forecast, forecast


def units(*seconds: float, **further: float) -> list[Cost]:
    """Units that wait for nothing."""
    return [Cost(("stage", str(k)), one, **further) for k, one in enumerate(seconds)]


def chain(count: int, seconds: float) -> list[Cost]:
    """Units each of which waits for the one before."""
    return [Cost(("stage", str(k)), seconds, requires=(("stage", str(k - 1)),) if k else ()) for k in range(count)]


def test_one_worker_does_one_after_the_other() -> None:
    found = forecast(units(1, 2, 3), Crew(1, start=10))
    assert found.seconds == pytest.approx(16)
    assert found.worker_seconds == pytest.approx(16)
    assert found.busy_seconds == pytest.approx(6)
    assert found.idle == pytest.approx(10 / 16)


def test_workers_share_the_units() -> None:
    assert forecast(units(*[2.0] * 60), Crew(20)).seconds == pytest.approx(6)


def test_what_waits_for_each_other_gains_nothing_from_more_workers() -> None:
    found = forecast(chain(10, 3.0), Crew(2000))
    assert found.seconds == pytest.approx(30)
    assert found.idle == pytest.approx(1 - 1 / 2000)


def test_a_slow_scheduler_bounds_many_workers() -> None:
    """A unit every 10 ms, of 1 s each: more than 100 workers have nothing to do."""
    found = forecast(units(*[1.0] * 1000), Crew(2000, task=0.01))
    assert found.seconds == pytest.approx(11)


def test_workers_share_the_store() -> None:
    """Ten workers read at 100 MB/s each where all get 200 MB/s: as fast as two."""
    work = units(*[0.0] * 100, read=50.0)
    assert forecast(work, Crew(2, read=100, read_limit=200)).seconds == pytest.approx(25)
    assert forecast(work, Crew(10, read=100, read_limit=200)).seconds == pytest.approx(25, rel=0.15)
    assert forecast(work, Crew(10, read=100)).seconds == pytest.approx(5)


def test_whoever_is_left_has_the_store_to_himself() -> None:
    """Two share 100 MB/s: 400 MB of one end after 8 s, when the other has 800 of its 1,200 MB ahead."""
    work = [Cost(("stage", str(size)), 0.0, read=size) for size in (400.0, 1200.0)]
    assert forecast(work, Crew(2, read=100, read_limit=100)).seconds == pytest.approx(16, rel=0.1)


def test_more_workers_on_one_store_are_no_slower() -> None:
    work = units(*[0.5] * 500, read=50.0, write=10.0)
    took = [
        forecast(work, Crew(count, read=100, write=100, read_limit=1000, write_limit=1000)).seconds
        for count in (1, 10, 100, 1000)
    ]
    assert took == sorted(took, reverse=True)


def test_units_whose_worker_is_taken_away_begin_again() -> None:
    """A unit of T that must survive preemptions at rate r takes (exp(r T) - 1) (1 / r + replacement) on average."""
    length, rate, replacement, count = 600.0, 2 / 3600, 60.0, 400
    expected = count * math.expm1(rate * length) * (1 / rate + replacement)
    took = [
        forecast(units(*[length] * count), Crew(1, preemption=2, replacement=replacement), seed=seed).seconds
        for seed in range(5)
    ]
    assert np.mean(took) == pytest.approx(expected, rel=0.04)


def test_preemption_is_accounted_for() -> None:
    work = units(*[300.0] * 200)
    calm, rough = (forecast(work, Crew(20, preemption=rate), seed=3) for rate in (0.0, 1.0))
    assert calm.preemptions == 0
    assert calm.lost_seconds == 0
    assert rough.preemptions > 5
    assert rough.lost_seconds > 0
    assert rough.seconds > calm.seconds
    assert rough.busy_seconds == pytest.approx(calm.busy_seconds)
    assert forecast(work, Crew(20, preemption=1.0), seed=3) == rough
    assert forecast(work, Crew(20, preemption=1.0), seed=4) != rough


def test_a_run_that_never_ends_is_named() -> None:
    with pytest.raises(RuntimeError, match=r"stage 0 takes 36000 s.*no worker lives so long"):
        forecast(units(36000.0), Crew(1, preemption=60))


@given(
    st.lists(st.floats(0.1, 10), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_work_bounds_the_time(seconds: list[float], workers: int) -> None:
    """Graham's bounds of list scheduling; and no worker more makes it slower."""
    one, more = (forecast(units(*seconds), Crew(count)) for count in (workers, workers + 1))
    assert max(sum(seconds) / workers, max(seconds)) <= one.seconds * (1 + 1e-9)
    assert one.seconds <= (sum(seconds) / workers + max(seconds)) * (1 + 1e-9)
    assert more.seconds <= one.seconds * (1 + 1e-9)
    assert one.busy_seconds == pytest.approx(sum(seconds))


def test_nothing_to_do_takes_the_start_alone() -> None:
    assert forecast([], Crew(3, start=9)) == Forecast(3, 9.0, 27.0, 0.0, 0.0, 0)


def test_impossible_crews_and_units_are_refused() -> None:
    with pytest.raises(ValueError, match="workers are 0; expected at least 1"):
        forecast(units(1.0), Crew(0))
    with pytest.raises(ValueError, match="unit stage 9 is required and not among the 1 units"):
        forecast([Cost(("stage", "0"), 1.0, requires=(("stage", "9"),))], Crew(1))


def test_a_disk_bounds_all_workers_and_a_bucket_does_not() -> None:
    measured = (
        Measurement(READ, "MB/s", 100.0),
        Measurement(READ_TOGETHER, "MB/s", 180.0),
        Measurement(WRITE_TOGETHER, "MB/s", 90.0),
    )
    disk, bucket = (crew(Rates(measured, place, date="2026-01-02"), 64) for place in ("/data", "s3://bucket"))
    assert (disk.read, disk.read_limit, disk.write_limit) == (100, 180, 90)
    assert bucket.read_limit == math.inf
    assert crew(Rates(measured, "s3://bucket"), 64, throughput=5000).write_limit == 5000


def test_the_table_says_what_it_costs() -> None:
    found = [Forecast(10, 3600.0, 36000.0, 27000.0, 3600.0, 2)]
    head, row = lines(found, price=0.05)
    assert head.split() == ["workers", "wall", "time", "idle", "lost", "taken", "away", "cost"]
    assert row.split() == ["10", "1", "h", "0", "min", "15%", "10.0%", "2", "0.50"]
    assert "cost" not in lines(found)[0]
