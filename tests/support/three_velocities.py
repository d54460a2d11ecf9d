"""One stack, three velocities: what each gives back of a slide whose rate is known.

``measure TABLE.csv SEED 50,150,400 60`` simulates, ``report TABLE.csv FIGURE.png SEED`` shows.
"""

from __future__ import annotations

import csv
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from slidecloud import simulate
from slidecloud.kernels import gradients, levels, sbas
from slidecloud.kernels.injection import inject, recovered, standard_slide
from slidecloud.kernels.integration import gradient_rates, integrate
from slidecloud.kernels.pair_choice import choose_pairs
from slidecloud.kernels.unwrapping import unwrap
from slidecloud.kernels.weights import weight_table
from slidecloud.plots.velocities import Cell, plot_velocities, velocity_table
from slidecloud.simulate import Atmosphere, Coherence, Scene, Slide
from slidecloud.types import Pair

SHAPE = (84, 56)
LENGTH, WIDTH = 24.0, 18.0
PLACE, OTHER_PLACE = (23.5, 27.5), (59.5, 27.5)
COHERENCES = (0.1, 0.2, 0.3, 0.5, 0.7)
RATES = (5, 20, 60, 200)
PAIRS = (50, 150, 400)
INJECTED = 150
DATES = 135
LOOKS = 16
AIR = Atmosphere(turbulence=0.0025)
ESTIMATORS = ("sbas", "sbas_smooth", "sbas_chosen", "stacking", "integrated")
FIELDS = (
    *("seed", "coherence", "measured", "rate", "pairs", "estimator", "bias", "rmse", "fraction", "recovered", "still"),
    *("sigma", "covered", "false_offset", "used"),
)
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
        coherence=coherence_model(mean), atmosphere=AIR,
    )  # fmt: skip
    moving = slide(rate, PLACE)
    one = Slide(*PLACE, length=960, width=720, rate=rate)
    return dataclasses.replace(made, slides=(one,), labels=(moving != 0).astype(np.int16), los_rate=moving)


def observe(made: Scene, pairs: int | Sequence[Pair]) -> Stack:
    """Some pairs of it, or its first pairs of up to 36 days."""
    chosen = simulate.default_pairs(made)[:pairs] if isinstance(pairs, int) else pairs
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


def velocities(stack: Stack, phase: NDArray[np.float32], *, draws: int = 4) -> dict[str, Any]:
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
    rates = gradient_rates(seen, wavelength=stack.wavelength)
    put_together = integrate(*rates, stable=stable_ground(), draws=draws)
    found = {
        "sbas": inverted.velocity * metres,
        "sbas_chosen": chosen.velocity * metres,
        "stacking": levels.mean_rate(sums) * metres,
    }
    found["sbas_smooth"] = smoothed(found["sbas"].reshape(SHAPE), inverted.velocity_sigma.reshape(SHAPE))
    maps = {name: referenced(values.reshape(SHAPE)) for name, values in found.items()}
    return maps | {
        "integrated": referenced(put_together.velocity),
        "sbas_sigma": (inverted.velocity_sigma * -metres).reshape(SHAPE),
        "integrated_sigma": put_together.sigma,
        "false_offset": put_together.false_offset,
        "used": float(use.mean()),
    }


def smoothed(velocity: NDArray[Any], sigma: NDArray[Any]) -> NDArray[Any]:
    """Mean over 5 x 5 pixels, weighted by 1 / sigma²: the shortest waves that integrated gradients hold as well."""
    weight = np.where(np.isfinite(velocity) & np.isfinite(sigma), sigma.astype(np.float64) ** -2, 0.0)
    total, share = (ndimage.uniform_filter(each, 5) for each in (np.where(weight > 0, velocity, 0) * weight, weight))
    return np.divide(total, share, out=np.full(SHAPE, np.nan), where=(share > 0) & (weight > 0))


def referenced(velocity: NDArray[Any]) -> NDArray[np.float32]:
    """Less its median on stable ground."""
    return (velocity - np.nanmedian(velocity[stable_ground()])).astype(np.float32)


