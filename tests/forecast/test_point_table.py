"""Points of a table, whichever way it is laid out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from slidecloud.forecast.point_table import read_points
from slidecloud.types import DataError

LONG = pd.DataFrame(
    {
        "id": ["002", "001", "001", "002", "001"],
        "date": ["2024-01-13", "2024-01-13", "2024-01-01", "2024-01-25", "2024-01-25"],
        "displacement": [0.5, 0.2, 0.1, 0.7, np.nan],
        "sigma": [0.05, 0.02, 0.01, 0.07, np.nan],
        "longitude": [110.2, 110.1, 110.1, 110.2, 110.1],
        "latitude": [31.2, 31.1, 31.1, 31.2, 31.1],
        "slope": [20.0, 10.0, 10.0, 20.0, 10.0],
        "coherence": [0.5, 0.6, 0.7, 0.8, 0.9],
        "place": ["b", "a", "a", "b", "a"],
    }
)


def _written(path, frame):
    frame.to_parquet(path) if path.suffix == ".parquet" else frame.to_csv(path, index=False)
    return str(path)


@pytest.mark.parametrize("name", ["points.csv", "points.parquet"])
def test_a_line_a_value_in_any_order(tmp_path, name):
    found = read_points(_written(tmp_path / name, LONG), units="cm")
    assert found.ids.tolist() == ["001", "002"]
    assert found.dates.astype(str).tolist() == ["2024-01-01", "2024-01-13", "2024-01-25"]
    np.testing.assert_allclose(found.values, [[1.0, 2.0, np.nan], [np.nan, 5.0, 7.0]])
    np.testing.assert_allclose(found.sigma, [[0.1, 0.2, np.nan], [np.nan, 0.5, 0.7]])
    assert (found.x.tolist(), found.y.tolist()) == ([110.1, 110.2], [31.1, 31.2])
    assert found.feature_names == ("slope",)
    np.testing.assert_array_equal(found.features, [[10.0], [20.0]])


@pytest.mark.parametrize("form", ["%Y%m%d", "D%Y%m%d", "%Y-%m-%d"])
def test_a_line_a_point(tmp_path, form):
    days = pd.to_datetime(["2024-01-25", "2024-01-01", "2024-01-13"]).strftime(form)
    wide = pd.DataFrame([[5.0, np.nan, 3.0], [2.0, 0.0, 1.0]], columns=days)
    wide.insert(0, "pid", ["b", "a"])
    wide["mean_velocity"] = [-3.0, np.nan]
    found = read_points(_written(tmp_path / "wide.csv", wide))
    assert found.ids.tolist() == ["a", "b"]
    np.testing.assert_array_equal(found.values, [[0.0, 1.0, 2.0], [np.nan, 3.0, 5.0]])
    assert found.x is None
    assert found.feature_names == ("mean_velocity",)
    np.testing.assert_array_equal(found.features, [[np.nan], [-3.0]])


def test_both_ways_are_the_same_points(tmp_path):
    wide = LONG.pivot(index="id", columns="date", values="displacement").reset_index()
    one = read_points(_written(tmp_path / "long.csv", LONG))
    two = read_points(_written(tmp_path / "wide.parquet", wide))
    np.testing.assert_array_equal(one.values, two.values)
    np.testing.assert_array_equal(one.dates, two.dates)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (LONG.drop(columns="date"), "none for date; expected id, date and displacement"),
        (LONG.iloc[:0], "no lines"),
        (LONG.assign(displacement="far"), "column displacement.*expected numbers"),
        (LONG.assign(date="Tuesday"), "expected dates such as 2024-01-31"),
        (LONG.assign(longitude=np.arange(5.0)), "point 001 has no one longitude"),
        (pd.concat([LONG, LONG.assign(displacement=9.0)]), "point 002 has two values of displacement on 2024-01-13"),
        (pd.DataFrame({"id": ["a", "a"], "20240101": [1.0, 2.0]}), "more than once"),
    ],
)
def test_tables_that_cannot_be(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        read_points(_written(tmp_path / "bad.csv", change))


def test_the_same_line_twice_counts_once(tmp_path):
    twice = read_points(_written(tmp_path / "twice.csv", pd.concat([LONG, LONG])))
    np.testing.assert_array_equal(twice.values, read_points(_written(tmp_path / "once.csv", LONG)).values)


def test_what_is_no_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no table of points"):
        read_points(str(tmp_path / "none.csv"))
    for name in ("bad.parquet", "bad.csv"):
        (tmp_path / name).write_bytes(b"\x00\xff\xfe")
        with pytest.raises(DataError, match="cannot be read"):
            read_points(str(tmp_path / name))
