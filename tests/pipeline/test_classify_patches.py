"""Landslides in patches are classified by the velocity that their patch prefers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import patched
import pytest
import shapely
import sliding
import zarr
from patched import BURST

from slidecloud.cli import main
from slidecloud.kernels.stability import CLASSES, classify
from slidecloud.store import open_run
from slidecloud.store.patch_specs import PREFERRED_INTEGRATED, PREFERRED_UNWRAPPED

NAMES = {
    PREFERRED_INTEGRATED: ("integrated", "velocity_integrated"),
    PREFERRED_UNWRAPPED: ("unwrapped", "velocity"),
}


def prefer(store: Path, *codes: int) -> None:
    """Let each patch say which of its velocities is the better one."""
    for name, code in zip(open_run(str(store)).patches(BURST), codes, strict=True):
        group = zarr.open_group(str(store / f"bursts/{BURST}/patches/{name}/timeseries"), mode="r+")
        group["preferred"][...] = code


@pytest.mark.parametrize(
    "codes",
    [(PREFERRED_INTEGRATED, PREFERRED_UNWRAPPED), (PREFERRED_UNWRAPPED, PREFERRED_INTEGRATED)],
)
def test_class_and_velocity_are_those_of_the_preferred_map(patched_scene, patched_copy, codes, capsys):
    store = patched_copy / "run.zarr"
    prefer(store, *codes)
    assert main(["classify", str(store), "--least-points", "1"]) == 0
    run = open_run(str(store))
    found = run.stability.set_index("id")
    assert f"landslides {len(found):>18}".split()[-1] in capsys.readouterr().out
    longitude, latitude = sliding.positions(patched_scene)
    seen = set()
    for outline in run.inventory.itertuples():
        inside = shapely.contains_xy(outline.geometry, longitude, latitude)
        for code, (name, window) in zip(codes, run.patches(BURST).items(), strict=True):
            here = inside[window.rows, window.columns]
            if not here.any():
                continue
            assert here.sum() == inside.sum()
            source, velocity_name = NAMES[code]
            maps = run.timeseries(BURST, name)
            velocity, sigma = (maps[map_name].values[here] for map_name in (velocity_name, f"{velocity_name}_sigma"))
            known = np.isfinite(velocity) & np.isfinite(sigma)
            row = found.loc[outline.id]
            assert row["points"] == known.sum()
            assert row["points"] > 0
            assert row["source"] == source
            assert row["velocity"] == pytest.approx(float(velocity[known].mean()), rel=1e-5)
            assert row["velocity_sigma"] == pytest.approx(float(sigma[known].mean()), rel=1e-5)
            expected = classify([row["velocity"]], [row["velocity_sigma"]])
            assert row["class"] == CLASSES[int(expected.kind[0])]
            seen.add(source)
    assert seen == {"integrated", "unwrapped"}


def test_a_slide_that_only_gradients_see_fast_is_classed_by_them(patched_copy):
    """Unwrapped, nothing moves; the map preferred says that gradients are right: the landslide is not stable."""
    store = patched_copy / "run.zarr"
    for name in open_run(str(store)).patches(BURST):
        group = zarr.open_group(str(store / f"bursts/{BURST}/patches/{name}/timeseries"), mode="r+")
        group["velocity"][...] = 0
        group["velocity_integrated"][...] = -0.03
        group["velocity_integrated_sigma"][...] = 0.001
    classes = []
    for code in (PREFERRED_INTEGRATED, PREFERRED_UNWRAPPED):
        prefer(store, code, code)
        options = ["--least-points", "1", "--uplift", "0.005" if code == PREFERRED_INTEGRATED else "0.006"]
        assert main(["classify", str(store), *options]) == 0
        classes.append(set(open_run(str(store)).stability["class"]))
    assert classes == [{"rapid"}, {"stable"}]


def test_a_point_follows_the_same_map(patched_scene, patched_copy):
    store = patched_copy / "run.zarr"
    prefer(store, PREFERRED_INTEGRATED, PREFERRED_UNWRAPPED)
    run = open_run(str(store))
    for slide, name in zip(patched.SLIDES, ("velocity_integrated", "velocity"), strict=True):
        best = run.best(*patched.position(patched_scene, slide.row, slide.column))
        assert float(best["velocity_best"]) == float(best[name])
