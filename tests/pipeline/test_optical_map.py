"""Mapping of scenes: known shapes come back, however the work is cut, stopped or broken."""

from __future__ import annotations

import os

import geopandas
import mapped
import pytest
import shapely

from slidecloud.cluster import local
from slidecloud.config_yaml import ConfigError
from slidecloud.pipeline import optical_map
from slidecloud.pipeline.executors import SerialExecutor, dask, serial, threads
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify
from slidecloud.types import DataError

pytest.importorskip("torch")


def run(config, executor=None):
    return optical_map.compute(config, executor=executor or serial())


def outlines(folder, store="optical", scene="valley"):
    return geopandas.read_parquet(folder / f"{store}.zarr" / "optical" / f"{scene}.parquet")


@pytest.fixture
def known(tmp_path):
    """A scene of bright shapes, and a network that sees them."""
    mapped.bright_network(tmp_path / "weights.safetensors")
    mapped.scene(tmp_path / "scene.tif", mapped.slides())
    return tmp_path


@pytest.fixture
def wild(tmp_path):
    """A scene of noise with a hole in its data, and a network that finds shapes everywhere."""
    mapped.wild_network(tmp_path / "weights.safetensors")
    values = mapped.noise((4, 300, 600))
    values[:, 100:140, 300:420] = 0
    mapped.scene(tmp_path / "scene.tif", values)
    return tmp_path


def test_shapes_come_back_with_their_holes_and_areas(known):
    summary = run(mapped.config(known))
    assert summary.exit_code == 0
    assert (summary.done, summary.notes) == (3 * 2 + 1, ())
    found = outlines(known).to_crs(mapped.CRS)
    assert len(found) == 2  # the speck has 75 m2
    ring, bar = found.geometry
    left, top, pixel = 500_000.0, 3_300_000.0, mapped.PIXEL

    def box(rows, columns):
        return shapely.box(
            left + pixel * columns[0], top - pixel * rows[1], left + pixel * columns[1], top - pixel * rows[0]
        )

    wanted = box((200, 320), (470, 560)) - box((240, 270), (500, 530))
    assert ring.symmetric_difference(wanted).area < 1e-3 * pixel**2
    assert bar.symmetric_difference(box((500, 520), (100, 650))).area < 1e-3 * pixel**2
    assert len(ring.interiors) == 1
    assert found["pixels"].tolist() == [120 * 90 - 900, 20 * 550]
    # On the globe an area differs from that of the projection by its scale, 0.9996 at the meridian, squared.
    assert found["area"].to_numpy() == pytest.approx(found["pixels"] * 25 / 0.9996**2, rel=1e-4)
    assert (found["score"] > 0.99).all()
    assert not found["open"].any()
    assert found["id"].is_unique


def test_neither_units_nor_their_order_nor_threads_change_a_bit(wild):
    class Backwards(SerialExecutor):
        """The youngest first."""

        def take(self):
            self._waiting.rotate(1)
            return super().take()

    settings = {"map": {"least_area": 0.0, "simplify": 1.0}}
    run(mapped.config(wild, **settings))
    first = mapped.objects(wild)
    assert len(outlines(wild)) > 10
    run(mapped.config(wild, store="backwards", **settings), Backwards())
    run(mapped.config(wild, store="threads", **settings), threads(3))
    run(mapped.config(wild, store="units", resources={"tile": (512, 1024)}, **settings))
    with local(workers=2, memory=2 * 2**30) as client:
        run(mapped.config(wild, store="dask", **settings), dask(client))
    for store in ("backwards", "threads", "units", "dask"):
        assert mapped.objects(wild, store) == first


@pytest.mark.parametrize(("offset", "tile"), [((4, 0), 128), ((-20, 64), 128), ((8, 12), 64)])
def test_whole_strides_change_no_outline(wild, offset, tile):
    settings = {"least_area": 0.0}
    run(mapped.config(wild, map=settings))
    summary = run(mapped.config(wild, store="moved", map=settings | {"offset": offset, "tile": tile}))
    assert summary.notes == ()
    assert mapped.objects(wild, "moved")["optical/valley.parquet"] == mapped.objects(wild)["optical/valley.parquet"]


def test_other_offsets_and_narrow_borders_are_told(wild):
    summary = run(mapped.config(wild, map={"offset": (1, 0)}))
    assert "map.offset is [1, 0], no multiple of 4" in summary.notes[0]
    summary = run(mapped.config(wild, store="narrow", map={"overlap": 4}))
    assert "map.overlap is 4 and the network's sight reaches 23 pixels" in summary.notes[0]


def test_a_killed_mapping_goes_on(wild):
    class Killed(SerialExecutor):
        """Stops after three units."""

        left = 3

        def take(self):
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt
            return super().take()

    config = mapped.config(wild)
    with pytest.raises(KeyboardInterrupt):
        run(config, Killed())
    assert not (wild / "optical.zarr" / "optical" / "valley.parquet").exists()
    summary = run(config)
    assert (summary.done, summary.skipped) == (2, 3)
    run(mapped.config(wild, store="whole"))
    assert mapped.objects(wild) == mapped.objects(wild, "whole")
    again = run(config)
    assert (again.done, again.skipped) == (0, 5)


