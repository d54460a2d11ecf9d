"""One stack, three velocities: what each gives back of a slide whose rate is known."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud import simulate
from slidecloud.kernels import gradients, levels, sbas
from slidecloud.kernels.injection import inject, recovered, standard_slide
from slidecloud.kernels.integration import integrate
from slidecloud.kernels.pair_choice import choose_pairs
from slidecloud.kernels.unwrapping import unwrap
from slidecloud.kernels.weights import weight_table
from slidecloud.simulate import Coherence, Scene, Slide

SHAPE = (84, 56)
LENGTH, WIDTH = 24.0, 18.0
PLACE, OTHER_PLACE = (23.5, 27.5), (59.5, 27.5)
COHERENCES = (0.1, 0.2, 0.3, 0.5, 0.7)
RATES = (5, 20, 60, 200)
PAIRS = (50, 150, 400)
DATES = 135
LOOKS = 16
ESTIMATORS = ("sbas", "sbas_chosen", "stacking", "integrated")
FORGETS = 24.0
LEAVES = 0.4


class Stack(NamedTuple):
    """A simulated stack: int16 and uint8 (pair, y, x), date indices and years (pair,), dates in years."""

    phase: NDArray[np.int16]
    coherence: NDArray[np.uint8]
    reference: NDArray[np.int64]
    secondary: NDArray[np.int64]
    span: NDArray[np.float64]
    time: NDArray[np.float64]
    wavelength: float

    def first(self, pairs: int) -> Stack:
        """The first pairs alone, which are those of the first dates."""
        parts = (each[:pairs] for each in self[:5])
        return Stack(*parts, self.time, self.wavelength)


def slide(rate: float, place: tuple[float, float]) -> NDArray[np.float32]:
    """Rate map, m/yr; the ground moves away from the satellite."""
    return standard_slide(SHAPE, place, length=LENGTH, width=WIDTH, rate=-rate)


def stable_ground() -> NDArray[np.bool_]:
    """What neither slide touches, nor the pixels next to them."""
    moving = (slide(1.0, PLACE) != 0) | (slide(1.0, OTHER_PLACE) != 0)
    return ~ndimage.binary_dilation(moving, iterations=3)


def coherence_model(mean: float) -> Coherence:
    """Ground of a mean coherence over pairs of 12, 24 and 36 days: it decays within weeks to a part that stays, and
    falls in summer."""
    lasting = mean + (1 - mean) * np.mean(np.exp(-np.array([12, 24, 36]) / FORGETS))
    season = 1 - LEAVES * 5 / 16
    return Coherence(
        mean, mean, FORGETS, FORGETS, quality=min(1.0, mean / lasting / season), leaf_loss=LEAVES, snow_loss=0.0,
        vegetation=0.999,
    )  # fmt: skip


def scene(seed: int, mean: float, rate: float, *, dates: int = DATES) -> Scene:
    """Hilly ground with atmosphere, errors of the elevation model, speckle, and one slide of a known rate."""
    made = simulate.scene(
        seed, shape=SHAPE, dates=dates, slides=[], mean_slope=np.radians(10), lowest=500.0, water=0.0,
        coherence=coherence_model(mean),
    )  # fmt: skip
    moving = slide(rate, PLACE)
    one = Slide(*PLACE, length=960, width=720, rate=rate)
    return dataclasses.replace(made, slides=(one,), labels=(moving != 0).astype(np.int16), los_rate=moving)


def observe(made: Scene, pairs: int) -> Stack:
    """Its first pairs, of up to 36 days."""
    chosen = simulate.default_pairs(made)[:pairs]
    seen = simulate.interferograms(made, chosen, unwrapped=False)
    at = {date: index for index, date in enumerate(made.dates)}
    ends = np.array([[at[p.reference], at[p.secondary]] for p in seen.pairs])
    time = (made.dates - made.dates[0]) / np.timedelta64(1, "D") / 365.25
    span = time[ends[:, 1]] - time[ends[:, 0]]
    return Stack(seen.phase, seen.coherence, ends[:, 0], ends[:, 1], span, time, made.header.wavelength)


def unwrapped(stack: Stack) -> NDArray[np.float32]:
    """Each pair, less its median on stable ground, (pair, y, x) rad."""
    phase = np.stack([unwrap(p, c, looks=LOOKS).phase for p, c in zip(stack.phase, stack.coherence, strict=True)])
    level = levels.pair_median(phase.reshape(len(phase), -1), stable_ground().ravel())
    return (phase - level[:, None, None]).astype(np.float32)


def velocities(stack: Stack, phase: NDArray[np.float32]) -> dict[str, Any]:
    """Velocity of each estimator, (y, x) m/yr relative to the same stable ground, and the sigmas of two of them."""
    metres = -stack.wavelength / (4 * np.pi)
    flat, weight = phase.reshape(len(phase), -1), weight_table(looks=LOOKS)
    ends = stack.reference, stack.secondary
    inverted = sbas.invert(flat, stack.coherence.reshape(flat.shape), *ends, time=stack.time, weight_table=weight)
    use = choose_pairs(stack.coherence.mean((1, 2)) / 255, *ends).used
    chosen = sbas.invert(
        flat[use], stack.coherence[use].reshape(-1, flat.shape[1]), ends[0][use], ends[1][use], time=stack.time,
        weight_table=weight,
    )  # fmt: skip
    sums = levels.add_rates(
        None, flat, offset=np.zeros(len(flat)), interval=stack.span, weight=weight[stack.coherence].reshape(flat.shape)
    )
    seen = gradients.stack(stack.phase, stack.coherence, reference=ends[0], secondary=ends[1], span=stack.span)
    per_pixel = (getattr(seen, name) * (metres / seen.mean_span) for name in ("x", "y", "x_sigma", "y_sigma"))
    x, y, x_sigma, y_sigma = per_pixel
    put_together = integrate(x, y, abs(x_sigma), abs(y_sigma), stable=stable_ground())
    found = {
        "sbas": inverted.velocity * metres,
        "sbas_chosen": chosen.velocity * metres,
        "stacking": levels.mean_rate(sums) * metres,
    }
    maps = {name: referenced(values.reshape(SHAPE)) for name, values in found.items()}
    return maps | {
        "integrated": referenced(put_together.velocity),
        "sbas_sigma": (inverted.velocity_sigma * -metres).reshape(SHAPE),
        "integrated_sigma": put_together.sigma,
        "false_offset": put_together.false_offset,
        "used": float(use.mean()),
    }


def referenced(velocity: NDArray[Any]) -> NDArray[np.float32]:
    """Less its median on stable ground."""
    return (velocity - np.nanmedian(velocity[stable_ground()])).astype(np.float32)


def judge(found: dict[str, Any], gained: dict[str, Any], rate: float) -> dict[str, dict[str, float]]:
    """Each estimator against the truth where the slide moves at a fifth of its rate or more."""
    truth, other, still = slide(rate, PLACE), slide(rate, OTHER_PLACE), stable_ground()
    inside = np.abs(truth) >= 0.2 * rate
    known = inside & np.logical_and.reduce([np.isfinite(found[name]) for name in ESTIMATORS])
    result = {}
    for name in ESTIMATORS:
        error = (found[name] - truth)[known].astype(np.float64)
        slope = float((found[name] * truth)[known].sum() / (truth[known] ** 2).sum())
        back = recovered(gained[name], found[name], other)
        result[name] = {
            "bias": float(-error.mean()),
            "rmse": float(np.sqrt((error**2).mean())),
            "fraction": slope,
            "recovered": back.fraction,
            "spread": back.spread,
            "still": float(np.nanstd(found[name][still])),
        }
    for name in ("sbas", "integrated"):
        result[name]["sigma"] = float(np.sqrt(np.nanmean(found[f"{name}_sigma"][known] ** 2)))
        result[name]["covered"] = float(np.mean(np.abs(found[name] - truth)[known] <= found[f"{name}_sigma"][known]))
    result["integrated"]["false_offset"] = found["false_offset"]
    result["sbas_chosen"]["used"] = found["used"]
    return result


def cells(seed: int, mean: float, rate: float, pairs: tuple[int, ...] = PAIRS) -> list[dict[str, Any]]:
    """Results of a stack and of its first pairs, with a second slide of the same rate injected elsewhere."""
    made = scene(seed, mean, rate / 1000)
    stack = observe(made, max(pairs))
    more = stack._replace(
        phase=inject(stack.phase, slide(rate / 1000, OTHER_PLACE), stack.span, wavelength=stack.wavelength)
    )
    plain, filled = unwrapped(stack), unwrapped(more)
    rows = []
    for count in pairs:
        found = velocities(stack.first(count), plain[:count])
        gained = velocities(more.first(count), filled[:count])
        common = {"seed": seed, "coherence": mean, "rate": rate, "pairs": count}
        measured = float(stack.coherence[:count, stable_ground()].mean() / 255)
        rows += [
            common | {"measured": measured, "estimator": name} | values
            for name, values in judge(found, gained, rate / 1000).items()
        ]
    return rows


def main(target: str, *seeds: str) -> None:
    """Append cell after cell to a file of JSON lines."""
    for seed in seeds:
        for rate in (60, 20, 200, 5):
            for mean in COHERENCES:
                began = time.time()
                rows = cells(int(seed), mean, rate)
                with Path(target).open("a") as file:
                    file.writelines(json.dumps(row | {"seconds": time.time() - began}) + "\n" for row in rows)


if __name__ == "__main__":
    main(*sys.argv[1:])
