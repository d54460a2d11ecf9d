"""Unwrapping errors put into known places: mended or rejected, never made worse, never guessed."""

from __future__ import annotations

import numpy as np
import pytest
import turns
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.kernels._cycles_network import MISSING, SIGNS, find_loops
from slidecloud.kernels._cycles_search import explanations
from slidecloud.kernels.cycles import mend

TURN = 2 * np.pi


def mended(broken, **options):
    return mend(broken.phase, None, broken.reference, broken.secondary, shape=broken.shape, **options)


def accepted(found):
    """The acceptance of a repair."""
    assert found.handled >= 0.95
    assert found.sound_rejected <= 0.01
    assert found.worse == 0
    assert found.unverifiable_touched == 0


@pytest.mark.parametrize("seed", [0, 1])
def test_errors_are_repaired_or_rejected(seed):
    broken = turns.broken(seed, dates=24, factor=0.05, extra=[(0, 15), (3, 21)])
    result = mended(broken)
    found = turns.outcome(broken, result)
    accepted(found)
    assert found.repaired >= 0.95
    np.testing.assert_array_equal(
        np.flatnonzero(~result.verifiable), [broken.reference.size - 2, broken.reference.size - 1]
    )


CELLS = [(reach, factor, noise) for noise in (0.2, 0.5, 0.8) for factor in (0.01, 0.05, 0.10) for reach in (2, 3, 5)]
"""Steps of the longest pair, share of the pairs that are wrong, noise of a pair, rad (of a loop 1.7 times that)."""
FRESH = range(8200, 8212)
"""Seeds on which no limit of the code was tuned."""


def outcomes(reach, factor, noise):
    """Outcomes (scene, share or number) of the scenes of a cell."""
    found = []
    for seed in FRESH:
        broken = turns.broken(seed, dates=24, reach=reach, factor=factor, noise=noise, extra=[(0, 15), (3, 21)])
        found.append(turns.outcome(broken, mended(broken)))
    return np.array(found)


@pytest.mark.long
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_the_whole_matrix(cell, record_property):
    """Of all scenes of a cell together; with at most a few pixel-pairs of millions made worse, where noise votes alone.

    One scene may reject 3 %: where two pairs are in one and the same loop alone, which of them is wrong cannot be told,
    and both are rejected.
    """
    handled, repaired, rejected, worse, touched = outcomes(*cell).T
    for name, value in {"handled": handled, "repaired": repaired, "rejected": rejected, "worse": worse}.items():
        record_property(name, float(value.mean()))
    assert handled.mean() >= 0.95
    assert handled.min() >= 0.90
    assert rejected.mean() <= 0.01
    assert rejected.max() <= 0.05
    assert worse.sum() <= 10
    assert touched.sum() == 0


@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.02, 0.1]), noise=st.floats(0, 0.6))
@settings(max_examples=12, deadline=None)
def test_only_whole_turns_where_something_was_wrong(seed, factor, noise):
    broken = turns.broken(seed, shape=(36, 44), dates=12, factor=factor, noise=noise)
    result = mended(broken)
    kept = np.isfinite(broken.phase) & ~result.rejected
    np.testing.assert_array_equal(np.isfinite(result.phase), kept)
    np.testing.assert_allclose(result.phase[kept], (broken.phase + TURN * result.cycles)[kept], atol=1e-4)
    assert not result.cycles[~kept].any()
    assert turns.outcome(broken, result).worse == 0


def test_a_sound_stack_stays_as_it_was():
    broken = turns.broken(0, factor=0.0, noise=0.3)
    sound = broken._replace(phase=(broken.phase - TURN * broken.errors).astype(np.float32))
    result = mended(sound)
    assert not result.cycles.any()
    assert not result.rejected.any()
    assert result.phase.tobytes() == sound.phase.tobytes()


def block(errors, *, dates=6, reach=3, shape=(30, 40), noise=0.1):
    """Pairs without motion, some wrong in given windows: errors maps (reference, secondary) to (window, turns)."""
    reference, secondary = turns.network(dates, reach)
    rng = np.random.default_rng(0)
    wrong = np.zeros((reference.size, *shape), int)
    for (first, last), (window, number) in errors.items():
        wrong[np.flatnonzero((reference == first) & (secondary == last))[0]][window] = number
    wrong = wrong.reshape(reference.size, -1)
    phase = noise * rng.normal(size=wrong.shape) + TURN * wrong + np.arange(reference.size)[:, None]
    return turns.Broken(phase.astype(np.float32), wrong, reference, secondary, shape)


LEFT, MIDDLE = np.s_[5:20, 5:20], np.s_[10:25, 12:30]


@pytest.mark.parametrize("number", [-2, -1, 1, 2])
def test_several_turns_either_way(number):
    broken = block({(2, 3): (MIDDLE, number)})
    assert turns.outcome(broken, mended(broken)).repaired == 1


def test_two_errors_that_look_like_one_where_they_overlap():
    """At the first date two wrong pairs of three show what the third alone would; their borders tell."""
    broken = block({(0, 1): (LEFT, 1), (0, 2): (MIDDLE, 1)})
    found = turns.outcome(broken, mended(broken))
    assert found.worse == 0
    assert found.repaired > 0.95


