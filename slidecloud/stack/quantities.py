"""What is measured day by day at stations and on grids: rain, which adds up, and water level, which is averaged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Quantity:
    """A quantity and what to expect of it.

    Attributes
    ----------
    name, unit
        For messages; the unit that values end up in.
    scale
        What a value of each unit is in `unit`.
    said
        Units as grids write them, and their keys in `scale`.
    columns
        Names of its columns and variables, in lower case.
    lowest, highest
        Of a day, in `unit`.
    flag
        Values down here, as written, say that there is none.
    added
        Whether readings of a day add up; else they are averaged.
    """

    name: str
    unit: str
    scale: Mapping[str, float]
    said: Mapping[str, str]
    columns: tuple[str, ...]
    lowest: float
    highest: float
    flag: float
    added: bool


RAIN: Final = Quantity(
    name="rain",
    unit="mm",
    scale={"mm": 1.0, "cm": 10.0, "m": 1000.0, "in": 25.4},
    said={
        **dict.fromkeys(
            ("mm", "mm/day", "mm/d", "mm day-1", "mm d-1", "kg m-2", "kg/m2", "millimeter", "millimeters"), "mm"
        ),
        **dict.fromkeys(("m", "m/day", "metre", "metres", "meter", "meters"), "m"),
        **dict.fromkeys(("cm", "cm/day"), "cm"),
        **dict.fromkeys(("in", "inch", "inches", "in/day"), "in"),
    },
    columns=("rain", "rainfall", "precipitation", "precip", "prcp", "pr", "tp", "value", "rr", "rain_mm", "mm"),
    lowest=0.0,
    highest=2000.0,  # the largest ever measured is 1825 mm (Foc-Foc, La Reunion, 1966)
    flag=-99.0,
    added=True,
)

LEVEL: Final = Quantity(
    name="level",
    unit="m",
    scale={"m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048},
    said={
        **dict.fromkeys(("m", "metre", "metres", "meter", "meters"), "m"),
        **dict.fromkeys(("cm", "centimetre", "centimeter"), "cm"),
        **dict.fromkeys(("ft", "feet", "foot"), "ft"),
        "mm": "mm",
    },
    columns=("level", "water_level", "waterlevel", "stage", "height", "elevation", "wl", "value", "level_m", "h"),
    lowest=-450.0,
    highest=6500.0,  # the highest lakes
    flag=-990.0,
    added=False,
)
