"""Rain from tables and grids: units, clocks, days that are missing or come twice, and real stations."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from slidecloud.stack.rain import fingerprint, open_rain
from slidecloud.types import DataError

HERE = (100.0, 30.0)


def write(path, text):
    path.write_text(text)
    return str(path)


def test_a_table_of_days(tmp_path):
    path = write(
        tmp_path / "station.csv", "Date,Rainfall (mm)\n2024-02-27,0.5\n2024-02-28,3\n2024-02-29,0\n2024-03-01,7.25\n"
    )
    rain = open_rain(path).at(*HERE)
    assert rain.name == "station"
    assert rain.day.astype(str).tolist() == ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]
    assert rain.millimetres.tolist() == [0.5, 3.0, 0.0, 7.25]


@pytest.mark.parametrize(("units", "factor"), [("mm", 1.0), ("cm", 10.0), ("in", 25.4), ("m", 1000.0)])
def test_units(tmp_path, units, factor):
    path = write(tmp_path / "a.csv", "time;rain;temperature\n2024-01-01;0.1;3\n2024-01-02;0.2;4\n")
    np.testing.assert_allclose(open_rain(path, units=units).at(*HERE).millimetres, np.array([0.1, 0.2]) * factor)


def hourly(zone="", *, start="2024-05-01T00:00:00", hours=72, leave_out=()):
    """An hour a line; 1 mm falls at hour 20 of each day on the clock of the table."""
    times = np.datetime64(start) + np.arange(hours) * np.timedelta64(3600, "s")
    rows = [f"{t}{zone},{1.0 if i % 24 == 20 else 0.0}" for i, t in enumerate(times) if i not in leave_out]
    return "time,rain\n" + "\n".join(rows) + "\n"


def test_clocks_are_moved_to_utc(tmp_path):
    local = open_rain(write(tmp_path / "local.csv", hourly()), utc_offset=-8.0).at(*HERE)
    # 20 h on a clock 8 hours behind is 4 h of the next day in UTC; days that are not whole are left off.
    assert local.day.astype(str).tolist() == ["2024-05-02", "2024-05-03"]
    assert local.millimetres.tolist() == [1.0, 1.0]
    said = open_rain(write(tmp_path / "said.csv", hourly("-08:00"))).at(*HERE)
    assert (said.day == local.day).all()
    assert (said.millimetres == local.millimetres).all()
    utc = open_rain(write(tmp_path / "utc.csv", hourly("Z"))).at(*HERE)
    assert len(utc.day) == 3
    with pytest.raises(DataError, match="say their zone, and rain_utc_offset is 8"):
        open_rain(str(tmp_path / "said.csv"), utc_offset=8.0)
    mixed = hourly("Z", hours=30).replace("T03:00:00Z", "T03:00:00")
    with pytest.raises(DataError, match="times with a zone and times without"):
        open_rain(write(tmp_path / "mixed.csv", mixed))


def test_lines_of_numbers_with_midnight_as_hour_24(tmp_path):
    rows = [f"2024 \t 1 \t {d} \t {h} \t 0 \t {0.5 if h == 24 else 0}" for d in (1, 2, 3) for h in range(1, 25)]
    rain = open_rain(write(tmp_path / "a.txt", "\n".join(rows))).at(*HERE)
    # The first day lacks its midnight alone, the last has nothing else.
    assert rain.day.astype(str).tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert rain.millimetres.tolist() == [0.0, 0.5, 0.5]
    with pytest.raises(DataError, match="line 2: found 2 numbers"):
        open_rain(write(tmp_path / "b.txt", "2024 1 1 0\n2024 1\n"))


def test_missing_days(tmp_path):
    gap = write(tmp_path / "gap.csv", "date,rain\n2024-01-01,1\n2024-01-02,NA\n2024-01-04,-9999\n2024-01-05,2\n")
    with pytest.raises(DataError, match=r"no rain for 3 of 5 days, the first is 2024-01-02.*rain_missing"):
        open_rain(gap)
    np.testing.assert_array_equal(
        open_rain(gap, missing="unknown").at(*HERE).millimetres, [1, np.nan, np.nan, np.nan, 2]
    )
    assert open_rain(gap, missing="dry").at(*HERE).millimetres.tolist() == [1, 0, 0, 0, 2]


def test_a_day_needs_its_readings(tmp_path):
    few = write(tmp_path / "few.csv", hourly(leave_out=(30, 31, 32)))
    with pytest.raises(DataError, match="no rain for 1 of 3 days, the first is 2024-05-02"):
        open_rain(few)
    # One of 24 is within the 5 % that may lack.
    one = open_rain(write(tmp_path / "one.csv", hourly(leave_out=(30,)))).at(*HERE)
    assert one.millimetres.tolist() == [1, 1, 1]


def test_days_that_come_twice(tmp_path):
    same = write(tmp_path / "same.csv", "date,rain\n2024-01-01,1\n2024-01-02,4\n2024-01-02,4\n2024-01-03,0\n")
    assert open_rain(same).at(*HERE).millimetres.tolist() == [1, 4, 0]
    other = write(tmp_path / "other.csv", "date,rain\n2024-01-01,1\n2024-01-02,4\n2024-01-02,5\n")
    with pytest.raises(DataError, match=r"two values for 2024-01-02.*4 and 5 mm"):
        open_rain(other)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("date,rain\n", "0 readings"),
        ("date,rain\n2024-01-01,1\n", "1 readings"),
        ("date,rain\n2024-01-01,1\n01.02.2024,2\n", "line 3: found the time '01.02.2024'"),
        ("date,rain\n2024-01-01,wet\n", "line 2: found 'wet'"),
        ("date,rain\n2024-01-01,-3\n", "line 2: found -3"),
        ("date,rain\n2024-01-01,5000\n2024-01-02,1\n", "5000 mm on 2024-01-01.*rain_units"),
        ("date,rain,depth\n2024-01-01,1\n", "line 2: found 2 columns"),
        ("date,wind,depth\n2024-01-01,1,2\n", "0 of them for rain"),
        ("a,b,rain\n2024-01-01,1,2\n", "0 of them for time"),
    ],
)
def test_tables_that_cannot_be(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        open_rain(write(tmp_path / "bad.csv", text))


def test_files_that_cannot_be(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no rain"):
        open_rain(str(tmp_path / "none.csv"))
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x81" * 9)
    with pytest.raises(DataError, match="is not text"):
        open_rain(str(tmp_path / "binary.csv"))
    (tmp_path / "bad.nc").write_bytes(b"CDF\x01 this is no grid")
    with pytest.raises((DataError, ImportError), match=r"bad.nc"):
        open_rain(str(tmp_path / "bad.nc"))


def gridded(*, longitude=(99.5, 100.0, 100.5), days=4, name="precipitation"):
    day = np.datetime64("2024-01-01", "ns") + np.arange(days) * np.timedelta64(1, "D")
    latitude = [30.5, 30.0, 29.5]
    values = np.arange(days * 9, dtype=np.float32).reshape(days, 3, 3)
    values[2, 0, 0] = -9999
    places = {"time": day, "lat": latitude, "lon": list(longitude)}
    return xr.Dataset({name: (("time", "lat", "lon"), values)}, coords=places)


@pytest.mark.parametrize("form", ["nc", "zarr"])
def test_a_grid_gives_its_nearest_cell(tmp_path, form):
    path = tmp_path / f"grid.{form}"
    made = gridded()
    if form == "nc":
        made.to_netcdf(path, engine="scipy")
    else:
        made.to_zarr(path, zarr_format=3, consolidated=False)
    rain = open_rain(str(path))
    assert rain.at(100.1, 29.9).millimetres.tolist() == [4, 13, 22, 31]
    assert rain.at(100.5, 30.6).millimetres.tolist() == [2, 11, 20, 29]
    assert rain.at(100.1, 29.9).day.astype(str)[0] == "2024-01-01"
    with pytest.raises(DataError, match=r"no rain for 1 of 4 days, the first is 2024-01-03"):
        rain.at(99.5, 30.5)
    with pytest.raises(DataError, match=r"reaches longitude 99\.5 to 100.5"):
        rain.at(103.0, 30.0)
    assert fingerprint(str(path)) == fingerprint(str(path))


def test_units_of_a_grid_count_and_longitudes_may_run_to_360(tmp_path):
    made = gridded(longitude=(259.5, 260.0, 260.5), name="tp") / 1000.0
    made["tp"].attrs["units"] = "m"
    made.to_netcdf(tmp_path / "a.nc", engine="scipy")
    np.testing.assert_allclose(
        open_rain(str(tmp_path / "a.nc")).at(-100.0, 30.0).millimetres, [4, 13, 22, 31], rtol=1e-6
    )


def test_a_grid_that_is_none(tmp_path):
    made = gridded().rename({"lat": "north"})
    made.to_netcdf(tmp_path / "a.nc", engine="scipy")
    with pytest.raises(DataError, match="expected one for latitude"):
        open_rain(str(tmp_path / "a.nc"))
    two = gridded().assign(other=gridded()["precipitation"]).rename({"precipitation": "one"})
    two.to_netcdf(tmp_path / "b.nc", engine="scipy")
    with pytest.raises(DataError, match="the variables one, other"):
        open_rain(str(tmp_path / "b.nc"))


def test_real_stations(real_data):
    """Four gauges a few kilometres apart, readings of 15 minutes in hundredths of an inch, on Pacific time."""
    folder = real_data("mukilteo_rain")
    series = {}
    for name in ("waMLP", "waMWWD", "waWatertonA", "waMVD116"):
        path = folder / f"{name}_rain.txt"
        raw = np.loadtxt(path)
        rain = open_rain(str(path), units="in", utc_offset=-8.0).at(*HERE)
        assert rain.day[-1] == np.datetime64("2015-12-31")
        series[name] = rain
        # What the whole days hold is what the file holds of them; repeated readings are dry.
        local = (raw[:, 2] + 100 * raw[:, 1] + 1e4 * raw[:, 0]).astype(int)
        november = raw[(local >= 20151101) & (local <= 20151130), 5].sum() * 25.4
        inside = (rain.day >= np.datetime64("2015-11-01")) & (rain.day <= np.datetime64("2015-11-30"))
        assert rain.millimetres[inside].sum() == pytest.approx(november, rel=0.05)
    first = max(rain.day[0] for rain in series.values())
    together = [rain.millimetres[rain.day >= first] for rain in series.values()]
    # Neighbours see the same storms, but for the first, which was blocked in mid-November and drained ten days later.
    alike = np.corrcoef(together)
    assert alike[1:, 1:].min() > 0.9
    assert 0.6 < alike[0, 1:].max() < 0.8
    blocked = series["waMLP"].day == np.datetime64("2015-11-15")
    assert series["waMLP"].millimetres[blocked] == 0.0
    assert series["waMWWD"].millimetres[series["waMWWD"].day == np.datetime64("2015-11-15")] > 25.0
