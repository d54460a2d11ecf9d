"""The YAML of hazard: what it means, and that what is wrong is told by its key."""

from __future__ import annotations

import pytest

from slidecloud.config_factors import KEYS, FactorConfig, Kind
from slidecloud.config_hazard import HazardConfig, load, parse
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.drawing import COLUMNS

WHOLE = """
store: out.zarr
grid: {crs: EPSG:32648, spacing: 30, bounds: [400000, 3300000, 430000, 3330000]}
factors:
  elevation: {kind: raster, path: maps/dem.tif, units: m}
  slope:
  relief: {window: 500}
  ndvi: {kind: raster, path: s3://bucket/ndvi.tif, resampling: linear}
"""

RISK = "risk: {factors: {slope: {parts: 5}}, weighting: equal, folds: 4, points: slides.gpkg}"


def test_names_of_kinds_need_no_kind_and_paths_follow_the_file(tmp_path):
    (tmp_path / "hazard.yaml").write_text(WHOLE + RISK + "\nunits: {spread: 0.2}\nsusceptibility: {slides: a.gpkg}\n")
    found = load(tmp_path / "hazard.yaml")
    assert found.factors["slope"].kind == "slope"
    assert found.factors["relief"].window == 500
    assert found.place == str(tmp_path / "out.zarr")
    assert found.factors["elevation"].path == str(tmp_path / "maps" / "dem.tif")
    assert found.units.spread == 0.2
    assert found.susceptibility is not None
    assert found.susceptibility.slides == str(tmp_path / "a.gpkg")
    assert found.risk is not None
    assert found.risk.points == str(tmp_path / "slides.gpkg")
    assert found.risk.factors["slope"].parts == 5
    assert found.factors["ndvi"].path == "s3://bucket/ndvi.tif"


def test_every_kind_says_which_keys_it_takes():
    assert set(KEYS) == set(Kind.__args__)
    known = set(FactorConfig.model_fields) - {"kind"}
    assert {key for keys in KEYS.values() for part in keys for key in part} == known


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("window: 500", "windw: 500", "relief: unknown key 'windw'; did you mean 'window'"),
        ("{window: 500}", "", "relief: .*window is missing, which the kind relief needs"),
        ("  slope:", "  slope: {radius: 3}", "slope: .*radius means nothing to the kind slope, which takes of"),
        ("slope:", "Slope: {kind: slope}", "'Slope' cannot name a factor"),
        ("  slope:", "  slope: {of: dem}", "factors.slope is computed from 'dem', which is no factor of kind raster"),
        ("store: out.zarr", "store: out.zarr\nrun: run.zarr", "one of run .* and store"),
        ("430000,", "430010,", "bounds span 30010 m from west to east, 1000.333 pixels of 30 m; .* 400000 to 430030"),
        ("400000,", "440000,", "expected west < east"),
        ("  slope:", "  los_rate:", "factors.los_rate is deformation, which comes from a run"),
        ("  slope:", "  density: {radius: 10}", "factors.density has no path to points"),
        ("  slope:", "  rock: {kind: category, path: r.tif, resampling: linear}", "nothing between two categories"),
        ("store: out.zarr", "stor: out.zarr", "unknown key 'stor'; did you mean 'store'"),
        ("  slope:", "  x: {kind: slope}", "factors.x has the name of another array"),
        ("  slope:", "  relief_sigma: {kind: slope}", "factors.relief_sigma has the name of another array"),
        ("units: m}", "units: m, resampling: nearest}", "makes stairs of the ground that slope is computed from"),
        (WHOLE, "just text", "holds str"),
        (
            "store: out.zarr",
            "store: out.zarr\nunits: {sprad: 0.2}",
            r"'units.sprad'; did you mean 'spread'",
        ),
        ("store: out.zarr", "store: out.zarr\n" + RISK.replace(", points: slides.gpkg", ""), "risk.points is missing"),
        (
            "store: out.zarr",
            "store: out.zarr\nsusceptibility: {slide: a}",
            "unknown key 'slide'; did you mean 'slides'",
        ),
        ("store: out.zarr", "store: out.zarr\nsusceptibility: {}", "susceptibility.slides is missing"),
        ("store: out.zarr", "store: out.zarr\nsusceptibility: {slides: a, factors: [b]}", "factors: b is no factor"),
        (
            "store: out.zarr",
            "store: out.zarr\nsusceptibility: {slides: a, circular: [facng]}",
            "susceptibility.circular: facng is no factor",
        ),
        (
            "store: out.zarr",
            "store: out.zarr\nsusceptibility: {slides: a, circular: [ndvi], on: units}",
            "circular names ndvi, of kind raster, of which units hold the mean.*take the kind aspect, or 'on: cells'",
        ),
        (
            "store: out.zarr",
            "store: out.zarr\nsusceptibility: {slides: a, splits: {method: regions, region: ndvi}}",
            "splits.region is ndvi, of kind raster; expected a factor of kind category",
        ),
        ("store: out.zarr", "store: out.zarr\n" + RISK.replace("slope", "aspect"), "risk.factors: aspect is no factor"),
        ("store: out.zarr", "store: out.zarr\n" + RISK.replace("parts", "prts"), "factors.slope: unknown key 'prts'"),
        ("store: out.zarr", "store: out.zarr\n" + RISK.replace("folds", "fold"), "risk: unknown key 'fold'"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(old, new, match):
    with pytest.raises(ConfigError, match=match):
        parse(WHOLE.replace(old, new))


@pytest.mark.parametrize("name", sorted({*COLUMNS, "geometry"} - {"x", "y"}))
def test_a_factor_that_would_overwrite_what_is_known_of_places_is_refused(name):
    """Unless nothing is learnt: then there are no places."""
    text = WHOLE.replace("ndvi", name)
    assert name in parse(text).factors
    with pytest.raises(ConfigError, match=f"factors.{name} has the name of a column of the places"):
        parse(text + "\nsusceptibility: {slides: a}\n")


@pytest.mark.parametrize(
    ("given", "slides", "layer", "same"),
    [
        ({"kind": "distance", "path": "a.gpkg"}, "a.gpkg", None, True),
        ({"kind": "distance", "path": "a.gpkg", "layer": "rivers"}, "a.gpkg", "slides", False),
        ({"kind": "distance", "path": "a.gpkg", "layer": "slides"}, "a.gpkg", None, True),
        ({"kind": "distance", "path": "a.gpkg"}, None, None, False),
        ({"kind": "density", "radius": 9}, None, None, True),
        ({"kind": "slope"}, None, None, False),
    ],
)
def test_a_factor_made_of_the_slides_is_known_by_file_and_layer(given, slides, layer, same):
    """Of a run nothing but a density without a path is made of its inventory."""
    assert FactorConfig.model_validate(given).is_made_of(slides, layer=layer) is same


def test_secrets_are_refused():
    with pytest.raises(ConfigError, match="secret"):
        parse(WHOLE + "storage_options: {secret: hunter2}\n")
    assert HazardConfig.model_fields["storage_options"].description


def test_a_key_is_a_word_whatever_yaml_takes_it_for():
    """YAML 1.1 reads the key ``on`` as true."""
    text = """
store: ./hazard.zarr
grid: {crs: EPSG:32648, spacing: 30, bounds: [0, 0, 300, 300]}
factors: {elevation: {kind: raster, path: dem.tif}, slope: {}}
susceptibility:
  slides: slides.gpkg
  on: units
  tuned: yes
"""
    found = parse(text).susceptibility
    assert (found.on, found.tuned) == ("units", True)
