"""The YAML of forecasts: strict, complete, and told by its template."""

from __future__ import annotations

import pytest

from slidecloud import config_forecast
from slidecloud.config_demix import DemixConfig
from slidecloud.config_yaml import ConfigError

RUN = "run: run.zarr\nrain: {path: rain.csv}\ntrain_until: 2020-01-01\n"


def test_the_template_is_a_configuration():
    text = config_forecast.template()
    found = config_forecast.parse(text)
    assert found.run == "./run.zarr"
    assert found.inputs == "S3"
    for name in config_forecast.ForecastConfig.model_fields:
        assert f"{name}:" in text
    apart = _with(text.replace("run: ./run.zarr", ""), "points", "store")
    assert config_forecast.parse(apart).store == "./forecast.zarr"
    assert found.demix is None
    assert config_forecast.parse(_with(text, "demix")).demix == DemixConfig()  # type: ignore[call-arg]


def _with(text: str, *sections: str) -> str:
    """The template without the '#' before some sections and their keys."""
    lines, section = [], ""
    for line in text.splitlines():
        key = line.removeprefix("# ")
        if line[:1] != " " and key.partition(":")[0] in config_forecast.ForecastConfig.model_fields:
            section = key.partition(":")[0]
        aside = section in sections and line.startswith(("# " + section, "#   "))
        lines.append(key if aside else line)
    return "\n".join(lines) + "\n"


def test_paths_are_taken_from_the_folder_of_the_file(tmp_path):
    (tmp_path / "forecast.yaml").write_text(RUN.replace("rain.csv", "s3://bucket/rain.zarr"))
    found = config_forecast.load(tmp_path / "forecast.yaml")
    assert found.run == str(tmp_path / "run.zarr")
    assert found.rain is not None
    assert found.rain.path == "s3://bucket/rain.zarr"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RUN + "methd: ridge", "unknown key 'methd'; did you mean 'method'"),
        (RUN.replace("{path:", "{farest: 3, path:"), "unknown key 'rain.farest'; did you mean 'farthest'"),
        (RUN + "store: x", "store is where forecasts of points go"),
        (RUN + "points: {path: a}", "expected one of run"),
        (
            RUN.replace("run: run.zarr", "points: {path: a}\nstore: b") + "demix: {}",
            "demix looks at the ground around points of a run",
        ),
        (RUN + "demix: {components: 0}", "demix.components"),
        (RUN.replace("rain: {path: rain.csv}", ""), "neither rain nor level is given"),
        (RUN + "thresholds: [{}]", "expected one of displacement"),
        (RUN + "thresholds: [{rate: 2, since: 2020-01-01}]", "since belongs to displacement"),
        (RUN + "thresholds: [{rate: 2}, {rate: 2}]", "is there twice"),
        (RUN.replace("train_until: 2020-01-01", ""), "key 'train_until' is missing"),
        (RUN + "storage_options: {secret: word}", "secret"),
        ("- 1", "expected keys and values"),
    ],
)
def test_what_is_wrong_is_told(text, says):
    with pytest.raises(ConfigError, match=says):
        config_forecast.parse(text)
