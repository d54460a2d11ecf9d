"""``slidecloud optical change`` from a user's seat: a run, outlines of two dates, and factors of the ground."""

from __future__ import annotations

from pathlib import Path

import geopandas
import numpy as np
import pytest
import rasterio
import shapely
import sliding
import small

from slidecloud.cli import main
from slidecloud.optical.change import KINDS
from slidecloud.store import open_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with displacement, outlines of two dates as files, and an elevation."""
    made = tmp_path_factory.mktemp("optical")
    small.finished(made, small.scene())
    longitude, latitude = sliding.positions(small.scene())
    step = float(longitude[0, 1] - longitude[0, 0])

    def around(row: int, column: int, size: float) -> shapely.Polygon:
        centre = shapely.Point(longitude[row, column], latitude[row, column])
        return centre.buffer(size * step, quad_segs=6)

    hole = around(12, 60, 5.0).difference(around(12, 60, 2.0))
    dates = {
        "y2019": [around(32, 36, 3.0), around(12, 60, 4.0), around(52, 20, 3.0), around(52, 24, 3.0)],
        "y2023": [around(32, 40, 7.0), hole, around(52, 22, 5.0), around(10, 10, 4.0), around(55, 70, 0.3)],
    }
    for name, shapes in dates.items():
        frame = geopandas.GeoDataFrame({"id": [f"s{n}" for n in range(len(shapes))]}, geometry=shapes, crs="EPSG:4326")
        frame.to_file(made / f"{name}.gpkg")
    box = geopandas.GeoSeries([shapely.box(*frame.total_bounds)], crs="EPSG:4326").to_crs("EPSG:32647").total_bounds
    west, south, east, north = np.round(box / 100) * 100 + [-2000, -2000, 2000, 2000]
    high, wide = int((north - south) / 100), int((east - west) / 100)
    rows, columns = np.mgrid[:high, :wide]
    ground = (2000 + 300 * np.sin(rows / 7) + 20 * columns).astype(np.float32)
    with rasterio.open(
        made / "dem.tif", "w", driver="GTiff", height=high, width=wide, count=1, dtype="float32", crs="EPSG:32647",
        transform=rasterio.Affine(100, 0, west, 0, -100, north),
    ) as file:  # fmt: skip
        file.write(ground, 1)
    bounds = f"[{west:.0f}, {south:.0f}, {east:.0f}, {north:.0f}]"
    (made / "optical.yaml").write_text(
        "run: run.zarr\nresources: {executor: serial}\nchange:\n  before: y2019.gpkg\n  after: y2023.gpkg\n"
        "  radar: {least_points: 3}\n  histograms:\n"
        f"    grid: {{crs: EPSG:32647, spacing: 100, bounds: {bounds}}}\n"
        "    factors: {elevation: {kind: raster, path: dem.tif, units: m}, slope: {}, aspect: {}}\n"
        "    classes: {slope: {breaks: [5, 10, 15]}}\n"
    )
    return made


def told(printed: str) -> list[str]:
    """What was counted: not how long it took, nor where the report is."""
    lines = printed.splitlines()
    first = next(number for number, line in enumerate(lines) if " outlines in " in line)
    return lines[first : first + 17]


def test_tables_counts_and_report(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["optical", "change", str(folder / "optical.yaml"), "--report", str(tmp_path / "made"), "--series", "2"]
    assert main(words) == 0
    everything = capsys.readouterr().out
    printed = told(everything)
    assert printed[0] == "4 outlines in y2019, 5 in y2023"
    counts = {line.rsplit(maxsplit=1)[0].strip(): line.split()[-1] for line in printed[1:10]}
    assert counts == dict.fromkeys(KINDS, "0") | {"new": "2", "grown": "2", "merged": "1"}
    place = folder / "run.zarr" / "optical" / "change-y2019-y2023"
    stability = geopandas.read_parquet(place / "stability.parquet")
    assert [*stability["id"]] == [f"y2023/s{n}" for n in range(5)]
    assert stability["note"].iloc[4].endswith("at least 3 are needed") or "no pixel" in stability["note"].iloc[4]
    page = (tmp_path / "made" / "change.html").read_text()
    pictures = sorted(path.name for path in (tmp_path / "made").glob("*.png"))
    assert {"change-map.png", "change-classes.png", "change-histograms.png"} < set(pictures)
    assert sum(name.startswith("series-y2023-") for name in pictures) == 2
    assert page.count("<img") == len(pictures)
    assert "Landslides from y2019 to y2023" in page
    assert "without a class" in page
    # Once more there is nothing to do, and the same is told.
    assert main(words[:3]) == 0
    assert told(capsys.readouterr().out) == printed
    # What others read the run for is as it was.
    assert small.BURST in open_run(str(folder / "run.zarr")).bursts


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("run: run.zarr\n", 1, "change is missing"),
        ("run: nowhere.zarr\nchange: {before: a, after: b}\n", 1, "There is no run"),
        ("run: run.zarr\nchange: {before: a, after: b}\n", 1, "has no outlines"),
        ("run: run.zarr\nchange: {before: a, after: a}\n", 1, "outlines of two dates"),
        ("run: run.zarr\nchange: {before: a, after: b, least_overlop: 1}\n", 1, "did you mean 'least_overlap'"),
        ("run: run.zarr\nchange: {before: a, after: none.gpkg}\n", 1, "has no outlines"),
    ],
)
def test_what_is_wrong_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str, code: int, message: str
) -> None:
    (folder / "wrong.yaml").write_text(text)
    assert main(["optical", "change", str(folder / "wrong.yaml")]) == code
    assert message in " ".join(capsys.readouterr().err.split())


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["optical", "change", "--help"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("vanished", "least_overlap", "histograms", "slidecloud optical change"))
