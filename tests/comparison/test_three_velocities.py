"""SBAS of unwrapped pairs, stacking of them, and integrated gradients against one truth.

The recorded cells are what `three_velocities.measure` of the test support wrote; tests marked long make some anew.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import three_velocities

from slidecloud.kernels.choice import best_velocity

RECORDED = Path(__file__).with_name("three_velocities.csv")


def _recorded() -> dict[tuple[float, ...], dict[str, dict[str, Any]]]:
    """Measurements by (seed, coherence, rate, pairs) and estimator."""
    found: dict[tuple[float, ...], dict[str, dict[str, Any]]] = {}
    for row in three_velocities.recorded(RECORDED):
        key = tuple(row[name] for name in ("seed", "coherence", "rate", "pairs"))
        found.setdefault(key, {})[row["estimator"]] = row
    return found


def _choice(cell: dict[str, dict[str, Any]]) -> str | None:
    """What the rule says, knowing what a user would: velocity, sigma and what came back of an injected slide."""
    told = []
    for name in ("sbas", "integrated"):
        row = cell[name]
        told.append((row["fraction"] * row["rate"] / 1000, row["sigma"], row["recovered"]))
    return best_velocity(told[0], told[1])


def test_the_rule_takes_the_velocity_that_is_nearer_to_the_truth() -> None:
    cells = [cell for cell in _recorded().values() if np.isfinite(cell["sbas"]["recovered"])]
    regret = []
    for cell in cells:
        chosen = _choice(cell)
        assert chosen is not None
        regret.append(cell[chosen]["rmse"] / min(cell[name]["rmse"] for name in ("sbas", "integrated")))
    assert len(regret) >= 40
    # Where both are about as good it may err.
    assert np.mean(np.array(regret) < 1.05) > 0.8
    assert np.mean(regret) < 1.15


def test_injection_foretells_what_is_lost_of_fast_slides() -> None:
    """For slow ones noise hides what is lost, so the comparison is of those of 60 mm/yr and more."""
    for name in ("sbas", "integrated"):
        rows = [cell[name] for cell in _recorded().values()]
        fast = [(r["recovered"], r["fraction"]) for r in rows if r["rate"] >= 60 and np.isfinite(r["recovered"])]
        told, true = np.array(fast).T
        assert np.corrcoef(told, true)[0, 1] > 0.7
        assert np.sqrt(np.mean((told - true) ** 2)) < 0.12


@pytest.mark.long
def test_gradients_hold_where_unwrapping_fails() -> None:
    found = {row["estimator"]: row for row in three_velocities.cells(1, 0.1, 60, (150,))}
    assert found["integrated"]["rmse"] < 0.7 * found["sbas"]["rmse"]
    assert found["integrated"]["fraction"] > found["sbas"]["fraction"]
    assert found["sbas"]["recovered"] < 0.9 < found["integrated"]["recovered"]
    assert _choice(found) == "integrated"


@pytest.mark.long
def test_unwrapping_holds_where_gradients_are_too_steep() -> None:
    found = {row["estimator"]: row for row in three_velocities.cells(1, 0.5, 200, (150,))}
    assert found["sbas"]["fraction"] == pytest.approx(1.0, abs=0.03)
    assert found["integrated"]["fraction"] < 0.9
    assert found["integrated"]["recovered"] < 0.9
    assert found["sbas"]["rmse"] < found["integrated"]["rmse"]
    assert _choice(found) == "sbas"
