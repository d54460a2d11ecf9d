"""Bursts levelled in their overlap: a slide across two bursts with different references has no seam."""

from __future__ import annotations

import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import runs
import steady

from slidecloud.cli import main
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.velocities_inside import Seen, velocity_of
from slidecloud.pipeline.verify import verify
from slidecloud.products.mosaics import mosaics
from slidecloud.store import open_run
from slidecloud.store.velocity_maps import velocity_maps
from slidecloud.types import track_of

SHAPE, SHIFT, DRIFT = (64, 64), 24, -0.03
"""Rows and columns of a burst, rows by which the second lies lower, and m/yr of all ground at the foot."""
UPPER, LOWER, PATCH = "t026_000001_iw2", "t026_000002_iw2", "r000000_c000000"
LINES = (
    "stages: [timeseries]",
    "timeseries: {where: everywhere, phase: unwrap, integrate: false, recovered: false}",
    "resources: {executor: serial, memory: 2 GiB}",
)


def truth() -> np.ndarray:
    """Ground at rest above, sinking below, and a slide where both bursts see it."""
    rows = np.arange(SHAPE[0] + SHIFT)
    ground = DRIFT * np.clip((rows - 30) / 28, 0, 1)[:, None]
    return ground + steady.velocity((rows.size, SHAPE[1]), (44, 32), width=5.0)


