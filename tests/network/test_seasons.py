"""Season bins: boundaries, names, and what does not change when later pairs arrive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud.network import season_bins


def times(*texts: str) -> np.ndarray:
    return np.array(texts, dtype="datetime64[s]")


def test_a_pair_belongs_to_the_season_of_its_middle():
    bins = season_bins(
        times("2018-03-13T00:40:21", "2018-03-25T00:40:21", "2018-09-18", "2018-09-30", "2018-12-25"),
        times("2018-04-18T00:40:21", "2018-04-06T00:40:21", "2018-10-12", "2018-10-12", "2019-01-06"),
    )
    assert bins.label == ("2017-10", "2018-04", "2018-10")
    # middles: 2018-03-31 00:40, 2018-03-31 00:40, 2018-09-30, 2018-10-06, 2018-12-31
    assert bins.bin.tolist() == [0, 0, 1, 2, 2]
    assert bins.season.tolist() == [1, 0, 1]
    assert bins.season_name == ("04-09", "10-03")
    assert bins.bin_start[1] == np.datetime64("2018-04-01T00:00:00")
    assert bins.bin_end[1] == bins.bin_start[2] == np.datetime64("2018-10-01T00:00:00")


def test_the_first_second_of_a_season_belongs_to_it_and_the_last_to_the_one_before():
    bins = season_bins(
        times("2018-03-31T00:00:00", "2018-03-30T23:59:58"), times("2018-04-02T00:00:00", "2018-04-02T00:00:00")
    )
    assert [bins.label[i] for i in bins.bin] == ["2018-04", "2017-10"]


def test_winter_is_named_by_the_year_it_starts_in():
    bins = season_bins(times("2019-02-01"), times("2019-02-13"))
    assert bins.label == ("2018-10",)


def test_empty_bins_between_others_are_kept_and_later_pairs_move_none():
    reference, secondary = times("2018-05-01", "2019-05-01"), times("2018-05-13", "2019-05-13")
    before = season_bins(reference, secondary)
    assert before.label == ("2018-04", "2018-10", "2019-04")
    later = season_bins(
        times("2018-05-01", "2019-05-01", "2018-11-01"), times("2018-05-13", "2019-05-13", "2020-11-01")
    )
    assert later.label[:3] == before.label
    assert later.bin[:2].tolist() == before.bin.tolist()


@pytest.mark.parametrize(
    ("seasons", "label", "names"),
    [
        ((1,), "2018-01", ("01-12",)),
        ((11,), "2017-11", ("11-10",)),
        ((3, 6, 9, 12), "2018-06", ("03-05", "06-08", "09-11", "12-02")),
    ],
)
def test_other_seasons(seasons, label, names):
    bins = season_bins(times("2018-07-01"), times("2018-07-13"), seasons=seasons)
    assert bins.label == (label,)
    assert bins.season_name == names


@given(
    st.lists(st.tuples(st.integers(0, 20000), st.integers(1, 700)), min_size=1, max_size=30),
    st.lists(st.integers(1, 12), min_size=1, max_size=5, unique=True),
)
def test_each_middle_lies_in_its_bin(spans, months):
    reference = np.array([start for start, _ in spans], dtype="datetime64[D]")
    secondary = reference + np.array([length for _, length in spans], dtype="timedelta64[D]")
    seasons = tuple(sorted(months))
    bins = season_bins(reference, secondary, seasons=seasons)
    middle = reference.astype("datetime64[s]") + (secondary - reference).astype("timedelta64[s]") // 2
    assert np.all(bins.bin_start[bins.bin] <= middle)
    assert np.all(middle < bins.bin_end[bins.bin])
    assert np.array_equal(bins.bin_start[1:], bins.bin_end[:-1])
    started = bins.bin_start.astype("datetime64[M]").astype(int) % 12 + 1
    assert np.array_equal(np.array(seasons)[bins.season], started)
    assert {0, len(bins.label) - 1} <= set(bins.bin.tolist())


def test_no_pairs_have_no_bins():
    bins = season_bins(times(), times())
    assert bins.label == ()
    assert bins.bin.size == 0


@pytest.mark.parametrize("seasons", [(), (4, 4), (10, 4), (0, 4), (4, 13)])
def test_months_that_make_no_seasons_are_refused(seasons):
    with pytest.raises(ValueError, match="expected increasing months"):
        season_bins(times("2018-05-01"), times("2018-05-13"), seasons=seasons)


def test_a_pair_back_to_front_is_refused():
    with pytest.raises(ValueError, match="not before its secondary"):
        season_bins(times("2018-05-13"), times("2018-05-01"))
    with pytest.raises(ValueError, match="shapes"):
        season_bins(times("2018-05-13"), times())
