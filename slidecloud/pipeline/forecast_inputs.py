"""Rain and level of points, as the files of a configuration have them."""

from __future__ import annotations

from typing import NamedTuple

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.forecast.stations import drivers, level_of, rain_of


class Inputs(NamedTuple):
    """Rain and level of points, and sentences that tell where each comes from."""

    drivers: Drivers
    told: list[str]


def inputs_of(config: ForecastConfig, displacement: Displacement) -> Inputs:
    """Read what there is.

    Raises
    ------
    FileNotFoundError
        If a file is not there.
    DataError
        If it cannot be read as rain or level, days are missing, or a station is too far away.
    """
    placed = [
        None if section is None else read(
            section.path, displacement, units=section.units, utc_offset=section.utc_offset, missing=section.missing,
            farthest=section.farthest,
        )
        for section, read in ((config.rain, rain_of), (config.level, level_of))
    ]  # fmt: skip
    return Inputs(drivers(*placed), [sentence for one in placed if one is not None for sentence in one.told()])