def judge(found: dict[str, Any], gained: dict[str, Any], rate: float) -> dict[str, dict[str, float]]:
    """Each estimator against the truth where the slide moves at a fifth of its rate or more, m/yr."""
    truth, other, still = slide(rate, PLACE), slide(rate, OTHER_PLACE), stable_ground()
    inside = np.abs(truth) >= 0.2 * rate
    known = inside & np.logical_and.reduce([np.isfinite(found[name]) for name in ESTIMATORS])
    result = {}
    for name in ESTIMATORS:
        error = (found[name] - truth)[known].astype(np.float64)
        back = recovered(gained[name], found[name], other) if gained else None
        result[name] = {
            "bias": float(-error.mean()),
            "rmse": float(np.sqrt((error**2).mean())),
            "fraction": float((found[name] * truth)[known].sum() / (truth[known] ** 2).sum()),
            "recovered": back.fraction if back else float("nan"),
            "still": float(np.nanstd(found[name][still])),
        }
    for name in ("sbas", "integrated"):
        sigma = found[f"{name}_sigma"][known]
        result[name]["sigma"] = float(np.sqrt(np.nanmean(sigma**2)))
        result[name]["covered"] = float(np.mean(np.abs(found[name] - truth)[known] <= sigma))
    result["integrated"]["false_offset"] = found["false_offset"]
    result["sbas_chosen"]["used"] = found["used"]
    return result


def cells(seed: int, mean: float, rate: float, pairs: tuple[int, ...] = PAIRS) -> list[dict[str, Any]]:
    """Results of a stack and of its first pairs; in up to `INJECTED` a second slide of the same rate, in mm/yr, is
    injected elsewhere."""
    made = scene(seed, mean, rate / 1000)
    stack = observe(made, max(pairs))
    few = stack.first(min(INJECTED, max(pairs)))
    added = inject(few.phase, slide(rate / 1000, OTHER_PLACE), few.span, wavelength=few.wavelength)
    more = few._replace(phase=added)
    plain, filled = unwrapped(stack), unwrapped(more) if min(pairs) <= INJECTED else stack.phase
    rows = []
    for count in pairs:
        found = velocities(stack.first(count), plain[:count])
        gained = velocities(more.first(count), filled[:count], draws=0) if count <= INJECTED else {}
        judged = judge(found, gained, rate / 1000)
        measured = float(stack.coherence[:count, stable_ground()].mean() / 255)
        common = {"seed": seed, "coherence": mean, "measured": measured, "rate": rate, "pairs": count}
        rows += [common | {"estimator": name} | values for name, values in judged.items()]
    return rows


def measure(target: str, seed: str, pairs: str, *rates: str) -> None:
    """Add cell after cell to a table of comma-separated values."""
    for rate in rates:
        for mean in COHERENCES:
            rows = cells(int(seed), mean, float(rate), tuple(int(count) for count in pairs.split(",")))
            fresh = not Path(target).exists()
            with Path(target).open("a", newline="") as file:
                writer = csv.DictWriter(file, FIELDS, restval="", lineterminator="\n")
                if fresh:
                    writer.writeheader()
                writer.writerows({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)


def recorded(source: Path) -> list[dict[str, Any]]:
    """What `measure` wrote; NaN for what a row has not."""
    with source.open(newline="") as file:
        return [
            {name: value if name == "estimator" else float(value or "nan") for name, value in row.items()}
            for row in csv.DictReader(file)
        ]


def report(source: str, picture: str, seed: str) -> None:
    """Print the table and draw the figure of what was measured with a seed."""
    cells = [
        Cell(
            row["estimator"],
            row["coherence"],
            row["rate"],
            int(row["pairs"]),
            *(row[name] for name in ("bias", "rmse", "fraction", "recovered")),
        )
        for row in recorded(Path(source))
        if row["seed"] == float(seed)
    ]
    print(velocity_table(cells))  # noqa: T201
    plot_velocities(cells, picture)


if __name__ == "__main__":
    {"measure": measure, "report": report}[sys.argv[1]](*sys.argv[2:])
