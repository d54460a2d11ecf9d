"""Another reference of patches: a shift of what is read, then of what is stored, and never inside a detection."""

from __future__ import annotations

import warnings

import numpy as np
import patched
import runs
from patched import BURST

from slidecloud.cli import main
from slidecloud.pipeline.verify import verify
from slidecloud.store import open_run


def test_another_reference_is_a_shift_of_what_is_read_and_then_of_what_is_stored(patched_scene, patched_copy):
    store = str(patched_copy / "run.zarr")
    run = open_run(store)
    name, window = next(iter(run.patches(BURST).items()))
    series = run.timeseries(BURST, name).load()
    free = (series["moving"].values == 0) & np.isfinite(series["displacement"].values).all(0)
    row, column = np.argwhere(free & (series["residual_rms"].values < 0.25))[0]
    place = patched.position(patched_scene, window.top + row, window.left + column)
    moved = run.referenced(point=place).timeseries(BURST, name).load()
    taken = series["displacement"].values[:, row, column]
    assert np.allclose(
        moved["displacement"].values, series["displacement"].values - taken[:, None, None], atol=1e-6, equal_nan=True
    )
    assert float(moved["velocity"][row, column]) == 0
    assert call("reference", store, "--point", f"{place[0]},{place[1]}") == 0
    assert np.array_equal(open_run(store).timeseries(BURST, name)["velocity"], series["velocity"], equal_nan=True)
    assert call("reference", store, "--point", f"{place[0]},{place[1]}", "--write") == 0
    written = open_run(store).timeseries(BURST, name)
    assert np.array_equal(written["displacement"].values, moved["displacement"].values, equal_nan=True)
    assert not verify(store).damaged
    assert runs.rerun(patched_copy, *patched.lines()).done == 0
    assert call("reference", store, "--stable", "--write") == 0
    back = open_run(store).timeseries(BURST, name)["displacement"].values
    stable = series["stable"].values == 1
    assert np.abs(np.nanmedian(back[:, stable], axis=1)).max() < 1e-6


def test_a_reference_in_a_detection_or_nowhere_is_refused(patched_scene, patched_run, capsys):
    store, slide = str(patched_run / "run.zarr"), patched.SLIDES[0]
    place = patched.position(patched_scene, slide.row, slide.column)
    assert call("reference", store, "--point", f"{place[0]},{place[1]}") == 1
    assert "inside a detection" in capsys.readouterr().err
    assert call("reference", store, "--point", "0,0") == 1
    assert "lies in none of the 2" in capsys.readouterr().err
    assert call("reference", store, "--point", "east") == 2
    assert call("reference", store) == 2


def call(*words: str) -> int:

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the other patch's ground may close worse
        return main(list(words))
