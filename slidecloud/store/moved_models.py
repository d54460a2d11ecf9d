"""Models of motion of series that are moved to another reference: the model of the shift is taken off them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.kernels.trajectory import calendar_years, fit
from slidecloud.types import Float32, Float64

_DAYS: Final = 365.25
MODELS: Final = ("trend", "acceleration", "step_size", "seasonal_amplitude", "seasonal_day")
"""Maps that are relative to the reference; their sigmas stay."""
_LINEAR: Final = {"trend": "rate", "acceleration": "acceleration"}
"""Terms of a fit by the map that holds them."""


def without(
    maps: Mapping[str, Any],
    displacement: Float32 | Float64,
    time: NDArray[np.datetime64],
    *,
    steps: NDArray[np.datetime64] | None = None,
) -> dict[str, Any]:
    """Those of `MODELS` that there are, less the model of a shift of the displacement.

    Models are linear in the displacement but for the weights of dates: a shift's is fitted with all dates alike.

    Parameters
    ----------
    maps
        Arrays by name, (y, x), steps (step, y, x); of NumPy, or lazy ones.
    displacement
        (time,) m that is taken off the series; NaN = not known.
    time, steps
        Of the dates, and from which dates lie after each step.
    """
    found = {name: maps[name] for name in MODELS if name in maps}
    if not found:
        return {}
    years, days = calendar_years(time), calendar_years([] if steps is None else steps)
    fitted = np.flatnonzero((days > years[0]) & (days <= years[-1])) if "step_size" in found else np.zeros(0, np.intp)
    seasonal = "seasonal_amplitude" in found
    taken = fit(
        np.asarray(displacement)[:, None], np.ones(len(years)), years, seasonal=seasonal,
        breaks=days[fitted].tolist(), acceleration="acceleration" in found,
    )  # fmt: skip
    moved = {name: found[name] - taken.of(term)[0] for name, term in _LINEAR.items() if name in found}
    if "step_size" in found:
        size = np.zeros((len(days), 1, 1), np.float32)
        size[fitted, 0, 0] = [taken.of(f"step_{number}")[0] for number in range(1, len(fitted) + 1)]
        moved["step_size"] = found["step_size"] - size
    if seasonal:
        turn = found["seasonal_day"] * np.float32(2 * np.pi / _DAYS)
        sine = found["seasonal_amplitude"] * np.sin(turn) - taken.of("sine")[0]
        cosine = found["seasonal_amplitude"] * np.cos(turn) - taken.of("cosine")[0]
        moved["seasonal_amplitude"] = np.hypot(sine, cosine)
        moved["seasonal_day"] = np.mod(np.arctan2(sine, cosine) * np.float32(_DAYS / (2 * np.pi)), np.float32(_DAYS))
    return moved
