"""What patches cannot do: each stands aside for a reason that says what to do, and the rest of the run completes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
import steady

from slidecloud.store import open_run

BURST, SHAPE = "t026_000001_iw2", (64, 64)
SLIDE = steady.velocity(SHAPE, (14, 14), width=3.0)
UPPER, LOWER = (10, 10, 18, 18), (46, 46, 52, 52)
NAMES = "r000000_c000000", "r000036_c000036"
"""Patches around the two polygons."""
RESOURCES = "resources: {executor: serial, memory: 2 GiB}"


def compute(folder: Path, *settings: str, boxes: Any = (UPPER, LOWER), **made: Any) -> Any:
    """Series in two polygons of a burst; the first is sound."""
    head = steady.header(SHAPE)
    runs.ingest(steady.source(head, SLIDE, **{"seed": 3, **made}), str(folder / "stacks"), chunks=(32, 64, 64))
    file = steady.polygons(folder / "places.geojson", head, *boxes)
    series = [f"where: {file}", "halo: 400", *settings]
    if not any(setting.startswith("recovered") for setting in settings):
        series += ["integrate: false", "recovered: false"]
    return runs.rerun(folder, "stages: [timeseries]", f"timeseries: {{{', '.join(series)}}}", RESOURCES)


def velocities(folder: Path) -> list[np.ndarray]:
    run = open_run(str(folder / "run.zarr"))
    assert tuple(run.patches(BURST)) == NAMES
    return [run.timeseries(BURST, name)["velocity"].values for name in NAMES]


def point(row: float, column: float) -> str:
    longitude, latitude = steady.position(steady.header(SHAPE), row + 0.5, column + 0.5)
    return f"reference: {{kind: point, point: [{longitude}, {latitude}]}}"


@pytest.mark.parametrize(
    ("settings", "made", "message"),
    [
        ([point(22, 22)], {}, "lies outside patch r000036_c000036"),
        ([], {"hole": (slice(36, 62), slice(36, 62))}, "has no pixel with unwrapped phase"),
        ([], {"hole": (slice(36, 62), slice(36, 61))}, "none of them has data in the stable area"),
    ],
    ids=["reference elsewhere", "all masked", "too narrow to be unwrapped"],
)
def test_one_patch_stands_aside_and_the_other_is_whole(tmp_path, settings, made, message):
    summary = compute(tmp_path, *settings, **made)
    assert summary.exit_code == 3
    (aside,) = summary.quarantined
    assert NAMES[1] in aside.unit
    assert message in aside.reason
    assert all(NAMES[1] in unit for unit in summary.blocked)
    sound, other = velocities(tmp_path)
    assert np.isfinite(sound).all()
    assert np.isnan(other).all()


def test_a_reference_without_data_is_refused_by_name(tmp_path):
    summary = compute(tmp_path, point(40, 40), boxes=(LOWER,), hole=(slice(38, 42), slice(38, 42)))
    assert summary.exit_code == 3
    (aside,) = summary.quarantined
    assert "The reference point of patch" in aside.reason
    assert "has no data at 8 of 8 dates" in aside.reason


def test_one_pair_has_a_velocity_but_none_from_gradients(tmp_path):
    """The scatter of pairs tells how sure a gradient is; one pair has none. Its series stands without."""
    summary = compute(tmp_path, "integrate: true", "recovered: true", links=[(0, 7)])
    assert summary.exit_code == 3
    assert {item.unit for item in summary.quarantined} == {f"{BURST}/{name}/integrated" for name in NAMES}
    assert all("there are fewer than two pairs" in item.reason for item in summary.quarantined)
    assert {unit.rpartition("/")[2] for unit in summary.blocked} == {"preferred"}
    run = open_run(str(tmp_path / "run.zarr"))
    for name in NAMES:
        series = run.timeseries(BURST, name)
        assert np.isfinite(series["velocity"].values).all()
        assert np.isfinite(float(series["recovered_fraction"]))
        assert np.isnan(series["velocity_integrated"].values).all()
        assert (series["redundancy"].values == 0).all()
