"""Detections of many bursts become one inventory: the same for any order and any crew, and honest about what lacks."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import runs
import shapely
import sliding
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud import cluster, config, open_run
from slidecloud.kernels.places import EARTH_RADIUS
from slidecloud.pipeline import executors
from slidecloud.pipeline.merge import merged
from slidecloud.pipeline.verify import verify
from slidecloud.store import tables
from slidecloud.store.inventory_specs import DETECTIONS, INVENTORY

DIES = """
import os, signal, sys
from slidecloud.config import load
from slidecloud.pipeline import merge
from slidecloud.pipeline.executors import serial
from slidecloud.pipeline.run import run

merge.MergeWork.__call__ = lambda self, writer: os.kill(os.getpid(), signal.SIGKILL)
run(load(sys.argv[1]), executor=serial())
"""
METRE = 180.0 / np.pi / EARTH_RADIUS


def found(burst, places, *, scores=None, seasons="all", track="ascending 026", size=400.0):
    """Detections of a burst: squares around (east, north) metres from a point in Sichuan."""
    places = np.asarray(places, dtype=float).reshape(-1, 2)
    scores = np.linspace(0.9, 0.5, len(places)) if scores is None else scores
    north = 31.0 + places[:, 1] * METRE
    east = 103.0 + places[:, 0] * METRE / np.cos(np.radians(31.0))
    high, wide = size / 2 * METRE, size / 2 * METRE / np.cos(np.radians(31.0))
    numbers = {"pair_count": 100, "effective_pairs": 50.0, "area": size**2, "peak_gradient": 4e-4}
    numbers |= {"mean_gradient": 2e-4, "gradient_sigma": 2e-5, "peak_velocity": -0.05}
    texts = {"burst": burst, "track": track, "seasons": seasons, "strongest": seasons.split(",")[0]}
    texts |= {"method": "net", "weights": "abc"}
    columns = {name: [value] * len(places) for name, value in (numbers | texts).items()}
    columns |= {"west": east - wide, "east": east + wide, "south": north - high, "north": north + high}
    columns |= {name: np.arange(len(places)) * 10.0 for name in ("top", "left")}
    columns |= {name: np.arange(len(places)) * 10.0 + 8 for name in ("bottom", "right")}
    columns |= {"score": scores, "probability": np.asarray(scores) ** 2}
    boxes = shapely.box(east - wide, north - high, east + wide, north + high)
    return tables.table(DETECTIONS, columns, list(boxes))


def inventory(*frames, distance=500.0):
    every = tables.decode(*(("x", tables.encode(frame)) for frame in frames)) if frames else None
    return merged(every, distance=distance, configuration="digest")


def test_what_two_tracks_see_is_one_landslide():
    up = found("t026_000001_iw2", [(0, 0), (5000, 0)], scores=[0.6, 0.9], seasons="all,4")
    down = found("t062_000009_iw1", [(200, 0)], scores=[0.8], seasons="10", track="descending 062")
    table = inventory(up, down)
    assert len(table) == 2
    both = table.set_index("detections").loc[2]
    assert both["bursts"] == "t026_000001_iw2,t062_000009_iw1"
    assert both["tracks"] == "ascending 026,descending 062"
    assert both["seasons"] == "all,4,10"
    assert both["strongest"] == "10"
    assert both["score"] == np.float32(0.8)
    # The union of two squares of 400 m, 200 m apart: 600 m x 400 m, on the ellipsoid.
    assert both["area"] == pytest.approx(600 * 400, rel=0.01)
    assert both["west"] == up["west"][0]
    assert both["east"] == down["east"][0]


def test_one_burst_keeps_apart_what_its_detector_kept_apart():
    assert len(inventory(found("a", [(0, 0), (420, 0)]))) == 2
    assert len(inventory(found("a", [(0, 0), (420, 0)]), found("b", [(210, 0)]))) == 1


def test_probability_that_is_not_known_stays_unknown():
    frame = found("a", [(0, 0)])
    frame["probability"] = np.float32(np.nan)
    assert inventory(frame)["probability"].isna().all()
    assert not inventory(frame, found("b", [(0, 0)]))["probability"].isna().any()


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_the_order_of_bursts_and_rows_does_not_show(seed):
    rng = np.random.default_rng(seed)
    frames = [
        found(f"burst{k}", rng.uniform(0, 6000, (n, 2)), scores=rng.choice([0.5, 0.7, 0.9], n))
        for k, n in enumerate(rng.integers(0, 12, 4))
    ]
    first = tables.encode(inventory(*frames))
    shuffled = [frames[k].sample(frac=1, random_state=seed, ignore_index=True) for k in rng.permutation(4)]
    assert tables.encode(inventory(*shuffled)) == first
    assert len(tables.decode(("x", first))) <= sum(map(len, frames))


def test_ids_stay_when_other_places_change():
    here = found("a", [(0, 0)])
    alone, beside = inventory(here), inventory(here, found("b", [(9000, 0)]))
    assert alone["id"][0] in set(beside["id"])
    assert beside["id"].is_unique


def test_no_bursts_no_landslides():
    assert len(inventory()) == 0
    assert len(inventory(found("a", []))) == 0


def test_damaged_tables_are_named():
    with pytest.raises(tables.DataError, match="bursts/a is not a GeoParquet table"):
        tables.decode(("bursts/a", b"PAR1 no"))
    with pytest.raises(KeyError, match="columns: found"):
        tables.table(DETECTIONS, {"west": []}, [])


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two bursts of one place, from both sides, and a third whose coherence is nought."""
    folder = tmp_path_factory.mktemp("pair")
    for burst, heading in (("t026_000001_iw2", -12.3), ("t062_000001_iw1", 192.2)):
        sliding.ingest(folder, sliding.scene(burst=burst, heading=heading))
    return folder


