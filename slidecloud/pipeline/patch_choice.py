"""Which of the two velocities of a patch is nearer to the truth: a unit that comes after both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.choice import best_velocity
from slidecloud.pipeline.patches import Patch
from slidecloud.pipeline.tiles import BASE_MEMORY
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer, read, reader
from slidecloud.store.location import Location
from slidecloud.store.patch_specs import PREFERRED_INTEGRATED, PREFERRED_UNKNOWN, PREFERRED_UNWRAPPED
from slidecloud.types import Float32

_FASTEST: Final = 0.2
"""Share of the moving pixels, the fastest by the mean of both velocities, that stand for the patch."""
_CODES: Final = {None: PREFERRED_UNKNOWN, "sbas": PREFERRED_UNWRAPPED, "integrated": PREFERRED_INTEGRATED}
_NAMES: Final = {None: "unknown", "sbas": "unwrapped", "integrated": "integrated"}


@dataclass(frozen=True, slots=True)
class ChooseWork:
    """Compare the errors to be expected of both velocities where the patch moves fastest."""

    run: Location
    group: str
    patch: Patch

    def __call__(self, writer: Writer) -> dict[str, Any]:
        moving = self.patch.mask()
        if not moving.any():
            moving[:] = True
        velocities = [self._map(name)[moving] for name in ("velocity", "velocity_integrated")]
        sigmas = [self._map(f"{name}_sigma")[moving] for name in ("velocity", "velocity_integrated")]
        shares = [float(read(self._array(f"recovered_fraction{end}"), ())) for end in ("", "_integrated")]
        fastest = _fastest(velocities)
        told = [
            (_median(np.abs(velocity[fastest])), _median(sigma[fastest]), share)
            for velocity, sigma, share in zip(velocities, sigmas, shares, strict=True)
        ]
        chosen = best_velocity(told[0], told[1])
        writer.write(f"{self.group}/preferred", np.array(_CODES[chosen], np.uint8))
        return {"preferred": _NAMES[chosen]}

    def _map(self, name: str) -> Float32:
        values: Float32 = read(self._array(name), (slice(None), slice(None)))
        return values

    def _array(self, name: str) -> Any:
        return reader(self.run, self.group)[name]


def _fastest(velocities: Sequence[Float32]) -> NDArray[np.bool_]:
    """Pixels that move fastest by all velocities that know them; noise of one alone does not choose them."""
    known = np.isfinite(np.stack(velocities))
    speed = np.abs(np.where(known, velocities, 0.0)).sum(axis=0) / np.maximum(1, known.sum(axis=0))
    speed[~known.all(axis=0) if known.all(axis=0).any() else ~known.any(axis=0)] = np.nan
    if np.isnan(speed).all():
        return np.zeros(speed.shape, np.bool_)
    fastest: NDArray[np.bool_] = speed >= np.nanquantile(speed, 1 - _FASTEST)
    return fastest


def _median(values: Float32) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else math.nan


def choosing(run: Location, burst: str, group: str, patch: Patch, *, after: Sequence[Unit]) -> Unit:
    """The unit that chooses a velocity; ``after`` make the velocities and what they give back."""
    parts = ["preferred/1", [unit.key.digest for unit in after], patch.moving]
    return Unit(
        records.Key("timeseries", f"{burst}/{patch.name}/preferred", records.digest(parts)),
        ChooseWork(run, group, patch),
        requires=tuple(unit.name for unit in after),
        bytes_read=16 * patch.window.pixels,
        peak_memory=BASE_MEMORY + 40 * patch.window.pixels,
        kernel="levels",
        samples=patch.window.pixels,
    )
