"""Two people give the command for one run at the same moment: one runs, the other is told so."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from cases import choices
from stores import until

REFUSED = re.compile(r"Error: .*(is being written by process \d+ on|was taken by another driver this very moment)")


@pytest.mark.parametrize(
    ("place", "seed"),
    [
        pytest.param(place, seed, marks=() if seed == 0 and place == "bucket" else pytest.mark.long)
        for place in ("folder", "bucket")
        for seed in range(5)
    ],
)
def test_one_runs(field, place, seed):
    choice = choices(place, seed)
    field.undisturbed(place)
    with field.case(place) as case:
        case.order("gate")
        drivers = [case.start(role=role) for role in choice.sample(("driver", "second"), 2)]
        try:
            until(lambda: all((field.cluster.folder / f"waits-{driver.pid}").exists() for driver in drivers))
            case.withdraw("gate")
            codes = [driver.wait(300) for driver in drivers]
        finally:
            for driver in drivers:
                field.cluster.end(driver)
        words = [field.cluster.log(driver) for driver in drivers]
        assert sorted(codes) == [0, 1], words
        assert REFUSED.search(words[codes.index(1)]), words
        case.said.append(words[codes.index(0)])
        case.check(field.expected[place])
        assert set(Counter(case.notes()).values()) == {1}
        assert case.begun_again == 0
