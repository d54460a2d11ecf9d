"""The Zarr contract: what plain xarray sees, what a record promises, what a write refuses."""

from __future__ import annotations

import json
import math
import warnings

import numpy as np
import pytest
import runs
import xarray as xr

import slidecloud
from slidecloud.store import locate, records, schema, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.types import DataError


@pytest.fixture(scope="module")
def folder(tmp_path_factory, source):
    """A finished small run."""
    folder = tmp_path_factory.mktemp("store")
    runs.compute(folder, source)
    return folder


def test_plain_xarray_reads_a_stack(folder, interferograms, scene):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stack = xr.open_zarr(str(folder / "stacks/sim_small.zarr"))
    np.testing.assert_allclose(stack.phase.values, interferograms.phase * (math.pi / 32768), atol=1e-12)
    coherence = np.where(interferograms.coherence > 0, interferograms.coherence / 255, np.nan)
    np.testing.assert_allclose(stack.coherence.values, coherence, rtol=1e-12)
    assert stack.phase.units == "rad"
    np.testing.assert_allclose(stack.x, scene.header.grid.x)
    assert stack.x.units == "m"
    assert stack.reference_time.dtype.kind == "M"
    times = np.array([pair.reference for pair in interferograms.pairs], "datetime64[s]")
    np.testing.assert_array_equal(stack.reference_time.values.astype("datetime64[s]"), times)
    assert stack.attrs["schema_version"] == schema.SCHEMA_VERSION


def test_plain_xarray_reads_a_run(folder, scene):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tree = xr.open_datatree(str(folder / "run.zarr"), engine="zarr")
        velocity = xr.open_zarr(str(folder / "run.zarr"), group="bursts/sim_small/timeseries").velocity
    assert set(tree.groups) >= {"/bursts/sim_small/gradients", "/bursts/sim_small/timeseries"}
    assert velocity.attrs["units"] == "m year-1"
    assert velocity.attrs["grid_mapping"] == "spatial_ref"
    assert velocity.dims == ("y", "x")
    np.testing.assert_allclose(velocity.y, scene.header.grid.y)


def test_every_array_says_what_it_is(folder):
    tree = slidecloud.open_run(str(folder / "run.zarr")).tree
    for name in ("gradients", "timeseries"):
        dataset = tree[f"bursts/sim_small/{name}"].to_dataset()
        for variable in [*dataset.data_vars.values()]:
            assert variable.attrs["long_name"], variable.name
            assert "units" in variable.attrs or "units" in variable.encoding, variable.name
            if set(variable.dims) >= {"y", "x"}:
                assert "spatial_ref" in dataset.coords
        specified = {spec.name for spec in schema.GROUPS[name] if not spec.optional}
        assert specified == (set(dataset.variables) - {"x", "y", "spatial_ref"}) & specified


def test_geozarr_attributes(folder):
    attributes = json.loads((folder / "run.zarr/bursts/sim_small/timeseries/zarr.json").read_text())["attributes"]
    assert attributes["proj:code"] == "EPSG:32648"
    assert attributes["spatial:dimensions"] == ["y", "x"]
    step = attributes["spatial:transform"]
    assert (step[0], step[4]) == (40.0, -40.0)
    west, south, east, north = attributes["spatial:bbox"]
    assert west < east
    assert south < north
    assert {item["name"] for item in attributes["zarr_conventions"]} == {"proj", "spatial"}


def test_flags_are_those_of_the_kernel():
    from slidecloud.kernels.gradients import Flag

    assert schema.GRADIENT_FLAGS["flag_masks"] == [flag.value for flag in Flag]
    assert schema.GRADIENT_FLAGS["flag_meanings"] == " ".join(flag.name.lower() for flag in Flag)


def test_readme_table_lists_every_array():
    for group, specs in schema.GROUPS.items():
        table = schema.table(group)
        for spec in specs:
            assert f"`{spec.name}`" in table


def test_another_major_version_is_refused(folder, tmp_path):
    template = templates.group(
        (), {}, path="", attributes={"kind": "run", "schema_version": "9.0"}, coordinates={}, grid=None
    )
    location = locate(str(tmp_path / "old.zarr"))
    templates.ensure(location, "root", template)
    with pytest.raises(DataError, match=r"schema version 9\.0.*reads 1\.x"):
        slidecloud.open_run(str(tmp_path / "old.zarr"))


