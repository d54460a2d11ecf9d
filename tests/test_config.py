"""One strict YAML: what is accepted, and what every refusal says."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from slidecloud import config
from slidecloud.config_resources import parse_bytes
from slidecloud.config_yaml import ConfigError

GOOD = {"run": "./run.zarr", "stacks": "./stacks"}


def text(**changes: object) -> str:
    return yaml.safe_dump({**GOOD, **changes})


def test_template_is_the_default():
    assert config.parse(config.template()) == config.RunConfig(**GOOD)


def test_template_explains_every_key():
    lines = config.template().splitlines()
    keys = [number for number, line in enumerate(lines) if ":" in line and not line.lstrip().startswith("#")]
    assert keys
    assert all(lines[number - 1].lstrip().startswith("# ") for number in keys)


def test_dump_comes_back():
    settings = config.parse(
        text(network={"max_days": 36, "seasons": [1, 7]}, bursts=["a"], gradients={"window_pixels": [3, 5]})
    )
    assert config.parse(config.dump(settings)) == settings


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"netwrk": {}}, "unknown key 'netwrk'; did you mean 'network'"),
        ({"network": {"maxdays": 3}}, "unknown key 'network.maxdays'; did you mean 'max_days'"),
        ({"qqq": 1}, "unknown key 'qqq'; known keys are run, stacks"),
        ({"run": None}, "run: .*valid string"),
        ({"network": {"max_days": -1}}, r"network.max_days: .*greater than 0 \(found -1\)"),
        ({"network": {"seasons": [10, 4]}}, "ascending months"),
        ({"network": {"seasons": [0, 13]}}, "months between 1 and 12"),
        ({"network": {"seasons": []}}, "one or more ascending months"),
        (
            {"gradients": {"estimator": "best"}},
            "estimator: .*'coherent', 'overlap', 'rate', 'sum' or 'rewrapped'",
        ),
        ({"gradients": {"window": None}}, "neither window nor window_pixels"),
        ({"gradients": {"window_pixels": 2}}, "at least 3 pixels"),
        ({"gradients": {"window_pixels": [9, 1]}}, "at least 3 pixels"),
        ({"gradients": {"gap": 0}}, "gradients.gap: .*greater than or equal to 1"),
        ({"timeseries": {"reference": {"kind": "point"}}}, "give point with kind 'point' or 'series' only"),
        ({"timeseries": {"reference": {"point": [1, 2]}}}, "kind is 'stable' and point is"),
        ({"timeseries": {"reference": {"kind": "series", "point": [1, 2]}}}, "give series with kind 'series' only"),
        ({"timeseries": {"reference": {"fraction": 0.9}}}, "less than or equal to 0.5"),
        ({"timeseries": {"min_coherence": 1.5}}, "less than 1"),
        ({"resources": {"memory": "lots"}}, "expected a number and a unit such as '4 GiB'"),
        ({"resources": {"workers": 0}}, "greater than or equal to 1"),
        ({"resources": {"executor": "slurm"}}, "'dask', 'threads' or 'serial'"),
        ({"stages": []}, "at least 1 item"),
        ({"stages": ["everything"]}, "'gradients', 'detect', 'timeseries', 'visibility', 'decompose' or 'classify'"),
        ({"stages": ["gradients", "detect", "classify"]}, "classify without timeseries, whose results it reads"),
        ({"classify": {"least_speed": 25.0}}, "expected metres a year such as 0.025"),
        ({"classify": {"rain_units": "feet"}}, "'mm', 'cm', 'm' or 'in'"),
        ({"storage_options": {"secret": "abc"}}, "secret in clear; write env:NAME"),
        ({"sources": [{"pth": "x"}]}, "unknown key 'sources.0.pth'; did you mean 'path'"),
    ],
)
def test_refusals_name_key_and_expectation(changes, message):
    with pytest.raises(ConfigError, match=message):
        config.parse(text(**changes), name="region.yaml")


@pytest.mark.parametrize("content", ["[1, 2]", "hello", "", "a: b: c", "\x00", "run: [", "- run: x"])
def test_other_text_is_refused(content):
    with pytest.raises(ConfigError, match=r"region\.yaml"):
        config.parse(content, name="region.yaml")


@given(st.binary(max_size=60))
def test_any_bytes_end_in_a_message(data):
    with pytest.raises(ConfigError):
        config.parse(data.decode(errors="replace"))


def test_relative_folders_belong_to_the_file(tmp_path):
    (tmp_path / "region.yaml").write_text(text(stacks="s3://bucket/stacks", sources=[{"path": "in"}]))
    settings = config.load(tmp_path / "region.yaml")
    assert settings.run == str(tmp_path / "run.zarr")
    assert settings.stacks == "s3://bucket/stacks"
    assert settings.sources[0].path == str(tmp_path / "in")


def test_absent_file_says_how_to_make_one(tmp_path):
    with pytest.raises(FileNotFoundError, match="--print-config"):
        config.load(tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    ("size", "expected"), [("4 GiB", 4 * 2**30), ("500MB", 5e8), ("1.5 GB", 1.5e9), ("1024", 1024), ("2 MiB", 2**21)]
)
def test_sizes(size, expected):
    assert parse_bytes(size) == expected


def test_science_leaves_out_where_and_how():
    first = config.parse(text(resources={"workers": 1}))
    second = config.parse(text(run="elsewhere", resources={"workers": 2, "executor": "serial"}))
    assert first.science() == second.science()
    assert first.science() != config.parse(text(network={"max_days": 12})).science()
