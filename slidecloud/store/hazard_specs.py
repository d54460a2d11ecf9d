"""What a store holds of hazard's factors: one array each, on one grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slidecloud.config_factors import FactorConfig
from slidecloud.store.specs import ArraySpec, map_spec

HAZARD: Final = "hazard"
FACTORS: Final = f"{HAZARD}/factors"

_MEANING: Final = {
    "slope": ("rad", "slope of the ground above horizontal"),
    "aspect": ("rad", "direction of steepest descent, clockwise from the grid's north"),
    "profile_curvature": ("m-1", "curvature of the line of steepest descent, positive where the ground is convex"),
    "plan_curvature": ("m-1", "curvature of the contour line, positive where the ground is convex"),
    "tangential_curvature": ("m-1", "curvature across the slope, positive where the ground is convex"),
    "relief": ("m", "highest less lowest elevation in a window of {window:g} m"),
    "distance": ("m", "distance to the nearest of {path}"),
    "density": ("km-2", "points per square kilometre, each spread over {radius:g} m by a quartic kernel"),
    "los_rate": ("m year-1", "line-of-sight velocity, positive towards the satellite"),
    "los_displacement": ("m", "cumulative line-of-sight displacement, positive towards the satellite"),
}
_SIGMA: Final = ("los_rate", "los_displacement")


def factor_specs(
    factors: Mapping[str, FactorConfig], classes: Mapping[str, Mapping[int, str]]
) -> tuple[ArraySpec, ...]:
    """Arrays of all factors; of deformation also its standard error.

    Parameters
    ----------
    factors
        By name.
    classes
        Names of the categories by their number, of factors that have them.
    """
    specs: list[ArraySpec] = []
    for name, one in factors.items():
        if one.kind == "category":
            specs.append(_category(name, one, classes.get(name, {})))
            continue
        units, meaning = _MEANING.get(one.kind, (one.units, name.replace("_", " ")))
        told = meaning.format(window=one.window or 0, radius=one.radius or 0, path=(one.path or "").rpartition("/")[2])
        specs.append(map_spec(name, units, one.long_name or told, attributes={"kind": one.kind}))
        if one.kind in _SIGMA:
            specs.append(map_spec(f"{name}_sigma", units, f"standard error of {name}", attributes={"kind": "sigma"}))
    return tuple(specs)


def arrays_of(name: str, one: FactorConfig) -> Sequence[str]:
    """Names of the arrays of a factor."""
    return (name, f"{name}_sigma") if one.kind in _SIGMA else (name,)


def _category(name: str, one: FactorConfig, classes: Mapping[int, str]) -> ArraySpec:
    flags: dict[str, Any] = {"kind": one.kind, "_FillValue": -1}
    if classes:
        flags["flag_values"] = sorted(classes)
        flags["flag_meanings"] = " ".join("_".join(classes[number].split()) or "_" for number in sorted(classes))
    spec = map_spec(name, "1", one.long_name or name.replace("_", " "), dtype="int16", attributes=flags)
    return ArraySpec(spec.name, spec.dims, spec.dtype, spec.units, spec.long_name, spec.chunks, -1, flags)
