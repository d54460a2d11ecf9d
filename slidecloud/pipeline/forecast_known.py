"""What is known of a part: displacement at its passes, rain and level, as the store keeps them beside the forecasts."""

from __future__ import annotations

import hashlib
from typing import Any, Final, NamedTuple

import numpy as np
import zarr
from numpy.typing import NDArray

from slidecloud.config_forecast import ForecastConfig
from slidecloud.forecast.methods import LEVEL
from slidecloud.forecast.series import Displacement, Drivers
from slidecloud.pipeline.forecast_points import Part
from slidecloud.store import templates
from slidecloud.store.arrays import read, reader
from slidecloud.store.forecast_specs import forecast_group, forecasts
from slidecloud.store.location import Location
from slidecloud.types import Float64

_DRIVERS: Final = ("rain", "level")


class Known(NamedTuple):
    """Displacement, rain and level of the points of a part."""

    displacement: Displacement
    drivers: Drivers


def objects(part: Part, drivers: Drivers, days: NDArray[np.datetime64], config: ForecastConfig) -> dict[str, bytes]:
    """The group of a part: what is known of it, and room for the forecasts of some days.

    Parameters
    ----------
    part, drivers
        The points, and their rain and level.
    days
        datetime64[D], that are forecast.
    config
        Its thresholds, and what is told in the attributes.
    """
    given = part.displacement
    values: dict[str, NDArray[Any] | None] = {
        "time": _seconds(days),
        "pass_time": _seconds(given.dates),
        "observed": given.values.T,
        "observed_sigma": None if given.sigma is None else _each_pass(given).T,
        "driver_time": _seconds(drivers.days),
        "features": given.features,
        "longitude": given.x,
        "latitude": given.y,
    }
    names = [name for name in np.unique(part.table["landslide"].to_numpy(str)).tolist() if name]
    place = {name: number for number, name in enumerate(names)}
    values["landslide"] = np.array([place.get(name, -1) for name in part.table["landslide"]], np.int32)
    sizes = {
        "time": len(days), "point": given.points, "pass": len(given.dates), "driver_day": len(drivers.days),
        "threshold": len(config.thresholds), "feature": len(given.feature_names),
    }  # fmt: skip
    for name in _DRIVERS:
        series = getattr(drivers, name)
        if series is not None:
            values[name], values[f"{name}_of"] = _places(series, given.points)
            sizes[f"{name}_place"] = len(values[name])  # type: ignore[arg-type]
    coordinates = {name: array for name, array in values.items() if array is not None}
    specs = tuple(spec for spec in forecasts(given.points) if not spec.optional or spec.name in coordinates)
    return templates.group(
        specs, sizes, path=forecast_group(part.name), attributes=_attributes(part, names, config),
        coordinates=coordinates, grid=None,
    )  # fmt: skip


def known_of(location: Location, name: str, ids: NDArray[np.str_], points: slice = slice(None)) -> Known:
    """What the store knows of some points of a part; ``ids`` are theirs, and ``points`` where they are."""
    group = reader(location, forecast_group(name))

    def some(array: str) -> Any:
        found = group[array]
        assert isinstance(found, zarr.Array)
        dims = found.metadata.dimension_names or ()  # type: ignore[union-attr]
        return read(found, tuple(points if dim == "point" else slice(None) for dim in dims))

    sigma = some("observed_sigma").T if "observed_sigma" in group else None
    x, y = (some(axis) if axis in group else None for axis in ("longitude", "latitude"))
    displacement = Displacement(
        _days(some("pass_time")), np.ascontiguousarray(some("observed").T), sigma, ids, x, y, some("features"),
        tuple(group.attrs["features"]),  # type: ignore[arg-type]
    )  # fmt: skip
    rain, level = (_spread(some(n), some(f"{n}_of")) if n in group else None for n in _DRIVERS)
    return Known(displacement, Drivers(_days(some("driver_time")), rain, level))


def stored_days(location: Location, name: str) -> NDArray[np.datetime64]:
    """datetime64[D], the days that the store has room for."""
    return _days(read(reader(location, forecast_group(name))["time"], (slice(None),)))  # type: ignore[arg-type]


def fingerprint(known: Known) -> str:
    """Changes when anything in it does."""
    found = hashlib.sha256()
    displacement, drivers = known
    for array in (
        displacement.dates.astype(np.int64), displacement.values, displacement.sigma, displacement.features,
        drivers.days.astype(np.int64), drivers.rain, drivers.level,
    ):  # fmt: skip
        shape = None if array is None else (array.shape, str(array.dtype))
        found.update(repr(shape).encode())
        if array is not None:
            found.update(np.ascontiguousarray(array).tobytes())
    found.update("\n".join(displacement.ids.tolist()).encode())
    return found.hexdigest()[:32]


def _attributes(part: Part, landslides: list[str], config: ForecastConfig) -> dict[str, Any]:
    sources = {name: section.path.rpartition("/")[2] for name in _DRIVERS if (section := getattr(config, name))}
    return {
        "title": part.title,
        "method": config.method,
        "inputs": config.inputs,
        "seed": config.seed,
        "train_until": str(config.train_until),
        "horizon": config.horizon,
        "interval": LEVEL,
        "sources": sources,
        "thresholds": [one.label for one in config.thresholds],
        "landslides": landslides,
        "features": list(part.displacement.feature_names),
        "configuration": config.science(),
        "software": templates.SOFTWARE,
    }


def _each_pass(given: Displacement) -> Float64:
    """Standard errors (point, pass), also where a point has one for all."""
    assert given.sigma is not None
    sigma = given.sigma if given.sigma.ndim == 2 else given.sigma[:, None]
    return np.broadcast_to(sigma, given.values.shape)


def _places(series: Float64, points: int) -> tuple[Float64, NDArray[np.int32]]:
    """Different series (place, day), in order of the points that have them first, and which of them a point has."""
    keys: dict[bytes, int] = {}
    of = np.array([keys.setdefault(row.tobytes(), len(keys)) for row in series], np.int32)
    _, first = np.unique(of, return_index=True)
    return series[first], np.broadcast_to(of, (points,)) if len(series) == 1 else of


def _spread(series: Float64, of: NDArray[np.int32]) -> Float64:
    return series if len(series) == 1 else series[of]


def _seconds(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return days.astype("datetime64[s]").astype(np.int64)


def _days(seconds: NDArray[np.int64]) -> NDArray[np.datetime64]:
    return seconds.astype("datetime64[s]").astype("datetime64[D]")
