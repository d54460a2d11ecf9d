"""Which factors a store holds, and whether they are those of a configuration: what follows from them asks here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from slidecloud.config_hazard import HazardConfig
from slidecloud.config_yaml import ConfigError
from slidecloud.hazard.factors import grid_of, is_terrain
from slidecloud.store import records
from slidecloud.store.arrays import reader
from slidecloud.store.hazard_specs import FACTORS
from slidecloud.store.location import Location

STAGE: Final = "hazard_factors"
_MAKE: Final = "'slidecloud hazard factors'"


def made_from(config: HazardConfig) -> dict[str, Any]:
    """Digests of the grid and of the settings of each factor, with those of the elevation it is computed from.

    Of a path the last part counts: a project that has moved has the same factors.
    """
    told = {name: one.resolved(_last).model_dump(mode="json") for name, one in config.factors.items()}
    each = {
        name: [told[name], told[one.of]] if is_terrain(one) else [told[name]] for name, one in config.factors.items()
    }
    return {
        "grid": records.digest(config.grid.model_dump(mode="json")),
        "factors": {name: records.digest(parts) for name, parts in each.items()},
    }


def known(location: Location) -> dict[str, float]:
    """Share of the grid on which each factor that is made has a value, from the records of its tiles."""
    return {name: some / whole for name, (some, whole) in _cells(location).items()}


def check_made(location: Location, config: HazardConfig, names: Iterable[str]) -> None:
    """Refuse factors that a store does not hold whole, and as the configuration has them.

    Parameters
    ----------
    location
        The store.
    config
        Its grid and its factors are compared with those that were made.
    names
        The factors that are wanted.

    Raises
    ------
    ConfigError
        If there are none, if grid or settings have changed since, or if tiles are missing; names the factor.
    """
    if location.read(f"{FACTORS}/zarr.json") is None:
        raise ConfigError(f"{location} holds no factors yet; make them with {_MAKE}.")
    held: Any = reader(location, FACTORS).attrs.get("made_from", {})
    asked = made_from(config)
    if held.get("grid") != asked["grid"]:
        raise ConfigError(
            f"grid is not that of the factors in {location}; give theirs, or make them anew on this one with {_MAKE}."
        )
    grid, cells = grid_of(config.grid), _cells(location)
    for name in names:
        if name not in held["factors"]:
            raise ConfigError(f"factors.{name} is not made in {location}; make it with {_MAKE}.")
        if held["factors"][name] != asked["factors"][name]:
            raise ConfigError(
                f"factors.{name}, or the elevation it is computed from, has been changed since it was made in "
                f"{location}; make it anew with {_MAKE}."
            )
        done = cells.get(name, (0, 0))[1] / (grid.height * grid.width)
        if done < 1:
            raise ConfigError(
                f"factors.{name} is made on {done:.1%} of the grid in {location}; make the rest with {_MAKE}, with "
                "--retry-quarantined where its data was mended."
            )


def _last(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]


def _cells(location: Location) -> dict[str, tuple[int, int]]:
    """Cells of each factor that have a value, and cells of its tiles that are made."""
    found: dict[str, tuple[int, int]] = {}
    for key in records.done(location, stage=STAGE):
        record = records.read(location, key)
        facts = {} if record is None else record.facts
        for name, count in facts.get("known", {}).items():
            some, whole = found.get(name, (0, 0))
            found[name] = some + count, whole + facts["pixels"]
    return found
