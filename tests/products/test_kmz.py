"""KMZ with maps on the ground and series in the balloons: by the schema, where they lie, red where ground sinks."""

from __future__ import annotations

import zipfile
from pathlib import Path

import handmade
import numpy as np
import pytest
import steady
from kml import valid
from rasterio.io import MemoryFile

from slidecloud.plots.balloons import Balloons, legend
from slidecloud.products import kmz
from slidecloud.products.overlays import overlays
from slidecloud.store import Run, open_run
from slidecloud.store.patch_specs import Window

KML = "{http://www.opengis.net/kml/2.2}"
GROUND = steady.header(handmade.SHAPE, burst=handmade.BURST)


def _pixels(picture: bytes) -> np.ndarray:
    with MemoryFile(picture) as memory, memory.open() as raster:
        return raster.read()


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_sinking_ground_is_red_where_it_sinks_and_clear_where_nothing_is_known(run: Run) -> None:
    (overlay,) = overlays(run)
    red, _, blue, opacity = _pixels(overlay.picture).astype(int)
    assert opacity.max() == 255
    assert (red > blue)[opacity == 255].all()
    assert 0.9 * 600 < (opacity == 0).sum() < 1.1 * 600 + 2 * sum(red.shape)
    outline = handmade.outline(GROUND).centroid
    row = int((overlay.north - outline.y) / (overlay.north - overlay.south) * red.shape[0])
    column = int((outline.x - overlay.west) / (overlay.east - overlay.west) * red.shape[1])
    darkest = np.unravel_index(np.where(opacity == 255, red, 999).argmin(), red.shape)
    assert np.hypot(darkest[0] - row, darkest[1] - column) < 4


@pytest.mark.filterwarnings("ignore:Dataset has no geotransform")
def test_large_maps_are_averaged_down(run: Run) -> None:
    (full,), (small,) = overlays(run), overlays(run, most=52)
    assert (small.west, small.north, small.east, small.south) == (full.west, full.north, full.east, full.south)
    coarse, fine = _pixels(small.picture)[0].astype(float), _pixels(full.picture)[0].astype(float)
    assert max(coarse.shape) == 52
    rows = np.minimum((np.arange(coarse.shape[0]) + 0.5) * fine.shape[0] / coarse.shape[0], fine.shape[0] - 1)
    columns = np.minimum((np.arange(coarse.shape[1]) + 0.5) * fine.shape[1] / coarse.shape[1], fine.shape[1] - 1)
    near = fine[np.ix_(rows.astype(int), columns.astype(int))]
    assert np.median(np.abs(coarse - near)) < 8


def test_all_of_it_holds_against_the_schema(run: Run, tmp_path: Path) -> None:
    found = overlays(run)
    shown = [(one, legend("velocity", "mm/yr", one.style.ramp, one.style.limits)) for one in found]
    path = kmz.write(run.inventory, tmp_path / "all.kmz", overlays=shown, picture=Balloons(run))
    root = valid(path)
    box = root.find(f".//{KML}GroundOverlay/{KML}LatLonBox")
    north, south, east, west = (float(box.find(f"{KML}{edge}").text) for edge in ("north", "south", "east", "west"))
    place = handmade.outline(GROUND).centroid
    assert south < place.y < north
    assert west < place.x < east
    with zipfile.ZipFile(path) as archive:
        pictures = [name for name in archive.namelist() if name.endswith(".png")]
        assert len(pictures) == 3
        assert all(archive.read(name).startswith(b"\x89PNG") for name in pictures)
    again = kmz.write(run.inventory, tmp_path / "again.kmz", overlays=shown, picture=Balloons(run))
    assert again.read_bytes() == path.read_bytes()


def test_only_the_best_landslides_get_a_picture(run: Run, tmp_path: Path) -> None:
    path = kmz.write(run.inventory, tmp_path / "a.kmz", picture=Balloons(run), most_pictures=0)
    valid(path)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["doc.kml"]


@pytest.mark.parametrize("inside", [True, False])
def test_series_come_from_the_patch_that_holds_the_landslide(inside: bool, tmp_path: Path) -> None:
    window = Window(70, 130, 50, 170) if inside else Window(200, 290, 250, 400)
    run = open_run(str(handmade.make(tmp_path, patches=[window])))
    (row,) = run.inventory.itertuples(index=False)
    assert (Balloons(run)(row) is not None) == inside


def test_runs_in_radar_geometry_have_outlines_and_series_without_a_map(tmp_path: Path) -> None:
    header, _ = steady.in_radar(GROUND)
    run = open_run(str(handmade.make(tmp_path, [header])))
    assert overlays(run) == []
    (row,) = run.inventory.itertuples(index=False)
    assert Balloons(run)(row) is not None


def test_a_write_that_breaks_off_leaves_nothing(run: Run, tmp_path: Path) -> None:
    def stop(_: object) -> bytes:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kmz.write(run.inventory, tmp_path / "a.kmz", picture=stop)
    assert [*tmp_path.iterdir()] == []
