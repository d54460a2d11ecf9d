"""The stage visibility on maps and in radar geometry, against the terrain that the scene was made of."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest
import runs
import small

from slidecloud import open_run, simulate
from slidecloud.kernels import terrain
from slidecloud.kernels.visibility import FORESHORTENED, GOOD, LAYOVER, SHADOW
from slidecloud.pipeline.estimate import estimate
from slidecloud.pipeline.rates import Rates
from slidecloud.stack import ArraySource

STAGES = "stages: [visibility]"


def ingested(folder, made, *, leave_out=(), **changed):
    seen = simulate.interferograms(made)
    static = {name: values for name, values in {**made.static(), **changed}.items() if name not in leave_out}
    header = dataclasses.replace(made.header, has_unwrapped=False)
    source = ArraySource(header, seen.pairs, seen.phase, seen.coherence, None, static)
    assert runs.ingest(source, str(folder / "stacks")).exit_code == 0
    return made


def steep(**options):
    """Ground that lays over and casts shadows."""
    return simulate.scene(3, shape=(64, 80), dates=4, slides=[], id=small.BURST, mean_slope=np.radians(38.0), **options)


def look(folder, *lines):
    return runs.rerun(folder, STAGES, "resources: {executor: serial, memory: 2 GiB}", *lines)


@pytest.mark.parametrize(("geometry", "heading"), [("map", -12.3), ("map", 192.2), ("radar", -12.3), ("radar", 192.2)])
def test_maps_are_those_of_the_terrain(tmp_path, geometry, heading):
    made = ingested(tmp_path, steep(geometry=geometry, heading=heading))
    summary = look(tmp_path)
    assert summary.exit_code == 0, summary.lines()
    maps = open_run(str(tmp_path / "run.zarr")).visibility(small.BURST)
    assert (maps["layover"].values.astype(bool) == made.layover).mean() > 0.999
    assert (maps["shadow"].values.astype(bool) == made.shadow).mean() > 0.999
    assert made.layover.any()
    kind = maps["class"].values
    inside = np.zeros(kind.shape, bool)
    inside[1:-1, 1:-1] = True
    assert (kind[made.shadow] == SHADOW).all()
    assert np.isin(kind[made.layover], (LAYOVER, SHADOW)).all()
    # What is seen well has ground that is turned away from the radar: more than its incidence between normal and ray.
    axes = (np.array([0.0, -1.0]), np.array([1.0, 0.0]))
    if geometry == "radar":
        flight, away = np.radians(heading), terrain.look_azimuth(heading)
        axes = (np.array([np.sin(flight), np.cos(flight)]), np.array([np.sin(away), np.cos(away)]))
    rises = terrain.gradient(made.elevation, spacing=(40.0, 40.0))
    east, north = (rises[0] * axes[0][i] + rises[1] * axes[1][i] for i in (0, 1))
    slope = np.arctan(np.hypot(east, north))
    np.testing.assert_allclose(maps["slope"].values[inside], slope[inside], atol=0.01)
    away = terrain.look_azimuth(heading)
    fall = -(east * np.sin(away) + north * np.cos(away))
    clear = inside & np.isin(kind, (GOOD, FORESHORTENED)) & (np.abs(fall) > 0.02)
    assert clear.mean() > 0.5
    assert ((kind == GOOD) == (fall > 0))[clear].all()
    los = np.stack([made.los_east, made.los_north, made.los_up])
    down = np.stack([-east, -north, -(east**2 + north**2)])[:, clear]
    expected = (los[:, clear] * down / np.linalg.norm(down, axis=0)).sum(axis=0)
    np.testing.assert_allclose(maps["sensitivity"].values[clear], expected, atol=0.02)


def test_it_is_done_once_and_again_where_the_ground_changes(tmp_path):
    ingested(tmp_path, steep())
    assert look(tmp_path).lines()[0].startswith("1 units done")
    assert look(tmp_path).lines()[0].startswith("0 units done")
    config = runs.configure(tmp_path, STAGES)
    assert estimate(config, Rates.load(None)).done == 1
    shutil.rmtree(tmp_path / "stacks")
    tilted = steep().elevation + np.float32(5.0) * np.arange(80, dtype=np.float32)
    ingested(tmp_path, steep(), elevation=tilted)
    assert look(tmp_path).lines()[0].startswith("1 units done")


@pytest.mark.parametrize("missing", ["elevation", "incidence"])
def test_a_stack_without_its_ground_is_set_aside_alone(tmp_path, missing):
    ingested(tmp_path, steep(), leave_out=(missing,))
    summary = runs.rerun(tmp_path, "stages: [gradients, visibility]", "resources: {executor: serial, memory: 2 GiB}")
    assert summary.exit_code == 3
    (refused,) = summary.quarantined
    assert refused.stage == "visibility"
    assert f"has no {missing}" in refused.reason
    assert open_run(str(tmp_path / "run.zarr")).gradients(small.BURST)


def test_gaps_of_the_ground_have_no_class(tmp_path):
    made = steep()
    elevation, incidence = made.elevation.copy(), made.incidence.copy()
    elevation[20:24, 30:33] = np.nan
    incidence[40:42, 50:60] = np.nan
    ingested(tmp_path, made, elevation=elevation, incidence=incidence)
    assert look(tmp_path).exit_code == 0
    maps = open_run(str(tmp_path / "run.zarr")).visibility(small.BURST)
    assert not maps["class"].values[19:25, 29:34].any()
    assert not maps["class"].values[40:42, 50:60].any()
    assert maps["class"].values[0, 0]
    assert np.isnan(maps["r_index"].values[20, 30])
    assert maps["class"].attrs["flag_meanings"].split()[GOOD] == "good"
