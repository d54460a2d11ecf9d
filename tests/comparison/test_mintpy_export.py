"""MintPy reads what slidecloud exports, and its programs report the same numbers.

Runs where ``SLIDECLOUD_MINTPY`` names a Python that has MintPy 1.6.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import handmade
import numpy as np
import pytest
import steady

from slidecloud.products import mintpy
from slidecloud.store import open_run
from slidecloud.types import Grid

GROUND = steady.header(handmade.SHAPE, burst=handmade.BURST)


@pytest.fixture(scope="module", params=["EPSG:32648", "EPSG:4326"])
def theirs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, str, Any]:
    """Arrays and attributes by MintPy, what its program info.py prints, and the header of the burst."""
    python = os.environ.get("SLIDECLOUD_MINTPY")
    if not python:
        pytest.skip("SLIDECLOUD_MINTPY is not set: let it name a Python that has MintPy")
    import dataclasses

    folder = tmp_path_factory.mktemp("mintpy")
    header = GROUND
    if request.param == "EPSG:4326":
        header = dataclasses.replace(GROUND, grid=Grid("EPSG:4326", 103.0, 31.0, 0.0004, -0.0004, *handmade.SHAPE))
    run = open_run(str(handmade.make(folder, [header])))
    mintpy.export(run, folder / "out")
    program = [python, str(Path(__file__).with_name("mintpy_reads.py")), str(folder / "out" / header.id), str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MPLBACKEND": "agg"}
    finished = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    told = json.loads((folder / "attributes.json").read_text())
    return np.load(folder / "result.npz"), told, (folder / "info.txt").read_text(), header


@pytest.mark.long
def test_its_readers_give_the_stored_values(theirs: tuple[Any, Any, str, Any]) -> None:
    found, told, _, header = theirs
    np.testing.assert_array_equal(found["timeseries"], handmade.displacement(header))
    np.testing.assert_array_equal(found["velocity"], handmade.velocity(header))
    np.testing.assert_array_equal(np.isnan(found["velocityStd"]), np.isnan(handmade.velocity(header)))
    np.testing.assert_array_equal(found["maskTempCoh"], np.isfinite(handmade.velocity(header)))
    assert [str(day) for day in found["dates"]] == [str(day).replace("-", "") for day in handmade.DATES.astype("M8[D]")]
    assert told["timeseries"]["FILE_TYPE"] == "timeseries"
    assert (told["timeseries"]["UNIT"], told["velocity"]["UNIT"]) == ("m", "m/year")
    assert np.nanmax(found["velocity"]) < 0


@pytest.mark.long
def test_its_viewer_and_its_own_velocity_agree(theirs: tuple[Any, Any, str, Any]) -> None:
    """In mm a year as drawn; and refitted from the series at MintPy's decimal years, which are not ours."""
    found, _, printed, header = theirs
    truth = handmade.velocity(header)
    np.testing.assert_allclose(found["drawn"], 1000 * truth, rtol=1e-6)
    np.testing.assert_allclose(found["refitted"][np.isfinite(truth)], truth[np.isfinite(truth)], rtol=2e-3)
    assert f"'{header.pass_.upper()}'" in printed or header.pass_.upper() in printed
    assert "20210105" in printed


@pytest.mark.long
def test_its_geometry_and_reference_point_lie_where_ours_do(theirs: tuple[Any, Any, str, Any]) -> None:
    found, _, _, header = theirs
    np.testing.assert_array_equal(found["located"], found["reference"])
    assert found["height"] == pytest.approx(np.full(header.shape, 1234.5))
    assert found["incidenceAngle"] == pytest.approx(np.full(header.shape, np.degrees(handmade.INCIDENCE)), rel=1e-6)
    # To the line of sight as MintPy puts angles together.
    inclined, turned = np.radians(found["incidenceAngle"]), np.radians(found["azimuthAngle"])
    heading = np.radians(header.heading)
    assert -np.sin(inclined) * np.sin(turned) == pytest.approx(
        np.full(header.shape, -np.sin(handmade.INCIDENCE) * np.cos(heading)), abs=1e-6
    )
    assert np.sin(inclined) * np.cos(turned) == pytest.approx(
        np.full(header.shape, np.sin(handmade.INCIDENCE) * np.sin(heading)), abs=1e-6
    )
    assert 8.0e5 < found["slantRangeDistance"].min() <= found["slantRangeDistance"].max() < 9.6e5
