"""GACOS from its files to the velocity: what the air feigned is gone, wherever, in every geometry and reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import delayed
import numpy as np
import pytest
import runs
import steady
from delayed import BURST, SHAPE, SLIDE

from slidecloud.store import open_run

WEST, SOUTH = delayed.corner(17, 10)
EAST, NORTH = delayed.corner(10, 17)
POINT = f"kind: point, point: [{delayed.corner(12, 12)[0]}, {delayed.corner(12, 12)[1]}]"
AREA = f"kind: area, area: [{WEST}, {SOUTH}, {EAST}, {NORTH}]"
REFERENCE = {"point": np.s_[12:13, 12:13], "area": np.s_[10:18, 10:18]}
"""Pixels of the burst that the reference is."""


def compute(folder: Path, air: Path | None, *, source: Any = None, where: str | None = None, **options: Any) -> Any:
    """Ingest and run."""
    runs.ingest(source or delayed.source(), str(folder / "stacks"), chunks=(32, 64, 64))
    return runs.rerun(folder, *delayed.lines(folder, air, where=where, **options))


def series(folder: Path) -> tuple[Any, Any]:
    """Window and series of the one patch."""
    run = open_run(str(folder / "run.zarr"))
    ((name, window),) = run.patches(BURST).items()
    return window, run.timeseries(BURST, name).load()


def error(folder: Path, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Velocity less the truth, both relative to the reference, and what the air feigns of it, m/yr."""
    window, found = series(folder)
    rows, columns = window.rows, window.columns
    parts = [one - one[REFERENCE[kind]].mean() for one in (SLIDE, delayed.feigned())]
    return found["velocity"].values - parts[0][rows, columns], parts[1][rows, columns]


def rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.nanmean(values**2)))


@pytest.fixture(scope="module")
def air(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return delayed.gacos(tmp_path_factory.mktemp("air") / "gacos")


def test_without_it_the_air_is_taken_for_motion(tmp_path):
    summary = compute(tmp_path, None, reference=POINT)
    assert summary.exit_code == 0, summary.lines()
    found, feigned = error(tmp_path, "point")
    assert rms(feigned) > 0.04
    assert rms(found - feigned) < 0.1 * rms(feigned)


@pytest.mark.parametrize(
    ("geometry", "where", "kind"),
    [("map", None, "point"), ("radar", None, "area"), ("map", "everywhere", "area"), ("radar", "everywhere", "point")],
)
def test_with_it_what_is_left_is_noise(tmp_path, air, geometry, where, kind):
    reference = {"point": POINT, "area": AREA}[kind]
    summary = compute(tmp_path, air, source=delayed.source(geometry=geometry), where=where, reference=reference)
    assert summary.exit_code == 0, summary.lines()
    window, found = series(tmp_path)
    assert (window.shape == SHAPE) == (where == "everywhere")
    left, feigned = error(tmp_path, kind)
    assert np.isfinite(left).all()
    assert rms(left) < 0.1 * rms(feigned)
    # A reference stays where it is: nothing is taken off there.
    rows, columns = (
        slice(own.start - start, own.stop - start)
        for own, start in zip(REFERENCE[kind], (window.top, window.left), strict=True)
    )
    assert np.abs(np.median(found["correction"].values[:, rows, columns], axis=(1, 2))).max() < 1e-6
    assert np.count_nonzero(found["correction_kept"].values & 1) >= 6


def test_dates_whose_files_are_bad_go_without_and_are_named(tmp_path):
    """No file, a file of another place, one without a single delay, and one with a hole in the patch."""
    hole = np.full((54, 60), 2.3)
    hole[20:30, 20:30] = np.nan
    changed = {"d1": None, "d3": {"X_FIRST": 10.0}, "d4": np.full((54, 60), np.nan), "d6": hole}
    summary = compute(tmp_path, delayed.gacos(tmp_path / "gacos", **changed), reference=POINT)
    assert summary.exit_code == 0, summary.lines()
    (note,) = summary.notes
    days = [str(steady.DATES[number].astype("datetime64[D]")) for number in (1, 3, 4)]
    assert f"at 4 of 8 dates ({', '.join(days)}, …); they go without" in note
    _, found = series(tmp_path)
    kept = found["correction_kept"].values
    assert (kept[[1, 3, 4, 6]] == 0).all()
    assert (kept[[0, 7]] == 1).all()
    assert np.isfinite(found["displacement"].values).all()


def test_files_of_another_place_change_nothing(tmp_path, air):
    elsewhere = {f"d{number}": {"Y_FIRST": -20.0} for number in range(8)}
    plain, other = tmp_path / "plain", tmp_path / "other"
    for folder in (plain, other):
        folder.mkdir()
    compute(plain, None)
    summary = compute(other, delayed.gacos(tmp_path / "gacos", **elsewhere))
    assert summary.exit_code == 0
    assert any("at 8 of 8 dates" in note for note in summary.notes)
    for name in ("displacement", "velocity", "velocity_sigma"):
        assert series(plain)[1][name].values.tobytes() == series(other)[1][name].values.tobytes()


@pytest.mark.parametrize(
    ("empty", "lack", "message"),
    [(True, False, "has no YYYYMMDD.ztd"), (False, True, "has no incidence, which timeseries.atmosphere needs")],
)
def test_what_cannot_be_corrected_is_set_aside_and_the_rest_is_kept(tmp_path, air, empty, lack, message):
    folder = tmp_path / "gacos" if empty else air
    folder.mkdir(exist_ok=True)
    made = steady.source(steady.header(SHAPE), SLIDE, seed=1) if lack else delayed.source()
    summary = compute(tmp_path, folder, source=made)
    assert summary.exit_code == 3
    (first,) = summary.quarantined
    assert first.unit.endswith("/atmosphere")
    assert message in first.reason
    # The pairs themselves are unwrapped and levelled: with other settings they need not be made again.
    run = open_run(str(tmp_path / "run.zarr"))
    (name,) = run.patches(BURST)
    assert np.isfinite(run.unwrapped(BURST, name)["phase"].values).all()
