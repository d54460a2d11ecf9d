"""Settings of what changed between two dates: factors of the ground are those of hazard, checked alike."""

from __future__ import annotations

import pytest

from slidecloud.config_optical import parse
from slidecloud.config_yaml import ConfigError

TEXT = """
store: ./optical.zarr
change:
  before: old
  after: young
  histograms:
    grid: {crs: EPSG:32648, spacing: 30, bounds: [0, 0, 300, 300]}
    factors:
      elevation: {kind: raster, path: dem.tif, resampling: linear}
      slope:
    classes: {slope: {breaks: [15]}}
"""


def test_a_factor_that_has_the_name_of_a_kind_need_not_say_it():
    factors = parse(TEXT).change.histograms.factors
    assert {name: one.kind for name, one in factors.items()} == {"elevation": "raster", "slope": "slope"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("linear}", "nearest}", "factors.elevation.resampling is 'nearest', which makes stairs"),
        ("      slope:", "      slope: {of: dem}", "factors.slope is computed from 'dem'"),
        ("      slope:", "      Slope:", "'Slope' cannot name a factor"),
        ("      slope:", "      slope: steep", "slope is 'steep'; expected keys and values"),
        ("      slope:", "      slope: {windw: 3}", "slope: unknown key 'windw'; did you mean 'window'"),
        ("      slope:", "      los_rate:", "factors.los_rate is deformation"),
        ("      slope:", "      density: {radius: 100}", "factors.density has no path to points"),
        ("{slope: {breaks", "{slop: {breaks", "classes.slop is no factor; expected some of elevation, slope"),
    ],
)
def test_what_is_wrong_with_a_factor_is_told(old, new, message):
    with pytest.raises(ConfigError) as error:
        parse(TEXT.replace(old, new))
    assert message in str(error.value)
