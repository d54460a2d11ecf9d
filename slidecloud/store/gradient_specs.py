"""What a store holds of the stage ``gradients``: sums of each season bin, and the maps made of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from slidecloud.store.specs import RADAR_POSITION, ArraySpec
from slidecloud.store.specs import map_spec as _map
from slidecloud.store.specs import time_spec as _time

GRADIENT_FLAGS: Final = {
    "flag_masks": [1, 2, 4, 8],
    "flag_meanings": "aliased bounded_sigma uneven steep",
}

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
    *RADAR_POSITION,
)


def bin_sums(estimator: str) -> tuple[str, ...]:
    """What is stored of a season bin, without the prefix ``sum_``, in the order of the kernels' sums."""
    own = _RATE_SUMS if estimator == "rate" else _PRODUCT_SUMS
    return (*(name for name, _, _ in (*own, *_SUMS)), "count", "flags")
