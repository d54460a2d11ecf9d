"""Plain Zarr and NetCDF stacks by a mapping: forms, units, signs, orders of axes; what is wrong is named."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import plain
import pytest
import sinking
import xarray as xr

from slidecloud.cli.ingest import ingest
from slidecloud.config import load
from slidecloud.config_mapping import EXAMPLE, MappingConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.kernels.phase import decode
from slidecloud.stack import SourceWarning, open_source
from slidecloud.stack.mapping import open_mapped
from slidecloud.stack.mapping_blocks import Blocks
from slidecloud.types import DataError

STEP = np.pi / 65536 + 2e-6
FORMS = ("zarr2", "zarr3", "netcdf3", "netcdf4")


def opened(folder, data, form="zarr3", encoding=None, **sections):
    path = plain.write(folder / "my_stack", data, form, **(encoding or {}))
    return open_source(path, mapping_file=plain.mapping(folder, **sections))


def check_values(source, *, rows=slice(None), atol=0.0):
    """Every value is that of the stack, whatever the form."""
    truth, coherence = plain.unwrapped(), plain.coherence()
    assert [item.pair.key for item in source.pairs] == ["_".join(pair) for pair in sorted(plain.PAIRS)]
    for item in source.pairs:
        layer = plain.PAIRS.index(tuple(item.pair.key.split("_")))
        block = source.read(item, rows)
        known = coherence[layer][rows] > 0
        np.testing.assert_array_equal(block.coherence, np.where(known, np.rint(coherence[layer][rows] * 255), 0))
        wrong = np.angle(np.exp(1j * (decode(block.phase).astype(float) - truth[layer][rows])))
        assert np.abs(wrong[known]).max() <= STEP + atol
        if block.unwrapped is not None:
            np.testing.assert_allclose(block.unwrapped[known], truth[layer][rows][known], rtol=0, atol=atol)
            assert np.isnan(block.unwrapped[~known]).all()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [slice(None), slice(5, 6)])
def test_every_form_gives_every_value(tmp_path, form, rows):
    source = opened(tmp_path, plain.dataset(), form)
    assert source.rejected == ()
    check_values(source, rows=rows)
    maps = source.static()
    np.testing.assert_allclose(maps["incidence"], np.radians(38.5), rtol=1e-6)
    assert maps["elevation"][2, 9] == 215
    assert [str(item.pair.reference)[10:] for item in source.pairs[:1]] == ["T05:50:35"]
    assert [item.pair.perpendicular_baseline for item in source.pairs[:3]] == [40, -25, -65]


def test_header(tmp_path):
    header = opened(tmp_path, plain.dataset()).header
    assert (header.id, header.geometry, header.shape, header.spacing) == ("my_stack", "map", plain.SHAPE, (40.0, 40.0))
    assert (header.grid.crs, header.grid.left, header.grid.top) == ("EPSG:32648", plain.LEFT, plain.TOP)
    assert (header.pass_, header.azimuth_looks, header.range_looks) == ("descending", 4, 20)
    assert (header.effective_looks, header.has_unwrapped, header.filtered) == (40.0, True, False)


@pytest.mark.parametrize("form", ["zarr3", "netcdf4"])
def test_axes_may_stand_in_any_order_under_any_name_and_rows_may_run_north(tmp_path, form):
    data = plain.dataset().isel(y=slice(None, None, -1), x=slice(None, None, -1)).transpose("x", "pair", "y")
    data = data.rename(y="lat", x="lon", pair="ifg")
    source = opened(tmp_path, data, form, axes={"pair": "ifg", "y": "lat", "x": "lon"})
    check_values(source)
    check_values(source, rows=slice(3, 20))
    assert source.header.grid == opened(tmp_path / "other", plain.dataset()).header.grid
    assert source.static()["elevation"][2, 9] == 215


@pytest.mark.parametrize(
    ("phase", "change", "atol"),
    [
        ({"unit": "cycles"}, lambda phase: phase / (2 * np.pi), 1e-6),
        ({"positive": "towards"}, lambda phase: -phase, 0.0),
        ({"positive": "towards", "unit": "cycles"}, lambda phase: -phase / (2 * np.pi), 1e-6),
        ({"unwrapped": None, "wrapped": "unw"}, lambda phase: np.angle(np.exp(1j * phase)), 0.0),
        ({"unwrapped": None, "wrapped": "unw"}, lambda phase: np.mod(phase, 2 * np.pi), 1e-6),
        ({"unwrapped": None, "wrapped": "unw"}, lambda phase: 3 * np.exp(1j * phase).astype(np.complex64), 1e-6),
    ],
)
def test_units_signs_and_complex_interferograms(tmp_path, phase, change, atol):
    data = plain.dataset()
    data["unw"] = (("pair", "y", "x"), np.asarray(change(data.unw.values)))
    if not np.iscomplexobj(data.unw):
        data["unw"] = data.unw.astype(np.float32)
    source = opened(tmp_path, data, phase=phase)
    assert source.header.has_unwrapped == ("unwrapped" not in phase)
    check_values(source, atol=atol)


@pytest.mark.parametrize("form", ["zarr3", "netcdf4"])
def test_packed_values_and_coherence_as_bytes(tmp_path, form):
    data = plain.dataset()
    data["coh"] = (("pair", "y", "x"), np.rint(plain.coherence() * 255).astype(np.uint8))
    packed = {"unw": {"dtype": "int16", "scale_factor": 0.001, "_FillValue": -32768}}
    source = opened(tmp_path, data, form, packed, coherence={"maximum": 255})
    check_values(source, atol=0.00051)


@pytest.mark.parametrize("chunks", [(3, 16, 64), (7, 48, 64), (1, 48, 10)])
def test_chunks_that_hold_several_pairs(tmp_path, chunks):
    source = opened(tmp_path, plain.dataset(), encoding={"unw": {"chunks": chunks}, "coh": {"chunks": chunks}})
    for rows in (slice(0, 16), slice(10, 40)):
        check_values(source, rows=rows)


def test_blocks_are_made_once_for_all_threads_and_make_room():
    made = []

    def make(number):
        made.append(number)
        time.sleep(0.01)
        return np.full(100, number, np.uint8)

    blocks = Blocks(250)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: blocks.get("a", lambda: make(1)), range(8)))
    assert made == [1]
    assert all((block == 1).all() for block in found)
    for number, key in enumerate("bca", start=2):
        assert (blocks.get(key, lambda number=number: make(number)) == number).all()
    assert made == [1, 2, 3, 4]
    with pytest.raises(DataError, match="no"):
        blocks.get("d", broken)
    assert (blocks.get("d", lambda: make(9)) == 9).all()


def broken():
    raise DataError("no")


TEXTS = {
    "texts of digits": lambda days: np.datetime_as_string(days, "D"),
    "numbers": lambda days: np.array([int(str(day)[:10].replace("-", "")) for day in days]),
    "floats": lambda days: np.array([float(str(day)[:10].replace("-", "")) for day in days]),
    "digits": lambda days: np.array([str(day)[:10].replace("-", "") for day in days]),
}


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("form", ["zarr2", "netcdf4"])
def test_dates_in_other_forms(tmp_path, kind, form):
    data = plain.dataset()
    for name, which in (("ref", 0), ("sec", 1)):
        data[name] = ("pair", TEXTS[kind](plain.dates(which)))
    source = opened(tmp_path, data, form)
    assert [item.pair.key for item in source.pairs] == ["_".join(pair) for pair in sorted(plain.PAIRS)]


def test_names_of_pairs(tmp_path):
    data = plain.dataset().drop_vars(["ref", "sec"])
    data["name"] = ("pair", np.array([f"ifg_{a}_{b}" for a, b in plain.PAIRS]))
    pairs = {"reference": None, "secondary": None, "names": "name"}
    check_values(opened(tmp_path, data, "netcdf4", pairs=pairs))


def test_grid_mapping_of_the_file(tmp_path):
    from pyproj import CRS

    data = plain.dataset()
    data["crs"] = xr.DataArray(0, attrs={"crs_wkt": CRS.from_epsg(32648).to_wkt()})
    data.unw.attrs["grid_mapping"] = "crs"
    assert opened(tmp_path / "a", data, "netcdf4", crs=None).header.grid.crs == "EPSG:32648"
    geographic = plain.dataset().assign_coords(y=20 - 0.001 * np.arange(48), x=100 + 0.001 * np.arange(64))
    geographic.x.attrs["units"] = "degrees_east"
    assert opened(tmp_path / "b", geographic, crs=None).header.grid.crs == "EPSG:4326"


def test_look_vectors_and_heading_from_them(tmp_path):
    from slidecloud.stack.geometry import look_vector

    data, vector = plain.dataset(), look_vector(-168.0, np.radians(38.5))
    for name, part in zip("enu", vector, strict=True):
        data[name] = (("y", "x"), np.full(plain.SHAPE, part, np.float32))
    view = {"heading": None, "incidence": None, "los_east": "e", "los_north": "n", "los_up": "u"}
    source = opened(tmp_path, data, view=view)
    assert source.header.heading == pytest.approx(-168, abs=1e-4)
    maps = source.static()
    assert [maps[name][0, 0] for name in ("los_east", "los_north", "los_up")] == pytest.approx(vector, abs=1e-6)
    assert maps["incidence"][0, 0] == pytest.approx(np.radians(38.5), abs=1e-5)
    with pytest.raises(DataError, match=r"my_stack\.zarr: e points east .* expected west"):
        opened(tmp_path / "b", data, view={**view, "heading": -12.0}).static()


def test_radar_geometry(tmp_path):
    y, x = np.mgrid[: plain.SHAPE[0], : plain.SHAPE[1]]
    data = plain.dataset().drop_vars(["y", "x"])
    data["lat"] = (("y", "x"), 30 + y * 1e-4)
    data["lon"] = (("y", "x"), 100 - x * 1e-4)
    maps = {"latitude": "lat", "longitude": "lon"}
    source = opened(tmp_path, data, geometry="radar", view={"spacing": [14.0, 9.0], "incidence": 38.5}, maps=maps)
    assert (source.header.geometry, source.header.grid, source.header.spacing) == ("radar", None, (14.0, 9.0))
    assert source.static()["longitude"][0, 3] == pytest.approx(100 - 3e-4)
    assert source.static()["incidence"][0, 0] == pytest.approx(np.radians(38.5))
    check_values(source)


@pytest.mark.parametrize("form", ["zarr3", "netcdf4"])
def test_sinking_ground_comes_out_negative(tmp_path, form):
    data = plain.dataset()
    data["unw"] = -data.unw
    root = plain.write(tmp_path / "my_stack", data, form)
    mapping = plain.mapping(tmp_path, phase={"positive": "towards"})
    sinking.check(root, tmp_path, mapping_file=mapping)


def test_a_mapping_may_be_json_and_the_example_holds(tmp_path):
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps(plain.changed()))
    root = plain.write(tmp_path / "my_stack", plain.dataset())
    assert open_source(root, mapping_file=str(path)).header.id == "my_stack"
    path.write_text(EXAMPLE)
    with pytest.raises(DataError, match=r"no variable 'ifg', expected values \(pair, y, x\); it has .*unw"):
        open_source(root, mapping_file=str(path))


def test_what_is_not_said_is_told(tmp_path):
    with pytest.warns(SourceWarning, match=r"neither view\.incidence nor view\.los_east"):
        source = opened(tmp_path, plain.dataset(), view={"incidence": None})
    assert set(source.static()) == {"elevation"}


def test_a_source_travels(tmp_path):
    source = opened(tmp_path, plain.dataset(), view={"slant_range": 850e3})
    assert pickle.loads(pickle.dumps(source)) == source


def test_a_mapping_needs_a_source_and_the_kind_a_mapping(tmp_path):
    mapping = plain.mapping(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"nothing\.zarr does not exist: give a Zarr store or a NetCDF file"):
        open_source(tmp_path / "nothing.zarr", mapping_file=mapping)
    with pytest.raises(ValueError, match=r"no mapping_file \(--mapping\) says what the source holds"):
        open_source(tmp_path, kind="mapping")
    with pytest.raises(FileNotFoundError, match=r"There is no mapping .*other\.yaml; write one such as:\nphase:"):
        open_source(plain.write(tmp_path / "my_stack", plain.dataset()), mapping_file=str(tmp_path / "other.yaml"))


MAPPINGS = {
    "unknown key": ({"phase": {"unwraped": "unw"}}, "unknown key 'phase.unwraped'; did you mean 'unwrapped'"),
    "unknown section": ({"coherenc": {"variable": "coh"}}, "unknown key 'coherenc'; did you mean 'coherence'"),
    "no phase": ({"phase": {"unwrapped": None}}, "phase: neither wrapped nor unwrapped is given"),
    "no coherence": ({"coherence": None}, "key 'coherence' is missing"),
    "unit": ({"phase": {"unit": "metres"}}, "phase.unit: .*'rad' or 'cycles'.*found 'metres'"),
    "sign": ({"phase": {"positive": "up"}}, "phase.positive: .*'away' or 'towards'"),
    "one date": ({"pairs": {"secondary": None}}, "pairs: give reference and secondary, or names alone"),
    "dates twice": ({"pairs": {"names": "n"}}, "pairs: give reference and secondary, or names alone"),
    "time of day": ({"pairs": {"time_of_day": "25:00:00"}}, "pairs.time_of_day"),
    "wavelength": ({"view": {"wavelength": 5.5}}, "view.wavelength: .*less than 1.5"),
    "no heading": ({"view": {"heading": None}}, "view: heading is missing"),
    "half a vector": ({"view": {"los_east": "e"}}, "los_east, los_north and los_up belong together"),
    "looks": ({"view": {"looks": [0, 4]}}, r"looks are \[0, 4\]; expected at least 1"),
    "radar without spacing": ({"geometry": "radar"}, "view.spacing belongs to geometry 'radar', and only to it"),
    "number for a name": ({"coherence": {"variable": 7}}, "coherence.variable"),
}


@pytest.mark.parametrize("case", MAPPINGS)
def test_wrong_mappings_are_explained(tmp_path, case):
    sections, text = MAPPINGS[case]
    with pytest.raises(ConfigError) as caught:
        open_source(tmp_path, mapping_file=plain.mapping(tmp_path, **sections))
    assert "mapping.yaml" in str(caught.value)
    assert re.search(text, str(caught.value)), caught.value


@pytest.mark.parametrize("text", ["", "- a\n- b", "{", "phase: [", "1: 2", "\0", "a: &x [*x]", "x" * 2_000_000])
def test_files_that_are_no_mapping(tmp_path, text):
    (tmp_path / "mapping.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"mapping\.yaml"):
        open_source(tmp_path, mapping_file=str(tmp_path / "mapping.yaml"))


DATA = {
    "no variable": (lambda data: data.drop_vars("unw"), "has no variable 'unw', expected values"),
    "flat": (lambda data: data.isel(pair=0), "unw has the dimensions y, x, expected pair, x, y"),
    "other axis": (lambda data: data.rename(y="row"), "unw has the dimensions pair, row, x, expected pair, x, y"),
    "other size": (
        lambda data: (
            data.assign(coh=(("pair", "y", "x"), plain.coherence()))
            .isel(pair=slice(3))
            .assign(coh=(("pair", "y", "x2"), plain.coherence()[:3, :, :5]))
        ),
        "coh has the dimensions pair, y, x2",
    ),
    "no coordinates": (lambda data: data.drop_vars("y"), "has no variable 'y', expected coordinates"),
    "uneven": (lambda data: data.assign_coords(y=np.geomspace(1, 2, 48)), "y does not go in equal steps"),
    "words": (
        lambda data: data.assign_coords(x=[f"c{i}" for i in range(64)]),
        "x has 64 values of .*expected at least",
    ),
    "texts of phase": (lambda data: data.assign(unw=data.unw.astype(str)), "unw holds .* expected numbers"),
    "texts of baselines": (lambda data: data.assign(bperp=data.bperp.astype(str)), "bperp holds .* expected metres"),
    "no dates": (lambda data: data.drop_vars("ref"), "has no variable 'ref', expected dates of pairs"),
    "all swapped": (lambda data: data.rename(ref="sec", sec="ref"), "none of 7 pairs can be used.*after its secondary"),
}


@pytest.mark.parametrize("case", DATA)
def test_data_that_does_not_fit_the_mapping_is_named(tmp_path, case):
    change, text = DATA[case]
    with pytest.raises(DataError, match=rf"my_stack\.zarr:? {text}"):
        opened(tmp_path, change(plain.dataset()), "zarr2")


@pytest.mark.parametrize("crs", ["EPSG:99999", "somewhere", "EPSG:"])
def test_unknown_coordinate_systems(tmp_path, crs):
    with pytest.raises(DataError, match=rf"the coordinate system '{crs}' is not known"):
        opened(tmp_path, plain.dataset(), crs=crs)


def test_no_coordinate_system(tmp_path):
    with pytest.raises(DataError, match="has no grid mapping with crs_wkt, expected one: give crs"):
        opened(tmp_path, plain.dataset(), crs=None)


PAIRS = {
    "swapped": (("2018-01-18", "2018-01-06"), "after its secondary"),
    "with itself": (("2018-01-06", "2018-01-06"), "with itself"),
    "future": (("2018-01-06", "2199-01-01"), "in the future"),
    "before the mission": (("2008-01-06", "2018-01-06"), "before the mission"),
    "twice": (("2018-01-06", "2018-01-30"), "comes twice"),
    "no date": (("2018-01-06", "NaT"), "dates that are no two days"),
}


@pytest.mark.parametrize("case", PAIRS)
def test_pairs_with_wrong_dates_are_refused(tmp_path, case):
    days, text = PAIRS[case]
    data = plain.dataset()
    for name, day in zip(("ref", "sec"), days, strict=True):
        data[name].values[0] = np.datetime64(day)
    source = opened(tmp_path, data)
    assert len(source.pairs) == len(plain.PAIRS) - 1
    (refused,) = source.rejected
    assert re.search(rf"my_stack\.zarr: pair \d \(.*\) .*{text}", refused.reason)


PIXELS = {
    "infinite": ("unw", np.inf, "unw holds 1 infinite values"),
    "absurd": ("unw", 3e5, "unw holds a phase of 300000 rad"),
    "coherence": ("coh", 7.0, "coh holds a coherence of 7, expected 0 to 1"),
    "negative coherence": ("coh", -0.5, "coh holds a coherence of -0.5"),
}


@pytest.mark.parametrize("case", PIXELS)
def test_pixels_that_make_no_sense_are_named_when_read(tmp_path, case):
    name, value, text = PIXELS[case]
    data = plain.dataset()
    data[name].values[0, 4, 5] = value
    source = opened(tmp_path, data)
    with pytest.raises(DataError, match=rf"my_stack\.zarr: {text}"):
        source.read(source.pairs[0], slice(None))
    assert source.read(source.pairs[1], slice(None)).coherence.any()


def test_incidence_in_the_wrong_unit(tmp_path):
    with pytest.raises(DataError, match=r"incidence is 38.5 to 38.5 rad, expected 0 to 1.57 rad: check view.unit"):
        opened(tmp_path, plain.dataset(), view={"unit": "rad"}).static()


@pytest.mark.parametrize("form", FORMS)
def test_damaged_stores_and_files_are_named(tmp_path, form):
    path = plain.write(tmp_path / "my_stack", plain.dataset(), form)
    mapping = plain.mapping(tmp_path)
    if path.is_dir():
        source = open_source(path, mapping_file=mapping)
        chunk = max(filter(Path.is_file, (path / "unw").rglob("*")), key=lambda file: file.stat().st_size)
        chunk.write_bytes(chunk.read_bytes()[:20])
        with pytest.raises(DataError, match=r"my_stack\.zarr: unw cannot be read"):
            read_all(source)
        shutil.rmtree(path)
        path.mkdir()
        (path / "zarr.json").write_text("{")
    else:
        path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(DataError, match=rf"my_stack{path.suffix}"):
        read_all(open_source(path, mapping_file=mapping))


def read_all(source):
    return [source.read(item, slice(None)) for item in source.pairs]


def test_absurd_sizes_are_refused_at_once(tmp_path):
    import zarr

    path = plain.write(tmp_path / "my_stack", plain.dataset())
    zarr.create_array(
        path / "unw", shape=(7, 10**6, 10**6), chunks=(1, 64, 64), dtype="f4", dimension_names=("pair", "y", "x"),
        overwrite=True,
    )  # fmt: skip
    with pytest.raises(DataError, match=r"my_stack\.zarr"):
        open_source(path, mapping_file=plain.mapping(tmp_path))


def test_a_bucket(tmp_path):
    """Any file system that fsspec knows: here one in memory."""
    import fsspec

    files = fsspec.filesystem("memory")
    mapping = plain.mapping(tmp_path)
    for form in ("zarr3", "netcdf4"):
        path = plain.write(tmp_path / "my_stack", plain.dataset(), form)
        url = f"memory://plain/{path.name}"
        files.put(str(path), f"/plain/{path.name}", recursive=True)
        source = open_mapped(url, mapping)
        check_values(source, rows=slice(2, 9))
        assert source.header == open_source(path, mapping_file=mapping).header
    with pytest.raises(FileNotFoundError, match=r"memory://plain/other\.nc"):
        open_mapped("memory://plain/other.nc", mapping)


def test_the_mapping_is_part_of_the_source(tmp_path):
    source = opened(tmp_path, plain.dataset())
    assert source.mapping == MappingConfig.model_validate(plain.changed())


def test_ingest_and_runs_take_a_mapping(tmp_path):
    """In a configuration its path is taken from the folder of the configuration, like that of the source."""
    root = plain.write(tmp_path / "my_stack", plain.dataset())
    mapping = plain.mapping(tmp_path)
    assert ingest(str(root), str(tmp_path / "stacks"), mapping=mapping, executor="serial") == 0
    path = tmp_path / "run.yaml"
    path.write_text("run: run.zarr\nstacks: stacks\nsources: [{path: my_stack.zarr, mapping: mapping.yaml}]\n")
    (source,) = load(path).sources
    assert (source.path, source.mapping) == (str(root), mapping)
