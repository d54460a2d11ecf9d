"""Ground that sinks has negative displacement, from the files of every kind of source to the time series."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import hyp3_files
import miniature
import numpy as np
import pytest
import runs
from pyproj import Transformer

from slidecloud import open_run
from slidecloud.pipeline.folders import ingest_folder


class Sinking(NamedTuple):
    """A source, where it is held against (row, column), and the phase (y, x) from its first to its last date, rad."""

    build: Callable[[Path], Path]
    reference: tuple[int, int]
    phase: np.ndarray


MINIATURE = miniature.unwrapped("20180106_20180130").astype(float)
KINDS = {
    "gamma": Sinking(lambda root: miniature.gamma(root / "field"), (0, 1), MINIATURE),
    "licsar": Sinking(miniature.licsar, (0, 1), MINIATURE),
    "hyp3": Sinking(
        lambda root: hyp3_files.stack(root / "products", zipped=True),
        (1, 1),
        hyp3_files.unwrapped("20200604_20200628").astype(float),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_subsidence_is_negative_everywhere(tmp_path, kind):
    case = KINDS[kind]
    location, summary = ingest_folder(str(case.build(tmp_path)), str(tmp_path / "stacks"))
    assert summary.exit_code == 0, summary.lines()
    stack = runs.Stack(location)
    grid, (row, column) = stack.header.grid, case.reference
    place = Transformer.from_crs(grid.crs, 4326, always_xy=True).transform(
        grid.left + (column + 0.5) * grid.dx, grid.top + (row + 0.5) * grid.dy
    )
    summary = runs.rerun(
        tmp_path,
        "stages: [timeseries]",
        "resources: {executor: serial, memory: 2 GiB}",
        f"timeseries: {{where: everywhere, reference: {{kind: point, point: [{place[0]:.8f}, {place[1]:.8f}]}}}}",
    )
    assert summary.exit_code == 0, summary.lines()
    group = open_run(str(tmp_path / "run.zarr")).tree[f"bursts/{stack.header.id}/timeseries"]
    last = np.asarray(group["displacement"])[-1]
    expected = -stack.header.wavelength / (4 * np.pi) * (case.phase - case.phase[row, column])
    known = np.isfinite(last)
    known[row, column] = False
    assert known.mean() > 0.9
    assert (last[known] < 0).all()
    assert (np.asarray(group["velocity"])[known] < 0).all()
    whole = known & np.asarray(stack.array("coherence")[...] > 0).all(axis=0)
    assert whole.mean() > 0.75
    assert last[whole] == pytest.approx(expected[whole], abs=2e-6)