@pytest.fixture(scope="module")
def reference(pair, tmp_path_factory):
    folder = copy_of(pair, tmp_path_factory.mktemp("reference"))
    assert sliding.search(folder).exit_code == 0
    return folder


def copy_of(pair, folder):
    (folder / "stacks").symlink_to(pair / "stacks")
    return folder


def table_bytes(folder):
    return (folder / "run.zarr" / INVENTORY).read_bytes()


def test_both_tracks_agree_on_the_slides(reference):
    made = sliding.scene()
    table = open_run(str(reference / "run.zarr")).inventory
    overlap = sliding.overlaps(made, table.geometry)
    assert overlap.max(axis=1).min() > 0.4
    seen = table.iloc[overlap.argmax(axis=1)]
    assert seen["tracks"].tolist() == ["ascending 026,descending 062"] * 2
    assert (seen["detections"] >= 2).all()


@pytest.mark.parametrize("workers", [1, 2])
def test_threads_make_the_same_bytes(pair, reference, tmp_path, workers):
    pool = executors.threads(workers)
    sliding.search(copy_of(pair, tmp_path), executor=pool)
    pool.close()
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(reference / "run.zarr")


def test_processes_make_the_same_bytes(pair, reference, tmp_path):
    with cluster.local(2) as client:
        sliding.search(copy_of(pair, tmp_path), executor=executors.dask(client))
    assert runs.objects(tmp_path / "run.zarr") == runs.objects(reference / "run.zarr")


class Reversed(executors.SerialExecutor):
    """Runs the youngest function first, so that the second burst is finished before the first."""

    workers = 4

    def take(self):
        self._waiting.rotate(1)
        return super().take()


def test_the_order_of_units_does_not_show(pair, reference, tmp_path):
    sliding.search(copy_of(pair, tmp_path), executor=Reversed())
    assert table_bytes(tmp_path) == table_bytes(reference)


def test_a_burst_in_quarantine_is_named_and_joins_later(pair, reference, tmp_path):
    shutil.copytree(pair / "stacks", tmp_path / "stacks")
    victim = next((tmp_path / "stacks/t062_000001_iw1.zarr/coherence/c/0").rglob("*/*"))
    good = victim.read_bytes()
    victim.write_bytes(good[: len(good) // 2])
    summary = sliding.search(tmp_path)
    assert summary.exit_code == 3
    assert "The inventory lacks 1 bursts that were set aside: t062_000001_iw1." in summary.notes
    assert "detect t062_000001_iw1/detections" in summary.blocked
    assert not any("merge" in name for name in summary.blocked)
    alone = open_run(str(tmp_path / "run.zarr")).inventory
    assert set(alone["bursts"]) == {"t026_000001_iw2"}
    location = runs.locate(str(tmp_path / "run.zarr"))
    (key,) = runs.records.done(location, stage="merge")
    record = runs.records.read(location, key)
    assert record is not None
    assert record.facts["missing"] == ["t062_000001_iw1"]
    assert sliding.search(tmp_path).done == 0
    victim.write_bytes(good)
    assert sliding.search(tmp_path, retry_quarantined=True).exit_code == 0
    assert table_bytes(tmp_path) == table_bytes(reference)


def test_a_stack_that_cannot_be_planned_is_named_too(pair, tmp_path):
    shutil.copytree(pair / "stacks", tmp_path / "stacks")
    shutil.rmtree(tmp_path / "stacks/t062_000001_iw1.zarr/.slidecloud")
    summary = sliding.search(tmp_path)
    assert summary.exit_code == 3
    assert any("t062_000001_iw1" in note for note in summary.notes)


def test_killed_between_detecting_and_merging(pair, reference, tmp_path):
    """The process dies when it is about to merge; the next one merges alone, and makes the same bytes."""
    copy_of(pair, tmp_path)
    (tmp_path / "region.yaml").write_text(config.dump(sliding.configure(tmp_path)))
    ended = subprocess.run([sys.executable, "-c", DIES, str(tmp_path / "region.yaml")], timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "run.zarr" / INVENTORY).exists()
    summary = sliding.search(tmp_path)
    assert (summary.done, summary.exit_code) == (1, 0)
    assert table_bytes(tmp_path) == table_bytes(reference)


def test_damage_is_found_and_mended(pair, reference, tmp_path):
    copy_of(pair, tmp_path)
    shutil.copytree(reference / "run.zarr", tmp_path / "run.zarr")
    store = tmp_path / "run.zarr"
    victims = [store / INVENTORY, store / "bursts/t026_000001_iw2/detections.parquet"]
    for victim in victims:
        victim.write_bytes(victim.read_bytes()[:-1])
    text = (store / ".slidecloud/run.yaml").read_text().replace(str(reference), str(tmp_path))
    (store / ".slidecloud/run.yaml").write_text(text)
    damage = verify(str(store), repair=True).damaged
    assert {str(store / item.key) for item in damage} >= {str(victim) for victim in victims}
    assert sliding.search(tmp_path).exit_code == 0
    assert table_bytes(tmp_path) == table_bytes(reference)
