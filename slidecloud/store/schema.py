"""The one source of what a store holds: arrays, dimensions, types, units, meaning.

Templates are created from it, stores are validated against it, and the README's table is written from it.
"""

from __future__ import annotations

import math
from typing import Final

from slidecloud.store.atmosphere_specs import CORRECTION, FILTERED
from slidecloud.store.decomposition_specs import DECOMPOSITION
from slidecloud.store.forecast_specs import FORECASTS
from slidecloud.store.gradient_specs import GRADIENT_FLAGS, GRADIENTS, bin_sums
from slidecloud.store.inventory_specs import DENSITY
from slidecloud.store.optical_change_specs import DENSITY as OUTLINES_DENSITY
from slidecloud.store.optical_specs import SCENE
from slidecloud.store.patch_specs import OF_PATCHES, UNWRAPPED
from slidecloud.store.risk_specs import RISK_ARRAYS
from slidecloud.store.specs import (
    EPOCH,
    PAIR_BATCH,
    RADAR_POSITION,
    SCHEMA_VERSION,
    SERIES_CHUNK,
    SPATIAL_CHUNK,
    STATIC,
    ArraySpec,
)
from slidecloud.store.specs import map_spec as _map
from slidecloud.store.specs import time_spec as _time
from slidecloud.store.trajectory_specs import TRAJECTORY
from slidecloud.store.unit_specs import FLOW, UNITS
from slidecloud.store.visibility_specs import VISIBILITY

__all__ = [
    "DECOMPOSITION",
    "DENSITY",
    "EPOCH",
    "GRADIENTS",
    "GRADIENT_FLAGS",
    "GROUPS",
    "PAIR_BATCH",
    "SCHEMA_VERSION",
    "SERIES_CHUNK",
    "SLC",
    "SPATIAL_CHUNK",
    "STACK",
    "STATIC",
    "TIMESERIES",
    "UNWRAPPED",
    "VISIBILITY",
    "ArraySpec",
    "bin_sums",
    "table",
]

STACK: Final[tuple[ArraySpec, ...]] = (
    ArraySpec(
        "phase",
        ("pair", "y", "x"),
        "int16",
        "rad",
        "wrapped phase as a binary angle, positive away from the satellite",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        0,
        {"scale_factor": math.pi / 32768},
    ),
    ArraySpec(
        "coherence",
        ("pair", "y", "x"),
        "uint8",
        "1",
        "interferometric coherence; 0 is no data, the only mask of the pair",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        0,
        {"scale_factor": 1 / 255, "_FillValue": 0},
    ),
    ArraySpec(
        "unwrapped",
        ("pair", "y", "x"),
        "float32",
        "rad",
        "unwrapped phase as the source brings it, positive away from the satellite",
        (PAIR_BATCH, *SPATIAL_CHUNK),
        math.nan,
        optional=True,
    ),
    _time("reference_time", "pair", "acquisition time of the earlier image (UTC)"),
    _time("secondary_time", "pair", "acquisition time of the later image (UTC)"),
    ArraySpec("perpendicular_baseline", ("pair",), "float32", "m", "perpendicular baseline", (None,), math.nan),
    *STATIC,
)

SLC: Final[tuple[ArraySpec, ...]] = (
    ArraySpec(
        "slc",
        ("time", "y", "x"),
        "complex64",
        "1",
        "coregistered single-look images; 0 is no data",
        (1, *SPATIAL_CHUNK),
        0,
        optional=True,
    ),
    ArraySpec(
        "slc_parts",
        ("time", "y", "x", "part"),
        "int16",
        "1",
        "the same as real and imaginary part, times the root attribute sample_scale",
        (1, *SPATIAL_CHUNK, None),
        0,
        optional=True,
    ),
    ArraySpec(
        "flattening_phase",
        ("time", "y", "x"),
        "int16",
        "rad",
        "phase that geometry has put into the samples, a binary angle; absent where it was removed",
        (1, *SPATIAL_CHUNK),
        0,
        {"scale_factor": math.pi / 32768},
        optional=True,
    ),
    _time("time", "time", "acquisition time (UTC)"),
    ArraySpec(
        "perpendicular_baseline",
        ("time",),
        "float32",
        "m",
        "perpendicular baseline from the orbit all images are measured from",
        (None,),
        math.nan,
    ),
    *STATIC,
)

TIMESERIES: Final[tuple[ArraySpec, ...]] = (
    _time("time", "time", "acquisition time (UTC)"),
    ArraySpec(
        "displacement",
        ("time", "y", "x"),
        "float32",
        "m",
        "line-of-sight displacement since the first date, relative to the reference, positive towards the satellite",
        SERIES_CHUNK,
        math.nan,
    ),
    ArraySpec(
        "displacement_sigma",
        ("time", "y", "x"),
        "float32",
        "m",
        "standard error of displacement, relative to the first date of its subset",
        SERIES_CHUNK,
        math.nan,
    ),
    ArraySpec(
        "subset",
        ("time", "y", "x"),
        "uint8",
        "1",
        "connected subset of the network the date belongs to at the pixel; 0 is no data",
        SERIES_CHUNK,
        0,
    ),
    _map("velocity", "m year-1", "line-of-sight velocity, positive towards the satellite"),
    _map("velocity_sigma", "m year-1", "standard error of velocity"),
    _map("temporal_coherence", "1", "temporal coherence of the pairs with the inverted series"),
    _map("residual_rms", "rad", "root mean square of the pairs' residual phase"),
    _map("redundancy", "1", "pairs minus rank", dtype="int16"),
    _map("time_coverage", "1", "share of the observed time span whose motion the pairs determine"),
    _map("stable", "1", "1 where the pixel belongs to the stable area that levels the pairs", dtype="uint8"),
    _time("pair_reference_time", "pair", "acquisition time of the earlier image of the pair (UTC)"),
    _time("pair_secondary_time", "pair", "acquisition time of the later image of the pair (UTC)"),
    ArraySpec(
        "pair_offset",
        ("pair",),
        "float32",
        "rad",
        "median phase of the stable area, subtracted from the pair",
        (None,),
        math.nan,
    ),
    ArraySpec(
        "reference_displacement",
        ("time",),
        "float32",
        "m",
        "series of the reference against the stable area, subtracted from displacement",
        (None,),
        math.nan,
    ),
    ArraySpec(
        "reference_closure_rms",
        (),
        "float32",
        "rad",
        "residual of the reference's series: what a shift per date cannot carry",
        (),
        math.nan,
    ),
    *OF_PATCHES,
    *CORRECTION,
    *FILTERED,
    *TRAJECTORY,
    *RADAR_POSITION,
)

GROUPS: Final = {
    "stack": STACK,
    "slc": SLC,
    "gradients": GRADIENTS,
    "timeseries": TIMESERIES,
    "unwrapped": UNWRAPPED,
    "density": DENSITY,
    "visibility": VISIBILITY,
    "decomposition": DECOMPOSITION,
    "hazard/flow": FLOW,
    "hazard/units": UNITS,
    "hazard/risk": RISK_ARRAYS,
    "forecast": FORECASTS,
    "optical/scene": SCENE,
    "optical/change": OUTLINES_DENSITY,
}


def table(group: str) -> str:
    """The arrays of a group as a Markdown table, as the README shows it."""
    rows = ["| array | dims | dtype | units | meaning |", "|---|---|---|---|---|"]
    for spec in GROUPS[group]:
        name = f"`{spec.name}`" + (" (optional)" if spec.optional else "")
        rows.append(f"| {name} | {', '.join(spec.dims)} | {spec.dtype} | {spec.units} | {spec.long_name} |")
    return "\n".join(rows)