def test_other_kinds_are_refused_by_name(folder, tmp_path):
    with pytest.raises(DataError, match="holds burst stack; expected a run"):
        slidecloud.open_run(str(folder / "stacks/sim_small.zarr"))
    with pytest.raises(DataError, match="holds run; expected a burst stack"):
        slidecloud.open_stack(str(folder / "run.zarr"))
    with pytest.raises(FileNotFoundError, match="no run at"):
        slidecloud.open_run(str(tmp_path / "absent.zarr"))


def test_unaligned_write_is_refused(folder):
    writer = Writer(locate(str(folder / "run.zarr")))
    path = "bursts/sim_small/timeseries/velocity"
    with pytest.raises(ValueError, match="whole chunks of 32"):
        writer.write(path, np.zeros((32, 64), np.float32), (16, 0))
    with pytest.raises(ValueError, match="whole chunks of 64"):
        writer.write(path, np.zeros((32, 50), np.float32), (0, 0))


def test_record_tells_the_truth(folder):
    location = locate(str(folder / "run.zarr"))
    for key in records.done(location):
        record = records.read(location, key)
        for name, expected in record.objects.items():
            assert records.checksum((folder / "run.zarr" / name).read_bytes()) == expected
        assert record.software.startswith("slidecloud")


def test_record_is_put_if_absent(tmp_path):
    location = locate(str(tmp_path))
    key = records.Key("stage", "burst/tile", "0" * 32)
    assert records.write(location, records.Record(key, {}, "first"))
    assert not records.write(location, records.Record(key, {}, "second"))
    assert records.read(location, key).software == "first"
    records.withdraw_others(location, records.Key("stage", "burst/tile", "1" * 32))
    assert records.read(location, key) is None
    assert list(tmp_path.rglob("*.partial")) == []


def test_record_of_a_longer_name_is_another_unit(tmp_path):
    """``burst/tile`` and ``burst/tile/part`` share a folder, not their records."""
    location = locate(str(tmp_path))
    longer = records.Key("stage", "burst/tile/part", "0" * 32)
    records.write(location, records.Record(longer, {}, "x"))
    records.withdraw_others(location, records.Key("stage", "burst/tile", "1" * 32))
    assert records.done(location) == {longer}


@pytest.mark.parametrize("url", ["memory://slidecloud-test/objects", "folder"])
def test_objects_of_a_location(url, tmp_path):
    location = locate(url if "://" in url else str(tmp_path / url))
    assert location.read("a/b") is None
    assert location.keys() == []
    location.write("a/b", b"1")
    assert location.create("a/c", b"2")
    assert not location.create("a/c", b"3")
    assert location.read("a/c") == b"2"
    assert location.keys() == ["a/b", "a/c"]
    assert location.folders() == ["a"]
    location.delete("a/b")
    location.delete("a/b")
    assert location.keys() == ["a/c"]
    location.delete("a/c")


def test_run_in_memory_file_system(source, monkeypatch):
    """Any fsspec URL serves: here one that is no folder."""
    monkeypatch.setattr("slidecloud.store.lease.SETTLE", 0.0)
    base = "memory://slidecloud-test"
    runs.ingest(source, f"{base}/stacks", chunks=runs.CHUNKS)
    settings = runs.config.parse(f"run: {base}/run.zarr\nstacks: {base}/stacks\ngradients: {{window_pixels: 8}}\n")
    summary = runs.run(settings, executor=runs.serial())
    assert summary.exit_code == 0
    assert runs.run(settings, executor=runs.serial()).done == 0
    velocity = slidecloud.open_run(f"{base}/run.zarr").timeseries("sim_small").velocity
    assert np.isfinite(velocity.values).any()


def test_secrets_never_stand_in_options(monkeypatch):
    with pytest.raises(ValueError, match="in clear"):
        locate("s3://bucket/run.zarr", {"secret": "abc"})
    location = locate("s3://bucket/run.zarr", {"secret": "env:SLIDECLOUD_TEST_SECRET", "anon": False})
    assert "abc" not in repr(location)
    with pytest.raises(KeyError, match="SLIDECLOUD_TEST_SECRET"):
        location.storage_options()
    monkeypatch.setenv("SLIDECLOUD_TEST_SECRET", "abc")
    assert location.storage_options()["secret"] == "abc"


@pytest.mark.parametrize("url", ["", "  "])
def test_empty_location(url):
    with pytest.raises(ValueError, match="empty"):
        locate(url)


def test_locations_compare_by_value(tmp_path):
    assert locate(f"file://{tmp_path}/") == Location(str(tmp_path))
    assert locate(locate(str(tmp_path))) == locate(str(tmp_path))
