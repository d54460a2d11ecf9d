"""The one source of what a store holds: arrays, dimensions, types, units, meaning.

Templates are created from it, stores are validated against it, and the README's table is written from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

SCHEMA_VERSION: Final = "1.0"
"""Major.minor version of the stores; a store of another major version is refused."""

PAIR_BATCH: Final = 32
"""Pairs in a chunk of a burst stack, and in a unit of ingest."""

SPATIAL_CHUNK: Final = (256, 512)
"""Rows and columns in a chunk of a burst stack and of every map."""

SERIES_CHUNK: Final = (64, 128, 128)
"""Dates, rows and columns in a chunk of a displacement series."""

EPOCH: Final = "seconds since 1970-01-01T00:00:00"


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of a store.

    Attributes
    ----------
    name, dims, dtype, units, long_name
        As stored.
    chunks
        Chunk length per dimension; None takes the whole dimension.
    fill
        Zarr fill value.
    attributes
        Further CF attributes: scale_factor, _FillValue, flag meanings.
    optional
        True where a store may lack it.
    """

    name: str
    dims: tuple[str, ...]
    dtype: str
    units: str
    long_name: str
    chunks: tuple[int | None, ...] = ()
    fill: Any = 0
    attributes: dict[str, Any] = field(default_factory=dict)
    optional: bool = False


def _map(
    name: str, units: str, long_name: str, *, dims: tuple[str, ...] = (), dtype: str = "float32", **extra: Any
) -> ArraySpec:
    chunks = (*(1 for _ in dims), *SPATIAL_CHUNK)
    fill = math.nan if dtype == "float32" else 0
    return ArraySpec(name, (*dims, "y", "x"), dtype, units, long_name, chunks, fill, **extra)


def _time(name: str, dim: str, long_name: str) -> ArraySpec:
    attributes = {"calendar": "proleptic_gregorian"}
    return ArraySpec(name, (dim,), "int64", EPOCH, long_name, (None,), 0, attributes)


GRADIENT_FLAGS: Final = {
    "flag_masks": [1, 2, 4, 8],
    "flag_meanings": "aliased bounded_sigma uneven steep",
}

_RADAR_POSITION: Final = (
    _map("latitude", "degrees_north", "latitude (radar geometry)", optional=True),
    _map("longitude", "degrees_east", "longitude (radar geometry)", optional=True),
)

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
    _map("elevation", "m", "terrain elevation", optional=True),
    _map("incidence", "rad", "incidence angle from the vertical", optional=True),
    _map("los_east", "1", "east component of the unit vector ground to satellite", optional=True),
    _map("los_north", "1", "north component of the unit vector ground to satellite", optional=True),
    _map("los_up", "1", "up component of the unit vector ground to satellite", optional=True),
    *_RADAR_POSITION,
)

_PRODUCT_SUMS: Final = (
    ("x_real", "1", "real part of the summed products along x"),
    ("x_imag", "1", "imaginary part of the summed products along x"),
    ("y_real", "1", "real part of the summed products along y"),
    ("y_imag", "1", "imaginary part of the summed products along y"),
    ("x_variance", "1", "variance of the summed products across their angle along x, shared dates included"),
    ("y_variance", "1", "variance of the summed products across their angle along y, shared dates included"),
)

_RATE_PARTS: Final = (
    ("rate", "rad year-1", "phase between the blocks per year, if there is no DEM error,"),
    ("rate_information", "year2", "weight of the phase per year"),
    ("rate_variance", "rad2 year-2", "variance of the phase per year, shared dates included,"),
    ("mixing", "m year-1", "what is taken from the phase per year for a phase per metre of 1,"),
    ("dem", "rad m-1", "phase between the blocks per metre of perpendicular baseline"),
    ("dem_information", "m2", "weight of the phase per metre"),
    ("dem_variance", "rad2 m-2", "variance of the phase per metre, shared dates included,"),
)
_RATE_SUMS: Final = tuple(
    (f"{axis}_{name}", units, f"estimator rate: {meaning} along {axis}")
    for axis in "xy"
    for name, units, meaning in _RATE_PARTS
)

_SUMS: Final = (
    ("magnitude", "1", "sum of the products' magnitudes"),
    ("magnitude_squared", "1", "sum of the products' squared magnitudes"),
    ("span", "year", "sum of magnitude times time span"),
    ("coherence", "1", "sum of coherence over pairs"),
    ("distance_xx", "pixel", "distance along x of the weighted centres of the two blocks of the x axis"),
    ("distance_xy", "pixel", "distance along y of the weighted centres of the two blocks of the x axis"),
    ("distance_yx", "pixel", "distance along x of the weighted centres of the two blocks of the y axis"),
    ("distance_yy", "pixel", "distance along y of the weighted centres of the two blocks of the y axis"),
)