def test_a_worker_that_dies_between_its_writes_changes_nothing(wild):
    """With the scores of its second tile written and not their mask; another takes its place and does it again."""

    def arm():
        import os

        from slidecloud.store.arrays import Writer

        whole, calls = Writer.write, []

        def dying(self, *what):
            whole(self, *what)
            calls.append(what)
            if len(calls) == 3:
                os._exit(1)

        Writer.write = dying
        return os.getpid()

    config = mapped.config(wild)
    with local(workers=1, memory=2 * 2**30) as client:
        (armed,) = client.run(arm).values()
        summary = run(config, dask(client))
        (after,) = client.run(os.getpid).values()
    assert after != armed
    assert (summary.exit_code, summary.done) == (0, 5)
    run(mapped.config(wild, store="whole"))
    assert mapped.objects(wild) == mapped.objects(wild, "whole")
    assert verify(config.place).damaged == ()
    assert collect(config.place).orphans == ()


def test_another_threshold_draws_outlines_alone(wild):
    run(mapped.config(wild))
    many = len(outlines(wild))
    summary = run(mapped.config(wild, map={"threshold": 0.9}))
    assert summary.done == 1
    assert 0 < len(outlines(wild)) < many


def test_a_corrupt_block_sets_its_tiles_aside_and_no_more(known):
    path = known / "scene.tif"
    mapped.corrupt(path, column=0, row=2)
    summary = run(mapped.config(known))
    assert summary.exit_code == 3
    assert [one.unit for one in summary.quarantined] == ["valley/y256-512x0-512", "valley/y512-600x0-512"]
    assert all("cannot be read" in one.reason for one in summary.quarantined)
    assert "The outlines of valley lack 2 of 6 tiles" in summary.notes[0]
    ring, bar = outlines(known)["open"]
    assert ring  # it reaches into the tile that is missing
    assert bar
    mapped.scene(path, mapped.slides())
    assert run(mapped.config(known)).exit_code == 0
    assert not outlines(known)["open"].any()


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"scenes": {"valley": {"image": "nowhere.tif"}}}, FileNotFoundError, "nowhere.tif"),
        ({"weights": None}, ConfigError, "weights is missing"),
        ({"weights": "nowhere.safetensors"}, FileNotFoundError, "There are no weights"),
        ({"map": {"tile": 130}}, ConfigError, "map.tile is 130; expected a multiple of 4"),
        ({"map": {"tile": 4096}, "resources": {"memory": "1 GiB"}}, MemoryError, "a worker has 1.00 GiB"),
    ],
)
def test_what_cannot_be_is_told_before_work_begins(known, change, error, message):
    with pytest.raises(error, match=message):
        run(mapped.config(known, **change))
    assert not (known / "optical.zarr").exists()


def test_a_scene_that_is_too_large_for_its_outlines_is_told(known):
    mapped.wide(known / "wide.tif")
    wide = {"valley": {"image": str(known / "wide.tif")}}
    with pytest.raises(MemoryError, match=r"outlines of scenes.valley, 22400 x 22400 pixels, .* in parts"):
        run(mapped.config(known, wide, resources={"memory": "768 MiB"}))


def test_other_bands_and_other_lattices_are_refused(known):
    mapped.scene(known / "three.tif", mapped.slides(bands=3))
    with pytest.raises(ConfigError, match=r"scenes.valley has 3 bands .* and the network learnt 4"):
        run(mapped.config(known, {"valley": {"image": str(known / "three.tif")}}))
    mapped.scene(known / "elsewhere.tif", mapped.slides(), crs="EPSG:32647")
    both = {"before": str(known / "elsewhere.tif"), "after": str(known / "scene.tif")}
    with pytest.raises(ConfigError, match=r"scenes.valley.after is in EPSG:32648, expected EPSG:32647"):
        run(mapped.config(known, {"valley": both}))
    (known / "broken.tif").write_bytes((known / "scene.tif").read_bytes()[:2000])
    with pytest.raises(DataError, match=r"broken\.tif"):
        run(mapped.config(known, {"valley": {"image": str(known / "broken.tif")}}))


def test_verify_finds_damage_and_what_no_record_owns(known):
    config = mapped.config(known)
    run(config)
    assert verify(config.place).damaged == ()
    assert collect(config.place) == collect(config.place, remove=True).__class__((), (), removed=False)
    lost = known / "optical.zarr" / "optical" / "valley" / "score" / "c" / "0" / "0"
    kept = lost.read_bytes()
    for record in (known / "optical.zarr" / ".slidecloud" / "done").rglob("*"):
        if record.is_file() and "y0-256x0-512" in str(record):
            record.unlink()
    assert {orphan.key for orphan in collect(config.place, remove=True).orphans} == {
        "optical/valley/score/c/0/0", "optical/valley/mask/c/0/0"
    }  # fmt: skip
    assert not lost.exists()
    assert run(config).done == 2  # the tile, and the outlines after it
    assert lost.read_bytes() == kept
