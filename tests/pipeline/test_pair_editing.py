"""Editing of pairs: spoiled ones are left out by name and nothing else changes; a good stack loses nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
import steady
from scipy.ndimage import gaussian_filter

from slidecloud.cli import main
from slidecloud.pipeline.status import left_out
from slidecloud.plots.pairs import edited_pairs, patch_network_figure
from slidecloud.plots.point import point_figure
from slidecloud.stack import ArraySource
from slidecloud.store import open_run

BURST, SHAPE, BOX = "t026_000001_iw2", (64, 64), (18, 18, 46, 46)
SLIDE = steady.velocity(SHAPE, (32, 32))
SPOILED = (4, 9)
PATCH = "r000008_c000008"
WHERE = (slice(8, 56), slice(8, 56))


def spoiled(kind: str, *, noise: float = 0.2) -> ArraySource:
    """The stack with two pairs that say something else, as coherently as the others."""
    head, random = steady.header(SHAPE), np.random.default_rng(3)
    made = steady.source(head, SLIDE, seed=1, noise=noise)
    blocks = [made.read(pair, slice(0, SHAPE[0])) for pair in made.pairs]
    phase = np.stack([block.phase for block in blocks])
    for pair in SPOILED:
        if kind == "speckle":
            phase[pair] = random.integers(-32768, 32768, SHAPE)
        if kind == "fringes":
            fringes = 35 * gaussian_filter(random.normal(size=SHAPE), 3) * 32768 / np.pi
            phase[pair] += fringes.astype(np.int64).astype(np.int16)
    coherence = np.stack([block.coherence for block in blocks])
    return ArraySource(head, [one.pair for one in made.pairs], phase, coherence, None, None)


def make(folder: Path, made: ArraySource, *more: str) -> Any:
    runs.ingest(made, str(folder / "stacks"), chunks=(32, 16, 16))
    file = steady.polygons(folder / "places.geojson", steady.header(SHAPE), BOX)
    lines = [line.replace("recovered: false", ", ".join(["recovered: false", *more])) for line in steady.lines(file)]
    return runs.rerun(folder, *lines, "resources: {executor: serial, memory: 2 GiB}")


def error(series: Any) -> np.ndarray:
    """Velocity less the truth, both relative to the stable area, m/yr."""
    true = SLIDE[WHERE]
    return series["velocity"].values - (true - np.median(true[series["stable"].values == 1]))


@pytest.mark.parametrize("kind", ["speckle", "fringes"])
def test_two_spoiled_pairs_are_left_out_by_name_and_the_velocity_gains(tmp_path, kind, capsys):
    for name in ("on", "off"):
        (tmp_path / name).mkdir()
    summary = make(tmp_path / "on", spoiled(kind))
    assert summary.exit_code == 0, summary.lines()
    series = open_run(str(tmp_path / "on/run.zarr")).timeseries(BURST, PATCH)
    used, reason = series["pair_used"].values, series["pair_reason"].values
    np.testing.assert_array_equal(np.flatnonzero(used == 0), SPOILED)
    assert (used[used > 0] == 1).all()
    assert (np.flatnonzero(reason) == SPOILED).all()
    meanings = series["pair_reason"].attrs["flag_meanings"].split()
    assert {meanings[code] for code in reason[list(SPOILED)]} == {"contradicted"}
    sound = np.delete(series["pair_contradicted"].values, SPOILED)
    assert sound.max() < 0.05 < 0.1 < series["pair_contradicted"].values[list(SPOILED)].min()
    keys = [spoiled(kind).pairs[pair].pair.key for pair in SPOILED]
    (note,) = [note for note in summary.notes if "left out" in note]
    assert all(f"{key} is left out: " in note for key in keys)
    assert "11 of 13 pairs remain and link 8 of 8 dates." in note
    ((place, sentences),) = left_out(str(tmp_path / "on/run.zarr")).items()
    assert place == f"{BURST}/{PATCH}"
    assert [words.split()[0] for words in sentences if "left out" in words] == keys
    run = open_run(str(tmp_path / "on/run.zarr"))
    assert edited_pairs(run, BURST) == {PATCH: {"contradicted by other pairs": 2}}
    legend = patch_network_figure(run, BURST, PATCH).axes[0].get_legend().get_texts()
    assert "contradicted by other pairs: 2" in [text.get_text() for text in legend]
    assert main(["status", str(tmp_path / "on/run.zarr"), "--pairs"]) == 0
    assert f"  {keys[0]} is left out: " in capsys.readouterr().out
    names = point_figure(run, *steady.position(steady.header(SHAPE), 32.5, 32.5)).axes[1].get_legend().get_texts()
    assert "contradicted, left out: 2" in [text.get_text() for text in names]
    make(tmp_path / "off", spoiled(kind), "edit: false")
    plain = open_run(str(tmp_path / "off/run.zarr")).timeseries(BURST, PATCH)
    assert (plain["pair_used"].values == 1).all()
    assert "date_noise" not in plain
    rms = [float(np.sqrt(np.nanmean(error(one) ** 2))) for one in (series, plain)]
    assert rms[0] < 0.8 * rms[1]


def test_without_the_spoiled_pairs_nothing_else_changes(tmp_path):
    """Pairs that are left out are as if they had never been, but for what mending and the stable area saw of them."""
    for name in ("good", "spoiled"):
        (tmp_path / name).mkdir()
    make(tmp_path / "good", spoiled("none"))
    make(tmp_path / "spoiled", spoiled("speckle"))
    good, bad = (open_run(str(tmp_path / f"{name}/run.zarr")).timeseries(BURST, PATCH) for name in ("good", "spoiled"))
    assert (good["pair_used"].values == 1).all()
    assert not good["pair_reason"].values.any()
    assert good["pair_contradicted"].values.max() < 0.02
    # Noise of 0.2 rad a pair is 0.14 a date.
    expected = 0.2 / np.sqrt(2) * steady.WAVELENGTH / (4 * np.pi)
    assert np.allclose(good["date_noise"].values[1:-1], expected, rtol=0.25)
    assert np.allclose(bad["date_noise"].values[[1, 6]], expected, rtol=0.35)
    difference = good["velocity"].values - bad["velocity"].values
    sigma = bad["velocity_sigma"].values
    assert np.median(np.abs(difference - np.median(difference)) / sigma) < 1
    assert np.isfinite(bad["velocity"].values).all()


def test_where_all_pairs_are_noisy_none_is_singled_out(tmp_path):
    make(tmp_path, spoiled("none", noise=1.3))
    series = open_run(str(tmp_path / "run.zarr")).timeseries(BURST, PATCH)
    assert (series["pair_used"].values == 1).all()
