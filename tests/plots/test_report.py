"""The report of a run: one file that needs no other, with truth and without."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import small

from slidecloud.plots.accuracy import Truth
from slidecloud.plots.report import burst_accuracy, burst_figure, gradient_window, report
from slidecloud.plots.series import most_telling
from slidecloud.store import Run, open_run


@pytest.fixture(scope="module")
def run(finished: Path) -> Run:
    return open_run(str(finished))


@pytest.fixture(scope="module")
def truth() -> Truth:
    made = small.scene()
    return Truth(made.dates, made.displacement(made.dates), made.velocity, made.labels)


def test_report_is_self_contained_and_well_formed(run: Run, truth: Truth, tmp_path: Path) -> None:
    page = report(run, tmp_path, truth={small.BURST: truth})
    text = page.read_text()
    HTMLParser().feed(text)
    assert not re.search(r"""(src|href)="(?!data:)""", text)
    assert "velocity RMSE against truth" in text
    assert small.BURST in text
    assert "false alarms" in text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["landslides.png", "report.html", "report.png"]


def test_report_of_a_run_without_truth(run: Run, tmp_path: Path) -> None:
    text = report(run, tmp_path).read_text()
    assert "truth" not in text
    titles = _titles(burst_figure(run, small.BURST))
    assert "Temporal coherence" in titles
    assert not any("True" in title for title in titles)


def test_figure_shows_truth_gradients_velocity_and_series(run: Run, truth: Truth) -> None:
    titles = _titles(burst_figure(run, small.BURST, truth=truth))
    for title in ("True velocity", "Velocity", "Its standard error", "Velocity gradient along y"):
        assert title in titles
    assert any(title.startswith("Point A: ") and title.endswith("mm/yr") for title in titles)


def test_results_of_the_simulation_agree_with_its_truth(run: Run, truth: Truth) -> None:
    """Ten dates of 200 mm/yr: the slide stands out, and its gradients look like the truth's."""
    found = burst_accuracy(run, small.BURST, truth)
    assert found.visible == found.slides == 1
    assert found.velocity_rmse < 0.06
    assert found.gradient_correlation > 0.6


def test_the_point_shown_lies_on_the_slide(run: Run, truth: Truth) -> None:
    assert truth.slides[most_telling(run.timeseries(small.BURST))] == 1


def test_window_is_the_configured_one(run: Run) -> None:
    assert gradient_window(run.gradients(small.BURST)) == (10, 10)


def test_a_run_without_its_stacks_has_no_hillshade_but_a_report(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_run(str(finished))
    monkeypatch.setattr(
        Run, "config", opened.config.model_copy(update={"stacks": str(tmp_path / "gone")}), raising=False
    )
    assert report(opened, tmp_path).is_file()


def _titles(figure: object) -> list[str]:
    return [axes.get_title(loc="left") for axes in figure.axes]  # type: ignore[attr-defined]