def make(folder: Path, *, apart: int = SHIFT, radar: bool = False) -> Any:
    upper = steady.header(SHAPE, burst=UPPER)
    lower = steady.header(SHAPE, burst=LOWER, top=upper.grid.top - apart * steady.STEP)
    for number, (head, rows) in enumerate(((upper, slice(0, 64)), (lower, slice(SHIFT, SHIFT + 64)))):
        static = None
        if radar:
            head, static = steady.in_radar(head)
        source = steady.source(head, truth()[rows], seed=7 + number, static=static)
        runs.ingest(source, str(folder / "stacks"), chunks=(32, 16, 16))
    return runs.rerun(folder, *LINES)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two bursts that overlap by 40 rows; read it only."""
    folder = tmp_path_factory.mktemp("seams")
    summary = make(folder)
    assert summary.exit_code == 0, summary.lines()
    return folder


def overlap(run: Any, name: str = "velocity") -> tuple[np.ndarray, np.ndarray]:
    upper, lower = (run.timeseries(burst, PATCH)[name].values for burst in (UPPER, LOWER))
    return upper[..., SHIFT:, :], lower[..., : SHAPE[0] - SHIFT, :]


def test_the_seam_is_gone_where_bursts_are_read_levelled(finished):
    run = open_run(str(finished / "run.zarr"))
    plain, level = (np.nanmedian(np.subtract(*overlap(one))) for one in (run, run.levelled()))
    assert plain == pytest.approx(DRIFT, abs=0.006)
    assert abs(level) < 0.0015
    series = run.levelled().timeseries(LOWER, PATCH)
    assert series.attrs["part"] == 0
    years = (steady.DATES - steady.DATES[0]) / steady.YEAR
    moved = np.nanmedian(np.subtract(*overlap(run.levelled(), "displacement")), axis=(1, 2))
    assert np.abs(moved).max() < 2e-4
    taken = (run.timeseries(LOWER, PATCH)["displacement"] - series["displacement"]).values
    assert np.ptp(taken, axis=(1, 2)).max() < 1e-6
    np.testing.assert_allclose(taken[:, 0, 0], -DRIFT * years, atol=1e-3)


def test_offsets_come_back_within_their_standard_error(finished):
    run = open_run(str(finished / "run.zarr"))
    (track,) = {track_of(run.header(burst)) for burst in run.bursts}
    table = run.seams(track)
    assert set(table["burst"]) == {UPPER, LOWER}
    assert (table.loc[table["burst"] == UPPER, ["offset", "sigma"]].dropna() == 0).all().all()
    own = table[(table["burst"] == LOWER) & (table["quantity"] != "velocity_integrated")]
    stable = [run.timeseries(burst, PATCH)["stable"].values == 1 for burst in (UPPER, LOWER)]
    rests = [
        np.median(truth()[rows][mask]) for rows, mask in zip((slice(0, 64), slice(SHIFT, 88)), stable, strict=True)
    ]
    years = (own["time"].to_numpy().astype("datetime64[s]") - steady.DATES[0]) / steady.YEAR
    expected = (rests[0] - rests[1]) * np.where(own["quantity"] == "velocity", 1, years)
    assert own["pixels"].min() == 40 * 64
    moved = own["quantity"].to_numpy() == "displacement"
    assert moved.sum() == 8
    # What both bursts' own stable areas are off by is a level of the pairs, 0.2 rad over the root of their pixels.
    level = 0.2 / np.sqrt(min(mask.sum() for mask in stable)) * steady.WAVELENGTH / (4 * np.pi) * 3
    error = np.abs(own["offset"].to_numpy() - expected)
    assert (error[moved][1:] < 3 * np.hypot(own["sigma"].to_numpy()[moved][1:], level)).all()
    assert error[~moved][0] < 3 * np.hypot(own["sigma"].to_numpy()[~moved][0], level / years.max())


def test_points_of_two_bursts_can_be_compared_and_what_is_stored_stays(finished):
    run = open_run(str(finished / "run.zarr"))
    low = steady.position(steady.header(SHAPE), 80.5, 10.5)
    best = run.best(*low)
    rest = np.median(truth()[:64][run.timeseries(UPPER, PATCH)["stable"].values == 1])
    assert str(best["burst"].item()) == LOWER
    assert float(best["velocity"]) == pytest.approx(DRIFT - rest, abs=0.01)
    assert float(run.at(*low)["velocity"].values[0]) == pytest.approx(0, abs=0.01)
    assert not collect(str(finished / "run.zarr")).orphans
    assert not collect(str(finished / "run.zarr")).foreign
    assert not verify(str(finished / "run.zarr")).damaged
    assert runs.rerun(finished, *LINES).done == 0


def test_landslides_are_classified_by_what_can_be_compared(finished):
    run = open_run(str(finished / "run.zarr"))
    seen = Seen()
    maps = [velocity_maps(run.location, run.header(burst))[0] for burst in (UPPER, LOWER)]
    upper, lower = (velocity_of(run.location, one, seen)[0] for one in maps)
    assert abs(np.nanmedian(upper[SHIFT:] - lower[: SHAPE[0] - SHIFT])) < 0.0015


def test_the_map_of_the_track_has_no_seam(finished):
    run = open_run(str(finished / "run.zarr"))
    (layer,) = mosaics(run, names=["velocity"])
    rest = np.median(truth()[:64][run.timeseries(UPPER, PATCH)["stable"].values == 1])
    error = layer.array.values - (truth() - rest)
    above, below = np.nanmedian(error[:SHIFT]), np.nanmedian(error[SHAPE[0] :])
    assert abs(above - below) < 0.002


def test_another_reference_that_is_written_leaves_no_seam_either(finished, tmp_path):
    folder = Path(shutil.copytree(finished, tmp_path / "copy"))
    store = str(folder / "run.zarr")
    lon, lat = steady.position(steady.header(SHAPE), 70.5, 20.5)  # in the lower burst alone
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        assert main(["reference", store, "--point", f"{lon},{lat}", "--write"]) == 0
    run = open_run(store)
    assert float(run.timeseries(LOWER, PATCH)["velocity"][70 - SHIFT, 20]) == 0
    assert abs(np.nanmedian(np.subtract(*overlap(run.levelled())))) < 0.0015
    assert np.abs(np.nanmedian(np.subtract(*overlap(run.levelled(), "displacement")), axis=(1, 2))).max() < 2e-4
    assert not verify(store).damaged
    assert runs.rerun(folder, *(line.replace(str(finished), str(folder)) for line in LINES)).done == 0


def test_bursts_that_do_not_overlap_say_so(tmp_path):
    assert make(tmp_path, apart=80).exit_code == 0
    run = open_run(str(tmp_path / "run.zarr"))
    (key,) = runs.records.done(run.location, stage="seams")
    facts = runs.records.read(run.location, key).facts
    assert (facts["overlaps"], facts["without_overlap"]) == (0, 2)
    assert len(run.seams(track_of(run.header(UPPER)))) == 0
    series = run.levelled().timeseries(LOWER, PATCH)
    assert series.attrs["part"] == -1
    assert np.array_equal(series["velocity"], run.timeseries(LOWER, PATCH)["velocity"], equal_nan=True)
    with pytest.raises(KeyError, match="no seams of track 'ascending 001'"):
        run.seams("ascending 001")


def test_radar_geometry_is_levelled_too(tmp_path):
    assert make(tmp_path, radar=True).exit_code == 0
    run = open_run(str(tmp_path / "run.zarr"))
    assert abs(np.nanmedian(np.subtract(*overlap(run)))) > 0.02
    assert abs(np.nanmedian(np.subtract(*overlap(run.levelled())))) < 0.0015
