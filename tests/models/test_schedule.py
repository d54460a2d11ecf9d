"""What changes while a network learns."""

from __future__ import annotations

import pytest

from slidecloud.models.recipes import Recipe
from slidecloud.models.schedule import moment


def recipe(**changes):
    return Recipe.model_validate(
        {"tiles": {"train": ["a"], "validation": ["b"]}, "batch": 1, "tile_steps": 300, **changes}
    )


def test_adam_comes_before_sgd_one_to_two():
    kinds = [moment(recipe(), step).optimiser for step in range(300)]
    assert kinds == ["adam"] * 100 + ["sgd"] * 200


@pytest.mark.parametrize(
    ("decay", "last"),
    [("cosine", 0.02), ("step", 0.02), ("constant", 1.0)],
)
def test_rates_rise_once_and_then_never(decay, last):
    made = recipe(decay=decay, warmup=0.1, adam_rate=2.0, sgd_rate=5.0)
    rates = [moment(made, step).rate for step in range(300)]
    assert rates[:30] == pytest.approx([2.0 * (step + 1) / 30 for step in range(30)])
    assert set(rates[30:100]) == {2.0}
    assert rates[100] == 5.0
    assert rates[100:] == sorted(rates[100:], reverse=True)
    assert rates[-1] == pytest.approx(5.0 * last, rel=0.01)


def test_without_adam_sgd_warms_up():
    made = recipe(adam_share=0.0, warmup=0.1)
    assert moment(made, 0).rate < moment(made, 20).rate < moment(made, 29).rate


def test_dropblock_grows_from_nothing_to_its_share():
    drops = [moment(recipe(drop=0.2), step).drop for step in range(300)]
    assert drops[0] == 0
    assert drops == sorted(drops)
    assert drops[-1] == 0.2


def test_the_last_batch_may_be_part_of_the_count():
    assert recipe(batch=8, tile_steps=17).steps == 3
    assert moment(recipe(batch=8, tile_steps=1), 0).rate > 0