def _gradient_maps(prefix: str, dims: tuple[str, ...], what: str) -> Iterable[ArraySpec]:
    for axis in "xy":
        step = f"per pixel step along {axis}"
        yield _map(f"{prefix}gradient_{axis}", "rad", f"{what} phase gradient, mean per pair, {step}", dims=dims)
        yield _map(f"{prefix}gradient_{axis}_sigma", "rad", f"standard error of {prefix}gradient_{axis}", dims=dims)
        yield _map(
            f"{prefix}velocity_gradient_{axis}",
            "m year-1 m-1",
            f"{what} gradient of line-of-sight velocity along {axis}, positive towards the satellite",
            dims=dims,
        )
        yield _map(
            f"{prefix}velocity_gradient_{axis}_sigma",
            "m year-1 m-1",
            f"standard error of {prefix}velocity_gradient_{axis}",
            dims=dims,
        )
    yield _map(f"{prefix}pair_count", "1", f"{what} number of pairs", dims=dims, dtype="int32")
    yield _map(f"{prefix}effective_pairs", "1", f"{what} effective number of pairs (sum|p|)^2/sum|p|^2", dims=dims)
    yield _map(f"{prefix}mean_coherence", "1", f"{what} mean coherence over pairs with data", dims=dims)
    yield _map(f"{prefix}flags", "1", f"{what} quality flags", dims=dims, dtype="uint8", attributes=GRADIENT_FLAGS)


def _dem_error_maps(prefix: str, dims: tuple[str, ...], what: str) -> Iterable[ArraySpec]:
    for axis in "xy":
        name, unit = f"{prefix}dem_error_gradient_{axis}", "m m-1"
        meaning = f"{what} gradient of what the elevation model lacks in height, along {axis}"
        yield _map(name, unit, meaning, dims=dims, optional=True)
        yield _map(f"{name}_sigma", unit, f"standard error of {name}", dims=dims, optional=True)


GRADIENTS: Final[tuple[ArraySpec, ...]] = (
    ArraySpec("bin", ("bin",), "int32", "1", "season bin in time order", (None,), 0),
    _time("bin_start", "bin", "first instant of the season bin"),
    _time("bin_end", "bin", "end of the season bin"),
    ArraySpec(
        "bin_season", ("bin",), "int32", "1", "season of the bin, an index into the dimension season", (None,), 0
    ),
    ArraySpec("season", ("season",), "int32", "1", "month in which the season starts", (None,), 0),
    *(
        _map(f"sum_{name}", units, long_name, dims=("bin",), optional=True)
        for name, units, long_name in (*_PRODUCT_SUMS, *_RATE_SUMS)
    ),
    *(_map(f"sum_{name}", units, long_name, dims=("bin",)) for name, units, long_name in _SUMS),
    _map("sum_count", "1", "pairs that contributed to the bin", dims=("bin",), dtype="int32"),
    _map("sum_flags", "1", "flags of the bin", dims=("bin",), dtype="uint8", attributes=GRADIENT_FLAGS),
    *_gradient_maps("", (), "time-weighted over all bins:"),
    *(_map(f"gradient_{a}_weighted", "rad", f"plainly weighted phase gradient along {a}, mean per pair") for a in "xy"),
    *(
        _map(f"gradient_{a}_weighted_sigma", "rad", f"standard error of gradient_{a}_weighted per pixel step")
        for a in "xy"
    ),
    *_dem_error_maps("", (), "estimator rate, all bins:"),
    *_gradient_maps("season_", ("season",), "time-weighted over the bins of one season:"),
    *_dem_error_maps("season_", ("season",), "estimator rate, bins of one season:"),
    *_RADAR_POSITION,
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
    _map("recovered_fraction", "1", "share of the observed time span whose motion the pairs determine"),
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
    *_RADAR_POSITION,
)

GROUPS: Final = {"stack": STACK, "gradients": GRADIENTS, "timeseries": TIMESERIES}


def bin_sums(estimator: str) -> tuple[str, ...]:
    """What is stored of a season bin, without the prefix ``sum_``, in the order of the kernels' sums."""
    own = _RATE_SUMS if estimator == "rate" else _PRODUCT_SUMS
    return (*(name for name, _, _ in (*own, *_SUMS)), "count", "flags")


def table(group: str) -> str:
    """The arrays of a group as a Markdown table, as the README shows it."""
    rows = ["| array | dims | dtype | units | meaning |", "|---|---|---|---|---|"]
    for spec in GROUPS[group]:
        name = f"`{spec.name}`" + (" (optional)" if spec.optional else "")
        rows.append(f"| {name} | {', '.join(spec.dims)} | {spec.dtype} | {spec.units} | {spec.long_name} |")
    return "\n".join(rows)
