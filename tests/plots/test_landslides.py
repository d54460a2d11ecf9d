"""Pictures and figures of landslides found, with truth and without, on maps and in radar geometry."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import sliding

from slidecloud.plots.accuracy import Truth
from slidecloud.plots.figures import save
from slidecloud.plots.findings import Findings
from slidecloud.plots.landslides import landslide_figure
from slidecloud.plots.report import burst_findings
from slidecloud.simulate import Scene
from slidecloud.store import Run, open_run

BURST = "t026_000001_iw2"


@pytest.fixture(scope="module", params=["map", "radar"])
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Scene]:
    folder = tmp_path_factory.mktemp("searched")
    still = sliding.Slide(row=60, column=70, length=600, width=500, rate=0.0005)
    made = sliding.scene(geometry=request.param, slides=(*sliding.STEADY, still))
    sliding.ingest(folder, made)
    assert sliding.search(folder).exit_code == 0
    return open_run(str(folder / "run.zarr")), made


def truth_of(made: Scene, **changes: object) -> Truth:
    known = {"velocity": made.velocity, "slides": made.labels} | changes
    return Truth(made.dates, made.displacement(made.dates), **known)  # type: ignore[arg-type]


def test_visible_slides_are_found_and_the_still_one_is_not_asked_for(searched: tuple[Run, Scene]) -> None:
    run, made = searched
    found = burst_findings(run, BURST, truth_of(made))
    assert (found.found, found.visible, found.slides) == (2, 2, 3)
    assert found.area == pytest.approx(made.valid.sum() * 0.0016, rel=0.1)
    assert found.false_alarms <= 2
    assert found.lines()[0].endswith("2 of 2 visible ones (3 are there)")


def test_without_slides_all_is_false_alarm(searched: tuple[Run, Scene]) -> None:
    run, made = searched
    nothing = truth_of(made, slides=np.zeros_like(made.labels), velocity=np.zeros_like(made.velocity))
    found = burst_findings(run, BURST, nothing)
    assert (found.found, found.visible, found.slides) == (0, 0, 0)
    assert found.false_alarms == len(run.detections(BURST)) >= 2


def test_slides_elsewhere_are_missed(searched: tuple[Run, Scene]) -> None:
    run, made = searched
    moved = truth_of(made, slides=np.roll(made.labels, 25, axis=1), velocity=np.roll(made.velocity, 25, axis=1))
    found = burst_findings(run, BURST, moved)
    assert found.found == 0
    assert found.visible >= 1


def test_lines_lie_on_the_slides(searched: tuple[Run, Scene], tmp_path: Path) -> None:
    run, made = searched
    figure = landslide_figure(run, BURST, elevation=made.elevation, truth=truth_of(made))
    (axes,) = (part for part in figure.axes if part.get_xlabel())
    assert "2" in figure.get_suptitle() or "landslides found" in figure.get_suptitle()
    extent = axes.get_images()[0].get_extent()
    height, width = made.header.shape
    drawn = []
    for line in axes.get_lines():
        x, y = (np.asarray(part, float) for part in line.get_data())
        column = (x - extent[0]) / (extent[1] - extent[0]) * width
        row = (y - extent[3]) / (extent[2] - extent[3]) * height
        drawn.append((row.mean(), column.mean()))
    for slide in sliding.STEADY:
        assert min(np.hypot(row - slide.row, column - slide.column) for row, column in drawn) < 8
    assert save(figure, tmp_path / "landslides.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_without_truth_and_hillshade(searched: tuple[Run, Scene]) -> None:
    figure = landslide_figure(searched[0], BURST)
    assert "are there" not in figure.get_suptitle()


def test_figures_read_well() -> None:
    lines = Findings(9, 10, 12, 1, 105.4).lines()
    assert lines[0].endswith("9 of 10 visible ones (12 are there)")
    assert lines[1].endswith("1 in 105 km2 with data")
