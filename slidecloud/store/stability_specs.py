"""What the tables of the stage ``classify`` hold: landslides by their motion, potential points, and rain."""

from __future__ import annotations

from typing import Final

from slidecloud.store.tables import ColumnSpec

STABILITY: Final = "products/stability.parquet"
POINTS: Final = "products/points.parquet"
RAIN: Final = "products/rain.parquet"
TABLES: Final = (STABILITY, POINTS, RAIN)

LANDSLIDE_CLASSES: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "id of the landslide in the inventory"),
    ColumnSpec("track", "text", "", "pass, and relative orbit or heading; empty where no track has a velocity"),
    ColumnSpec("bursts", "text", "", "bursts whose pixels were taken"),
    ColumnSpec("source", "text", "", "unwrapped or integrated: which velocity of the bursts or patches was taken"),
    ColumnSpec("deciding", "bool", "", "true for the one track that gives the landslide its class"),
    ColumnSpec("class", "text", "", "rapid, active, potentially unstable, stable, uplift or unknown"),
    ColumnSpec("confidence", "float32", "1", "probability of the class given velocity and standard error"),
    ColumnSpec("velocity", "float32", "m year-1", "mean over the pixels inside, line of sight, towards the satellite"),
    ColumnSpec("velocity_sigma", "float32", "m year-1", "standard error of the mean, pixels taken as one"),
    ColumnSpec("spread", "float32", "m year-1", "standard deviation of velocity over the pixels inside"),
    ColumnSpec("points", "int32", "1", "pixels inside with a velocity; where bursts overlap each place once"),
    ColumnSpec("removed", "float32", "m year-1", "median of the ground outside all landslides that was subtracted"),
    ColumnSpec("sensitivity", "float32", "1", "mean motion towards the satellite per motion straight downslope"),
    ColumnSpec("well_seen", "float32", "1", "share of the pixels whose visibility is good"),
)

POTENTIAL_POINTS: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("burst", "text", "", "burst"),
    ColumnSpec("track", "text", "", "pass, and relative orbit or heading"),
    ColumnSpec("velocity", "float32", "m year-1", "line-of-sight velocity, positive towards the satellite"),
    ColumnSpec("velocity_sigma", "float32", "m year-1", "its standard error"),
    ColumnSpec("source", "text", "", "unwrapped or integrated: which velocity of its burst or patch it is"),
    ColumnSpec("slope", "float32", "rad", "slope of the ground"),
    ColumnSpec("r_index", "float32", "1", "how well the radar sees it, larger is better"),
    ColumnSpec("sensitivity", "float32", "1", "motion towards the satellite per motion straight downslope"),
    ColumnSpec("landslide", "text", "", "id of the landslide it lies in; empty outside"),
)

LANDSLIDE_RAIN: Final[tuple[ColumnSpec, ...]] = (
    ColumnSpec("id", "text", "", "id of the landslide in the inventory"),
    ColumnSpec("track", "text", "", "track whose series was compared"),
    ColumnSpec("intervals", "int32", "1", "intervals between images that were compared"),
    ColumnSpec("lag", "float32", "day", "days after the rain at which the correlation is largest"),
    ColumnSpec("lag_low", "float32", "day", "shortest lag that agrees with the interval of the largest"),
    ColumnSpec("lag_high", "float32", "day", "longest lag that agrees with it"),
    ColumnSpec("correlation", "float32", "1", "of the rate, in the direction of the whole motion, with mean rain"),
    ColumnSpec("correlation_low", "float32", "1", "lower end of its 95 % interval"),
    ColumnSpec("correlation_high", "float32", "1", "upper end of its 95 % interval"),
    ColumnSpec("effective", "float32", "1", "intervals that count as independent"),
    ColumnSpec("p_value", "float32", "1", "of the largest correlation over all lags, if there were none"),
    ColumnSpec("events", "int32", "1", "accelerations"),
    ColumnSpec("event_rain", "float32", "mm", "mean rain on the days before accelerations"),
    ColumnSpec("usual_rain", "float32", "mm", "mean rain on as many days at any time"),
    ColumnSpec("event_p_value", "float32", "1", "of so much rain before accelerations, if they did not follow rain"),
)
