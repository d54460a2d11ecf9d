"""Where a velocity was set aside, nothing could be chosen: the other one is read, as it is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import runs
import steady

from slidecloud.pipeline.patch_recovered import RecoverWork
from slidecloud.pipeline.patch_velocities import IntegrateWork
from slidecloud.store import open_run
from slidecloud.store.velocity_maps import UNWRAPPED, velocity_maps
from slidecloud.types import DataError

BURST, SHAPE, BOX, PATCH = "t026_000001_iw2", (64, 64), (18, 18, 46, 46), "r000008_c000008"


@pytest.mark.parametrize("work", [IntegrateWork, RecoverWork])
def test_the_unwrapped_velocity_is_read_where_nothing_could_be_chosen(tmp_path, monkeypatch, work):
    def refuse(*_: Any) -> dict[str, Any]:
        raise DataError("set aside")

    monkeypatch.setattr(work, "__call__", refuse)
    made = steady.source(steady.header(SHAPE), steady.velocity(SHAPE, (32, 32)), seed=1)
    runs.ingest(made, str(tmp_path / "stacks"), chunks=(32, 16, 16))
    file = steady.polygons(tmp_path / "places.geojson", steady.header(SHAPE), BOX)
    lines = ("stages: [timeseries]", f"timeseries: {{where: {file}, halo: 400}}")
    summary = runs.rerun(tmp_path, *lines, "resources: {executor: serial, memory: 2 GiB}")
    assert summary.exit_code == 3
    assert [item.reason for item in summary.quarantined] == ["set aside"]
    assert any(name.endswith("/preferred") for name in summary.blocked)
    run = open_run(str(tmp_path / "run.zarr"))
    series = run.timeseries(BURST, PATCH)
    (one,) = velocity_maps(run.location, run.header(BURST))
    assert one.source == UNWRAPPED
    assert np.array_equal(one.best()[0], series["velocity"].values)
    assert np.isfinite(one.best()[0]).all()
    point = run.best(*steady.position(steady.header(SHAPE), 32.5, 32.5))
    assert int(point["preferred"]) == 0
    assert float(point["velocity_best"]) == float(series["velocity"][24, 24])
