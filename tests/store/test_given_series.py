"""A displacement series from outside: what it says between its times, and what is wrong with bad tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slidecloud.store.given_series import read_series
from slidecloud.types import DataError

DAYS = np.datetime64("2021-01-01", "D") + np.arange(0, 60, 6)
DATES = np.datetime64("2021-01-03T11:00:00", "s") + np.arange(4) * np.timedelta64(12, "D")


def table(folder: Path, text: str, name: str = "gnss.csv") -> str:
    path = folder / name
    path.write_text(text)
    return str(path)


@given(rate=st.floats(-0.5, 0.5), start=st.floats(-5, 5))
@settings(max_examples=20, deadline=None)
def test_a_line_stays_a_line_whatever_its_zero_and_format(tmp_path_factory, rate, start):
    folder = tmp_path_factory.mktemp("given")
    moved = start + rate * (DAYS - DAYS[0]).astype(float) / 365.25
    rows = "".join(f"{day}, {value!r}, 0.001\n" for day, value in zip(DAYS, moved.tolist(), strict=True))
    of_csv = read_series(table(folder, "Date, Displacement, Sigma\n" + rows))
    frame = pandas.DataFrame({"time": pandas.to_datetime(DAYS + np.timedelta64(12, "h")), "displacement": moved})
    frame[::-1].to_parquet(folder / "gnss.parquet")
    for found in (of_csv, read_series(str(folder / "gnss.parquet"))):
        years = (DATES - DATES[0]) / np.timedelta64(31_557_600, "s")
        np.testing.assert_allclose(found.at(DATES)[0], rate * years, atol=1e-9)
        assert found.velocity(DATES) == pytest.approx(rate, abs=1e-8)
    np.testing.assert_allclose(of_csv.at(DATES)[1], 0.001)
    assert np.isnan(found.at(DATES)[1]).all()


def test_half_a_day_beyond_its_ends_it_stays_further_out_it_refuses(tmp_path):
    found = read_series(table(tmp_path, "date,displacement\n2021-01-05,0.01\n2021-01-29,0.03\n"))
    near = np.array(["2021-01-05T01:00:00", "2021-01-29T23:00:00"], "datetime64[s]")
    np.testing.assert_allclose(found.at(near)[0], [0, 0.02])
    with pytest.raises(DataError, match=r"1 of 2 acquisitions lie outside of it, the first on 2021-01-30T01"):
        found.at(near + np.array([0, 2], "timedelta64[h]"))


def test_times_with_a_zone_are_turned_and_rows_without_value_left_out(tmp_path):
    text = "time,displacement,note\n2021-01-05T12:00:00+02:00,0.0,a\n2021-01-06,,b\n2021-01-07T00:00:00Z,0.1,c\n"
    found = read_series(table(tmp_path, text))
    assert found.time.tolist() == np.array(["2021-01-05T10:00:00", "2021-01-07"], "datetime64[s]").tolist()


def test_points_that_tell_their_error_weigh_accordingly(tmp_path):
    """The last value is wrong by a metre and says so."""
    text = "date,displacement,sigma\n2021-01-03,0,0.001\n2021-01-21,0.01,0.001\n2021-02-09,1.02,1.0\n"
    assert abs(read_series(table(tmp_path, text)).velocity(DATES[:3]) - 0.01 / (18 / 365.25)) < 0.05


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read as CSV or Parquet"),
        ("day,east\n2021-01-01,0\n", "no column 'date' or 'time'; it has the columns day, east"),
        ("date,east\n2021-01-01,0\n", "no column 'displacement'"),
        ("date,displacement\n2021-01-01,0\n", "has 1 displacements"),
        ("date,displacement\nspring,0\n2021-01-02,1\n", "a time that cannot be read"),
        ("date,displacement\n,0\n2021-01-02,1\n", "1 rows without a time"),
        ("date,displacement\n2021-01-01,far\n2021-01-02,1\n", "a displacement that is no number"),
        ("date,displacement\n2021-01-01,inf\n2021-01-02,1\n", "an infinite displacement"),
        ("date,displacement\n2021-01-01,0\n2021-01-01,1\n", "more than one displacement at 2021-01-01"),
        ("date,displacement\n2021-01-01,0\n2021-01-02,6378137\n", "moves by 6,378,137 m"),
        ("date,displacement,sigma\n2021-01-01,0,-1\n2021-01-02,1,1\n", "a negative sigma"),
    ],
)
def test_bad_tables_say_what_is_wrong(tmp_path, text, words):
    with pytest.raises(DataError, match=words):
        read_series(table(tmp_path, text))


def test_a_file_that_is_no_table_or_not_there(tmp_path):
    with pytest.raises(DataError, match="cannot be read as CSV or Parquet"):
        read_series(table(tmp_path, "no parquet", "gnss.parquet"))
    with pytest.raises(FileNotFoundError, match=r"There is no series .*check the path of --series"):
        read_series(str(tmp_path / "absent.csv"))
