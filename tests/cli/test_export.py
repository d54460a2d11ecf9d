"""``slidecloud export`` in every format: what it prints, what it writes, and which options go together."""

from __future__ import annotations

from pathlib import Path

import handmade
import pytest
from kml import valid

from slidecloud.cli import main

BURST = handmade.BURST


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(handmade.make(tmp_path_factory.mktemp("sinking")))


EXPECTED = {
    "gpkg": ["run.gpkg"],
    "geoparquet": ["landslides.parquet", "stability.parquet", "points.parquet"],
    "geojson": ["landslides.geojson", "stability.geojson", "points.geojson"],
    "kmz": ["landslides.kmz"],
    "mintpy": [
        f"{BURST}/{name}.h5"
        for name in ("timeseries", "velocity", "temporalCoherence", "maskTempCoh", "inputs/geometryGeo")
    ],
    "stac": ["collection.json", f"{BURST}/{BURST}.json", "products/products.json"],
    "multiscales": ["run-maps.zarr"],
}


@pytest.mark.parametrize("form", EXPECTED)
def test_each_format_prints_what_it_wrote(
    form: str, store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["export", store, "--format", form]) == 0
    printed = capsys.readouterr()
    written = [Path(line) for line in printed.out.splitlines()]
    assert [path.relative_to(f"run-{form}").as_posix() for path in written] == EXPECTED[form]
    assert all(path.exists() for path in written)
    assert f"in run-{form}" in " ".join(printed.err.split())
    if form == "kmz":
        assert b"PNG" in written[0].read_bytes()
        valid(written[0])


def test_maps_by_track_and_layers_by_name(store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--out", str(tmp_path), "--names"]
    assert main(["export", store, *words, "velocity", "--by-track"]) == 0
    assert main(["export", store, "--format", "geojson", *words, "points"]) == 0
    assert main(["export", store, "--format", "kmz", "--out", str(tmp_path), "--pictures", "0"]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.splitlines()]
    assert names == ["ascending_026_velocity.tif", "points.geojson", "landslides.kmz"]
    assert b"PNG" not in (tmp_path / "landslides.kmz").read_bytes()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--format", "kmz", "--names", "velocity"], "--format kmz takes --pictures, but was given --names"),
        (["--format", "gpkg", "--bursts", BURST], "--format gpkg takes --names, but was given --bursts"),
        (["--format", "mintpy", "--by-track"], "--format mintpy takes --bursts"),
        (["--pictures", "3"], "--format cog takes --bursts, --by-track, --names, but was given --pictures"),
        (["--format", "kmz", "--pictures", "-1"], "-1"),
        (["--point", "103,31", "--by-track"], "--point writes one series"),
    ],
)
def test_options_without_use_are_refused(
    words: list[str], message: str, store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", store, *words]) == 2
    assert message in " ".join(capsys.readouterr().err.split())
