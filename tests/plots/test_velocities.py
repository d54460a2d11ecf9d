"""Table and figure of velocities against the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from slidecloud.plots.velocities import NAMES, Cell, plot_velocities, velocity_table

RECOVERED = {50: 0.7, 150: 0.8, 400: float("nan")}


def _cells() -> list[Cell]:
    every = [(rate, 150) for rate in (20, 60)] + [(60, pairs) for pairs in (50, 400)]
    return [
        Cell(
            name,
            coherence,
            rate,
            pairs,
            -0.01 * coherence,
            0.004 + 0.001 * place,
            0.9,
            0.8 if pairs < 400 else float("nan"),
        )
        for rate, pairs in every
        for coherence in (0.1, 0.5)
        for place, name in enumerate(NAMES)
    ]


def test_table_has_a_row_for_each_stack_and_marks_the_best() -> None:
    lines = velocity_table(_cells()).splitlines()
    assert len(lines) == 2 + 8
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| 50 | 60 | 0.1 | **-1.0 / 4.0** | -1.0 / 5.0 | -1.0 / 6.0 | -1.0 / 7.0 | -1.0 / 8.0 |"
    assert lines[-1].startswith("| 400 | 60 | 0.5 | **-5.0 / 4.0**")


def test_an_estimator_that_is_absent_leaves_its_column_empty() -> None:
    lines = velocity_table([cell for cell in _cells() if cell.estimator != "stacking"]).splitlines()
    assert lines[2].split("|")[7].strip() == ""


def test_figure_is_written(tmp_path: Path) -> None:
    written = plot_velocities(_cells(), tmp_path / "velocities.png")
    assert written.read_bytes()[:4] == b"\x89PNG"
    assert written.stat().st_size > 20_000


@pytest.mark.parametrize("pairs", [150, 50])
def test_a_part_of_the_cells_is_enough(tmp_path: Path, pairs: int) -> None:
    some = [cell for cell in _cells() if cell.pairs == pairs]
    assert plot_velocities(some, tmp_path / "some.png").stat().st_size > 10_000
