"""Networks whose pairs, subsets, redundancy and chains can be counted by hand, and by brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slidecloud import network
from slidecloud.types import Pair


def days(*numbers: int) -> np.ndarray:
    return np.datetime64("2018-01-06", "D") + np.array(numbers, dtype="timedelta64[D]")


def pair(first: int, second: int, baseline: float = float("nan")) -> Pair:
    return Pair(days(first)[0], days(second)[0], baseline)


def test_every_pair_within_36_days_of_a_12_day_revisit():
    net = network.pairs(days(*range(0, 120, 12)), max_days=36)
    expected = [(i, j) for i, j in itertools.combinations(range(10), 2) if j - i <= 3]
    assert list(zip(net.reference.tolist(), net.secondary.tolist(), strict=True)) == expected
    assert net.half_width == 2  # as the banded solver needs it for 36 days at a 12-day revisit
    assert net.subset_count == 1
    assert net.redundancy == len(expected) - 9
    assert net.longest_chain.tolist() == list(range(10))
    assert net.pair_redundant.all()
    assert net.date_redundant.all()
    assert net.pairs_per_date.tolist() == [3, 4, 5, 6, 6, 6, 6, 5, 4, 3]


def test_seconds_between_revisits_do_not_drop_a_pair():
    dates = np.array(["2018-01-06T00:40:22", "2018-02-11T00:40:25"], dtype="datetime64[s]")
    assert network.pairs(dates, max_days=36).reference.size == 1
    assert network.pairs(dates, max_days=35).reference.size == 0


def test_baselines_limit_pairs_and_belong_to_secondary_minus_reference():
    net = network.pairs(days(0, 12, 24), max_days=24, perpendicular_baseline=[0.0, 120.0, 30.0], max_baseline=100)
    assert net.perpendicular_baseline.tolist() == [30.0, -90.0]
    assert [p.key for p in net.pairs] == ["20180106_20180130", "20180118_20180130"]


def test_a_gap_splits_the_network_and_a_lonely_date_is_isolated():
    net = network.pairs(days(0, 12, 24, 100, 112, 300), max_days=24)
    assert net.subset.tolist() == [0, 0, 0, 1, 1, -1]
    assert net.isolated.tolist() == [5]
    assert net.longest_chain.tolist() == [0, 1, 2]


def test_interleaved_subsets_are_told_apart_and_half_width_counts_existing_dates():
    net = network.from_pairs([pair(0, 24), pair(12, 36), pair(24, 48)], dates=days(0, 12, 18, 24, 36, 48))
    assert net.subset.tolist() == [0, 1, -1, 0, 1, 0]
    assert net.half_width == 1  # day 18 is in no pair, so 12-36 spans two steps


def test_bridges_and_cut_dates_of_two_triangles_joined_by_one_pair():
    net = network.from_pairs([pair(0, 1), pair(1, 2), pair(0, 2), pair(2, 3), pair(3, 4), pair(4, 5), pair(3, 5)])
    weak = [p.key for p, redundant in zip(net.pairs, net.pair_redundant, strict=True) if not redundant]
    assert weak == [pair(2, 3).key]
    assert np.flatnonzero(~net.date_redundant).tolist() == [2, 3]
    assert net.redundancy == 2


def test_the_longest_chain_counts_links_not_days():
    net = network.from_pairs([pair(0, 100), pair(0, 10), pair(10, 20), pair(20, 30), pair(100, 110)])
    assert [str(d)[:10] for d in net.dates[net.longest_chain]] == [str(d) for d in days(0, 10, 20, 30)]


def test_the_order_of_pairs_does_not_show():
    some = [pair(0, 12, 5.0), pair(12, 24, -7.0), pair(0, 24, -2.0)]
    for order in itertools.permutations(some):
        net = network.from_pairs(order)
        assert net.perpendicular_baseline.tolist() == [5.0, -2.0, -7.0]
        assert net.pairs == tuple(sorted(some))


def test_select_keeps_pairs_within_limits_and_leaves_out_unknown_baselines():
    some = [pair(12, 24, 150.0), pair(0, 12, -20.0), pair(0, 48, 1.0), pair(24, 36)]
    assert network.select(some, max_days=36) == (some[1], some[0], some[3])
    assert network.select(some, max_baseline=100) == (some[1], some[2])
    assert network.select(some, max_days=12, max_baseline=100) == (some[1],)
    assert len(network.select(some)) == 4


edges = st.lists(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda e: e[0] < e[1]), min_size=1, max_size=20, unique=True
)


def count_components(nodes, links):
    left, count = set(nodes), 0
    while left:
        todo, count = [left.pop()], count + 1
        while todo:
            here = todo.pop()
            near = {b if a == here else a for a, b in links if here in (a, b)} & left
            left -= near
            todo += near
    return count


@given(edges)
def test_against_brute_force(links):
    net = network.from_pairs([pair(a, b) for a, b in links], dates=days(*range(10)))
    links = sorted(links)
    linked = {node for link in links for node in link}
    assert net.subset_count == count_components(linked, links)
    assert set(net.isolated.tolist()) == set(range(10)) - linked
    whole = count_components(range(10), links)
    for i, link in enumerate(links):
        splits = count_components(range(10), [other for other in links if other != link]) > whole
        assert net.pair_redundant[i] != splits
    for node in linked:
        others = [n for n in range(10) if n != node]
        splits = count_components(others, [link for link in links if node not in link]) > whole
        assert net.date_redundant[node] != splits
    chain = net.longest_chain.tolist()
    assert all(step in links for step in itertools.pairwise(chain))
    best = dict.fromkeys(range(10), 0)
    for b in range(10):
        best[b] = max([best[a] + 1 for a, c in links if c == b], default=0)
    assert len(chain) - 1 == max(best.values())
    # redundancy is the number of independent loops: pairs less the rank of the incidence matrix
    incidence = np.zeros((len(links), 10))
    for row, (a, b) in enumerate(links):
        incidence[row, a], incidence[row, b] = -1, 1
    assert net.redundancy == len(links) - np.linalg.matrix_rank(incidence)


def test_the_report_says_what_is_wrong_with_a_network():
    net = network.from_pairs(
        [pair(0, 12, 40.0), pair(12, 24, -60.0), pair(100, 112)], dates=days(0, 12, 24, 100, 112, 300)
    )
    text = network.report(net)
    assert "6 dates from 2018-01-06 to 2018-11-02, 3 pairs" in text
    assert "2 subsets that share no pair" in text
    assert "isolated dates, in no pair: 2018-11-02" in text
    assert "dates without which the network splits: 2018-01-18" in text
    assert "up to 60 m (1 unknown)" in text
    assert "longest chain: 2 pairs end to end, 2018-01-06 to 2018-01-30" in text


def test_reports_of_next_to_nothing():
    assert network.report(network.from_pairs([])) == "0 dates, 0 pairs"
    assert network.report(network.pairs(days(0, 50), max_days=12)).endswith("0 pairs")
    assert "1 subset" in network.report(network.pairs(days(0, 12), max_days=12))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: network.pairs(days(12, 0), max_days=12), "do not increase"),
        (lambda: network.pairs(days(0, 0), max_days=12), "do not increase"),
        (lambda: network.pairs([1, 2], max_days=12), "expected datetime64"),
        (lambda: network.pairs(np.array(["NaT"], "datetime64[s]"), max_days=12), "NaT"),
        (lambda: network.pairs(days(0, 12), max_days=0), "max_days is 0"),
        (lambda: network.pairs(days(0, 12), max_days=12, max_baseline=100), "needs the baseline of every date"),
        (lambda: network.pairs(days(0, 12), max_days=12, perpendicular_baseline=[1.0]), "one per date"),
        (lambda: network.from_pairs([pair(0, 12), pair(0, 12)]), "given twice"),
        (lambda: network.from_pairs([pair(12, 0)]), "earlier than the secondary"),
        (lambda: network.from_pairs([pair(0, 12)], dates=days(0, 24)), "not among dates"),
        (lambda: network.select([pair(0, 12)], max_baseline=-1), "max_baseline is -1"),
    ],
)
def test_what_makes_no_network_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
