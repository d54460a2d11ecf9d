"""The network plot: heights from the pairs' baselines, colours by subset or coherence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection

from slidecloud.network import Network, from_pairs
from slidecloud.plots.figures import save
from slidecloud.plots.network import date_baselines, network_figure
from slidecloud.types import Pair

DATES = np.datetime64("2022-01-04T11:00:00", "s") + np.arange(12) * np.timedelta64(12, "D")


def _network(height: np.ndarray, *, split: bool = True, known: bool = True) -> Network:
    """Each date with its next two; date 5 alone and, where split, nothing across it."""
    pairs = [
        Pair(DATES[i], DATES[j], float(height[j] - height[i]) if known else float("nan"))
        for i in range(12)
        for j in range(i + 1, min(i + 3, 12))
        if 5 not in (i, j) and not (split and i < 5 < j)
    ]
    return from_pairs(pairs, dates=DATES)


@given(st.lists(st.floats(-200, 200), min_size=12, max_size=12))
def test_baselines_of_dates_are_those_of_the_pairs(values: list[float]) -> None:
    """Differences within a subset are exact whatever the common origin, which the pairs do not know."""
    height = np.array(values)
    network = _network(height)
    found = date_baselines(network)
    np.testing.assert_allclose(
        found[network.secondary] - found[network.reference], network.perpendicular_baseline, atol=1e-6
    )
    for number in range(network.subset_count):
        assert abs(found[network.subset == number].mean()) < 1e-6
    assert abs(found[5]) < 1e-6


def test_a_pair_of_unknown_baseline_does_not_spoil_the_others() -> None:
    height = np.arange(12.0) ** 2
    pairs = [*_network(height, split=False).pairs]
    pairs[0] = Pair(pairs[0].reference, pairs[0].secondary)
    found = date_baselines(from_pairs(pairs, dates=DATES))
    used = np.delete(np.arange(12), 5)
    np.testing.assert_allclose(found[used] - found[0], height[used], atol=1e-8)


@pytest.mark.parametrize("coherence", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_figure_shows_every_pair_date_and_subset(tmp_path: Path, known: bool, coherence: bool) -> None:
    network = _network(np.linspace(-50, 80, 12) ** 2 / 50, known=known)
    means = np.linspace(0.1, 0.6, network.reference.size) if coherence else None
    figure = network_figure(network, coherence=means, title="a stack")
    axes = figure.axes[0]
    (lines,) = [found for found in axes.collections if isinstance(found, LineCollection)]
    assert len(lines.get_segments()) == network.reference.size
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == ["subset 1, 5 dates", "subset 2, 6 dates", "1 isolated, in no pair"]
    assert ("baseline (m)" in axes.get_ylabel()) is known
    assert len(figure.axes) == (2 if coherence else 1)
    assert save(figure, tmp_path / "n.png").read_bytes().startswith(b"\x89PNG")
    assert [path.name for path in tmp_path.iterdir()] == ["n.png"]


def test_pairs_that_are_drawn_apart_are_drawn_once_and_named() -> None:
    network = _network(np.linspace(-50, 80, 12))
    gone = np.arange(network.reference.size) < 3
    figure = network_figure(network, coherence=np.full(gone.size, 0.5), apart={"left out": gone})
    plain, apart = (found for found in figure.axes[0].collections if isinstance(found, LineCollection))
    assert (len(plain.get_segments()), len(apart.get_segments())) == (gone.size - 3, 3)
    assert "left out: 3" in [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def test_a_network_without_pairs_can_be_drawn(tmp_path: Path) -> None:
    figure = network_figure(from_pairs([], dates=DATES), coherence=np.empty(0))
    assert save(figure, tmp_path / "n.svg").read_text().startswith("<?xml")
