"""A point of a run reads the patch that covers it, and its picture shows how its series came about."""

from __future__ import annotations

import numpy as np
import patched
import pytest
from patched import BURST

from slidecloud.cli import main
from slidecloud.plots.point import date_residuals, point_figure
from slidecloud.store import open_run
from slidecloud.store.point_pairs import pairs_at


def test_points_come_from_the_patch_that_covers_them(patched_scene, patched_run):
    run = open_run(str(patched_run / "run.zarr"))
    slide = patched.SLIDES[0]
    longitude, latitude = patched.position(patched_scene, slide.row, slide.column)
    found = run.at(longitude, latitude)
    assert found["patch"].values.tolist() == [next(iter(run.patches(BURST)))]
    assert found["track"].values.tolist() == ["ascending 026"]
    assert float(found["distance"].max()) < 40
    best = run.best(longitude, latitude)
    chosen = {1: "velocity", 2: "velocity_integrated"}[int(best["preferred"])]
    assert float(best["velocity_best"]) == float(best[chosen])
    assert float(best["velocity"]) == float(run.timeseries(BURST)["velocity"][slide.row, slide.column])
    with pytest.raises(KeyError, match="no patch 'r000000_c000000'"):
        run.timeseries(BURST, "r000000_c000000")
    with pytest.raises(KeyError, match="covers longitude"):
        run.at(*patched.position(patched_scene, 1, 138))


def test_the_picture_of_a_point_shows_series_pairs_and_residuals(patched_scene, patched_run, tmp_path):
    slide = patched.SLIDES[0]
    place = patched.position(patched_scene, slide.row, slide.column)
    run = open_run(str(patched_run / "run.zarr"))
    pairs = pairs_at(run, *place).load()
    found = run.best(*place).load()
    residual = date_residuals(pairs, found["time"].values, looks=patched_scene.header.effective_looks)
    # What the store says of all pairs of the pixel is what the dates say, each pair counted at both its ends.
    assert np.nanmin(residual) < float(found["residual_rms"]) < np.nanmax(residual)
    assert {text.get_text() for text in point_figure(run, *place).axes[1].get_legend().get_texts()} >= {
        f"took part: {int((pairs['used'].values == 1).sum())}"
    }
    words = ["export", str(patched_run / "run.zarr"), "--point", f"{place[0]},{place[1]}"]
    assert main([*words, "--out", str(tmp_path)]) == 0
    table, picture = sorted(tmp_path.iterdir())
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert len(table.read_text().splitlines()) == 1 + np.isfinite(found["displacement"].values).sum()
    assert main([*words, "--format", "kmz"]) == 2
