"""What a store holds of the stage ``visibility``: what the radar sees of the slopes of a burst."""

from __future__ import annotations

from typing import Final

from slidecloud.store.specs import RADAR_POSITION, ArraySpec
from slidecloud.store.specs import map_spec as _map

_CLASSES: Final = {
    "flag_values": [0, 1, 2, 3, 4],
    "flag_meanings": "no_data good foreshortened layover shadow",
}

VISIBILITY: Final[tuple[ArraySpec, ...]] = (
    _map("r_index", "1", "sine of the angle between the line of sight and the ground in the plane of range"),
    _map("class", "1", "how well the radar sees the pixel", dtype="uint8", attributes=_CLASSES),
    _map("sensitivity", "1", "motion towards the satellite per motion straight down the slope"),
    _map("slope", "rad", "slope of the ground above horizontal"),
    _map("aspect", "rad", "direction of steepest descent, clockwise from north"),
    _map("layover", "1", "1 where the pixel shares its slant range with other ground", dtype="uint8"),
    _map("shadow", "1", "1 where the radar does not see the pixel", dtype="uint8"),
    *RADAR_POSITION,
)