def test_what_cannot_be_told_is_rejected():
    """With two pairs at the first date either may be wrong: both are rejected, where it shows and nowhere else."""
    broken = block({(0, 2): (MIDDLE, 1)}, reach=2)
    result = mended(broken)
    either = np.isin(broken.reference, 0)
    wrong = (broken.errors != 0).any(axis=0)
    assert result.rejected[either][:, wrong].mean() > 0.98
    assert not result.rejected[~either].any()
    assert result.rejected[either][:, ~wrong].mean() < 0.02
    assert not result.cycles.any()


def test_a_closure_of_half_a_turn_is_no_unwrapping_error():
    """Bias of multilooking, or worse: rejected where it passes half a turn, not mended."""
    broken = block({}, noise=0.05)
    phase = broken.phase.reshape(-1, *broken.shape).copy()
    pair = int(np.flatnonzero((broken.reference == 2) & (broken.secondary == 3))[0])
    phase[pair][MIDDLE] += 0.6 * TURN
    result = mended(broken._replace(phase=phase.reshape(broken.phase.shape)))
    assert not result.cycles.any()
    assert result.rejected[pair].reshape(broken.shape)[MIDDLE].mean() > 0.9


def test_pairs_without_loop_are_said_to_be_unverifiable():
    broken = block({}, dates=5, reach=1)
    result = mended(broken)
    assert not result.verifiable.any()
    assert not result.rejected.any()
    np.testing.assert_array_equal(result.phase, broken.phase)


def test_a_component_is_mended_where_no_loop_shows_it():
    broken = block({(2, 3): (np.s_[:, 20:], 1)})
    phase = broken.phase.reshape(-1, *broken.shape).copy()
    pair = int(np.flatnonzero((broken.reference == 2) & (broken.secondary == 3))[0])
    for other in range(len(phase)):
        if other != pair:
            phase[other][:, 33:] = np.nan
    component = np.ones(phase.shape, np.uint8)
    component[:, :, 20:] = 2
    result = mend(
        phase.reshape(broken.phase.shape),
        component.reshape(broken.phase.shape),
        broken.reference,
        broken.secondary,
        shape=broken.shape,
    )
    cycles = result.cycles[pair].reshape(broken.shape)
    assert (cycles[:, 33:] == -1).all()
    assert not cycles[:, :20].any()


@given(
    pairs=st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda p: p[0] < p[1]), min_size=3),
    data=st.data(),
)
@settings(max_examples=60, deadline=None)
def test_explanations_are_all_there_are(pairs, data):
    """Against trying every set of errors of at most two turns."""
    reference, secondary = np.array(sorted(pairs)).T
    loops = find_loops(reference, secondary)
    matrix = np.zeros((len(loops.members), reference.size), int)
    for column, sign in enumerate(SIGNS):
        np.add.at(matrix, (np.arange(len(matrix)), loops.members[:, column]), sign)
    inside = np.unique(loops.members)
    errors = np.zeros(reference.size, int)
    if inside.size:
        for _ in range(data.draw(st.integers(0, 2))):
            errors[data.draw(st.sampled_from(inside.tolist()))] += data.draw(st.sampled_from([-1, 1]))
    shown = matrix @ errors
    singles = [np.eye(reference.size, dtype=int)[p] * sign for p in inside for sign in (-1, 1)]
    tried = [[one] for one in singles] + [[one, other] for one in singles for other in singles]
    every = {tuple(total) for total in map(sum, tried) if (matrix @ total == shown).all() and total.any()}
    found = explanations(shown.astype(np.int8), loops, most=2, more=0)
    if not shown.any():
        assert found == [{}]
        return
    fewest = min(np.abs(total).sum() for total in every)
    expected = {total for total in every if np.abs(total).sum() == fewest}
    assert {tuple(one.get(p, 0) for p in range(reference.size)) for one in found} == expected


def test_missing_loops_say_nothing():
    loops = find_loops(*turns.network(5, 2))
    shown = np.zeros(len(loops.members), np.int8)
    shown[1] = 1
    shown[[0, 2]] = MISSING
    assert {tuple(one) for one in explanations(shown, loops, most=1, more=0)} == {(p,) for p in loops.members[1]}


GOOD = np.zeros((3, 20), np.float32), [0, 1, 0], [1, 2, 2]


@pytest.mark.parametrize(
    ("phase", "component", "options", "words"),
    [
        (GOOD[0][:2], None, {}, "of 3 pairs|3 pairs"),
        (GOOD[0], None, {"shape": (4, 6)}, "4 x 6 pixels"),
        (GOOD[0], np.zeros((3, 19), np.uint8), {}, "component"),
        (GOOD[0], None, {"window": 4}, "odd"),
        (GOOD[0], None, {"smallest": 0}, "smallest"),
    ],
)
def test_refuses_by_name(phase, component, options, words):
    with pytest.raises(ValueError, match=words):
        mend(phase, component, GOOD[1], GOOD[2], **{"shape": (4, 5), **options})


def test_all_missing_is_left_alone():
    result = mend(np.full((3, 20), np.nan, np.float32), None, GOOD[1], GOOD[2], shape=(4, 5))
    assert not result.verifiable.any()
    assert not result.rejected.any()
