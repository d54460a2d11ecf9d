"""Points take the rain and the level of the nearest station, and are told how far away it is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from creeping import displacement

from slidecloud.forecast.stations import drivers, level_of, rain_of
from slidecloud.types import DataError

DAYS = pd.date_range("2024-01-01", periods=6)
PLACES = {"Upper": (110.0, 31.0), "Lower": (110.2, 31.0)}
"""0.2 degrees of longitude are 19.1 km at 31 degrees of latitude."""


def _points(*places):
    x, y = np.array(places, float).T
    return displacement(np.zeros((len(places), 3)), x=x, y=y)


def _table(path, *, what="rain", factor=1.0, places=PLACES):
    rows = []
    for number, (name, (lon, lat)) in enumerate(places.items()):
        for day, date in enumerate(DAYS):
            rows.append({"Station": name, "Lon": lon, "Lat": lat, "date": date, what: factor * (10 * number + day)})
    frame = pd.DataFrame(rows).sample(frac=1.0, random_state=0)
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize("name", ["rain.csv", "rain.parquet"])
def test_points_take_the_nearest_station(tmp_path, name):
    path = _table(tmp_path / name)
    found = rain_of(path, _points((110.19, 31.0), (110.01, 31.0), (110.0, 31.05)))
    assert found.station.tolist() == ["Lower", "Upper", "Upper"]
    np.testing.assert_allclose(found.distance, [0.955, 0.955, 5.54], rtol=0.01)
    np.testing.assert_array_equal(found.days, DAYS.to_numpy().astype("datetime64[D]"))
    np.testing.assert_array_equal(found.values[1], np.arange(6.0))
    np.testing.assert_array_equal(found.values[0], 10 + np.arange(6.0))
    assert found.told() == [
        "1 point takes the rain of Lower, 1.0 km away.",
        "2 points take the rain of Upper, 1.0 to 5.5 km away.",
    ]


def test_a_station_20_km_away_is_told_and_refused_unless_allowed(tmp_path):
    path = _table(tmp_path / "rain.csv", places={"Upper": PLACES["Upper"]})
    far = _points((110.01, 31.0), (110.21, 31.0))
    with pytest.raises(DataError, match=r"to point p1 is Upper, 20\.1 km away; expected at most 20 km"):
        rain_of(path, far)
    for farthest in (25.0, None):
        found = rain_of(path, far, farthest=farthest)
        assert found.values.shape == (1, 6)
        assert found.told() == ["2 points take the rain of Upper, 1.0 to 20.1 km away."]
    assert level_of(_table(tmp_path / "level.csv", what="level"), far).station.tolist() == ["Upper", "Lower"]


def test_one_station_without_a_place_stands_for_all(tmp_path):
    path = tmp_path / "gauge.csv"
    path.write_text("date;level\n2024-01-03;170,5\n".replace(",", ".") + "2024-01-01;171\n2024-01-02;-9999\n")
    found = level_of(str(path), displacement(np.zeros((4, 3))), missing="unknown")
    np.testing.assert_array_equal(found.values, [[171.0, np.nan, 170.5]])
    assert found.station.tolist() == ["gauge"] * 4
    assert found.told() == ["4 points take the level of gauge."]
    with pytest.raises(DataError, match=r"no level for 1 of 3 days, the first is 2024-01-02.*'unknown' \(leave"):
        level_of(str(path), displacement(np.zeros((4, 3))))


def test_readings_within_a_day_add_up_for_rain_and_are_averaged_for_a_level(tmp_path):
    times = pd.date_range("2024-01-01", periods=72, freq="h")
    for what in ("rain", "level"):
        pd.DataFrame({"time": times, what: np.repeat([1.0, 2.0, 4.0], 24)}).to_csv(
            tmp_path / f"{what}.csv", index=False
        )
    points = displacement(np.zeros((1, 3)))
    np.testing.assert_allclose(rain_of(str(tmp_path / "rain.csv"), points).values, [[24.0, 48.0, 96.0]])
    np.testing.assert_allclose(level_of(str(tmp_path / "level.csv"), points).values, [[1.0, 2.0, 4.0]])
    found = level_of(str(tmp_path / "level.csv"), points, units="ft").values
    np.testing.assert_allclose(found, 0.3048 * np.array([[1.0, 2.0, 4.0]]))


@pytest.mark.parametrize(("what", "units", "factor"), [("rain", "m", 1000.0), ("level", "cm", 0.01)])
def test_grids_give_the_cell_of_each_point(tmp_path, what, units, factor):
    lat, lon = np.array([31.5, 31.0, 30.5]), np.array([110.0, 110.5])
    values = np.arange(6.0)[:, None, None] + 100 * np.arange(6).reshape(3, 2)
    given = xr.Dataset({what: (("time", "lat", "lon"), values / factor)}, coords={"time": DAYS, "lat": lat, "lon": lon})
    given[what].attrs["units"] = units
    path = tmp_path / f"{what}.zarr"
    given.to_zarr(path, zarr_format=3, consolidated=False)
    read = rain_of if what == "rain" else level_of
    found = read(str(path), _points((110.1, 31.1), (110.45, 30.4)))
    np.testing.assert_allclose(found.values, [200 + np.arange(6.0), 500 + np.arange(6.0)])
    assert np.isnan(found.distance).all()
    with pytest.raises(DataError, match="is a grid, and the points have no places"):
        read(str(path), displacement(np.zeros((1, 3))))
    with pytest.raises(DataError, match=f"Give {what} that covers it"):
        read(str(path), _points((90.0, 31.0)))


def test_rain_and_level_share_a_calendar(tmp_path):
    rain = rain_of(_table(tmp_path / "rain.csv"), _points((110.19, 31.0), (110.01, 31.0)))
    (tmp_path / "level.csv").write_text("date,level\n2024-01-04,170\n2024-01-05,169\n2024-01-08,168\n")
    level = level_of(str(tmp_path / "level.csv"), _points((110.19, 31.0), (110.01, 31.0)), missing="unknown")
    found = drivers(rain, level)
    assert (found.days[0], found.days[-1]) == (np.datetime64("2024-01-01"), np.datetime64("2024-01-08"))
    assert found.rain.shape == (2, 8)
    np.testing.assert_array_equal(np.isnan(found.rain[0]), [False] * 6 + [True] * 2)
    np.testing.assert_array_equal(found.level[0], [np.nan] * 3 + [170, 169, np.nan, np.nan, 168])
    assert drivers(rain, None).level is None
    with pytest.raises(DataError, match="found neither"):
        drivers(None, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("station,lon,lat,date,rain\nA,1,2,2024-01-01,5\nA,1,3,2024-01-02,5\n", "station A has the lat 2, 3"),
        ("station,lon,lat,date,rain\nA,1,2,2024-01-01,5\nA,1,2,2024-01-01,6\nA,1,2,2024-01-02,6\n", "two values for"),
        ("station,lon,lat,date,rain\nA,1,2,01.01.2024,5\n", "line 2: found the time"),
        ("station,lon,lat,date,rain\nA,1,2,2024-01-01,wet\n", "line 2: found 'wet'"),
        ("station,lon,lat,date,wind\nA,1,2,2024-01-01,5\n", "0 of them for rain"),
        ("station,date,rain\nA,2024-01-01,5\nB,2024-01-01,5\n", "station A has no place"),
        ("station,lon,lat,date,rain\nA,1,2,2024-01-01T00:00Z,5\nA,1,2,2024-01-02T00:00,5\n", "zone"),
        ("station,lon,lat,date,rain\nA,1,2,2024-01-01,5\nA,1,2,2024-01-02,5000\n", "5000 mm on 2024-01-02"),
    ],
)
def test_tables_that_cannot_be(tmp_path, text, message):
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        rain_of(str(path), _points((1.0, 2.0)), farthest=None)


def test_what_is_not_there_is_named(tmp_path):
    for read, what in ((rain_of, "rain"), (level_of, "level")):
        with pytest.raises(FileNotFoundError, match=rf"There is no {what} .*none\.csv; check {what}\.path"):
            read(str(tmp_path / "none.csv"), _points((1.0, 2.0)))
    (tmp_path / "bad.parquet").write_bytes(b"not parquet")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        rain_of(str(tmp_path / "bad.parquet"), _points((1.0, 2.0)))
    zoned = tmp_path / "zoned.csv"
    zoned.write_text("date,rain\n2024-01-01T00:00Z,1\n2024-01-02T00:00Z,1\n")
    with pytest.raises(DataError, match="say their zone, and the offset"):
        rain_of(str(zoned), _points((1.0, 2.0)), utc_offset=8.0)
