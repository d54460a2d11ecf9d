"""What gradient stacking over a whole nation would take, from the rates of one machine, before any data is at hand."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from slidecloud.config import GradientsConfig, NetworkConfig
from slidecloud.config_resources import ResourcesConfig
from slidecloud.pipeline import gradients
from slidecloud.pipeline.costs import cost, speeds
from slidecloud.pipeline.ingest import STACK_CHUNKS
from slidecloud.pipeline.inputs import select_offered
from slidecloud.pipeline.progress import megabytes
from slidecloud.pipeline.rates import GRADIENTS, Rates
from slidecloud.pipeline.scale import Cost
from slidecloud.pipeline.typical import typical_header, typical_pairs
from slidecloud.store.location import locate

_SAMPLE_BYTES = 3
_PUBLISHED_LINE = (
    "Published: 130,977 burst interferograms over about 180,000 km2 of south-western China, stacked in less than "
    "3 days on a desktop computer (Fu et al., 2022, Frontiers in Environmental Science 10:963322)."
)


@dataclass(frozen=True, slots=True)
class Nation:
    """Gradient stacking of many bursts like one.

    Attributes
    ----------
    interferograms, shape
        Burst interferograms, and rows and columns of each.
    bursts
        How many bursts they are of.
    stack_bytes
        Uncompressed bytes of phase and coherence of all of them.
    bytes_read, bytes_written
        By all units: tiles with what their windows reach over, sums of season bins, maps.
    peak_memory
        Of the largest unit, bytes.
    reading, computing, writing
        Hours of one core; computing includes the maps and what every unit takes besides.
    gpu_hours
        Stacking on one GPU, copies from and to the host included; None where no GPU was measured.
    costs
        Of all units, for `slidecloud.pipeline.scale.forecast`.
    rates
        The rates used.
    """

    interferograms: int
    shape: tuple[int, int]
    bursts: float
    stack_bytes: int
    bytes_read: float
    bytes_written: float
    peak_memory: int
    reading: float
    computing: float
    writing: float
    gpu_hours: float | None
    costs: tuple[Cost, ...]
    rates: Rates

    @property
    def core_hours(self) -> float:
        """Reading, computing and writing."""
        return self.reading + self.computing + self.writing

    def lines(self) -> list[str]:
        """The estimate in words."""
        rows, columns = self.shape
        gpu = self.rates.on_gpu(GRADIENTS)
        if gpu is None or self.gpu_hours is None:
            gpu_line = "no GPU rate measured"
        else:
            gpu_line = f"{self.gpu_hours:.3g} for computing on one {gpu.device}, copies from and to the host included"
        measured = f"measured {self.rates.date} on {self.rates.machine}" if self.rates.measured else "built in"
        return [
            f"{self.interferograms:,} burst interferograms of {rows} x {columns} pixels, {self.bursts:,.1f} bursts",
            f"stack        {megabytes(self.stack_bytes)} of phase (int16) and coherence (uint8), uncompressed",
            f"read, write  {megabytes(self.bytes_read)}, {megabytes(self.bytes_written)}; "
            f"{self.peak_memory / 2**30:.1f} GiB of memory a worker",
            f"core hours   {self.core_hours:.3g}: reading {self.reading:.3g}, computing {self.computing:.3g}, "
            f"writing {self.writing:.3g}",
            f"GPU hours    {gpu_line}",
            f"Extrapolated from one burst and from rates {measured}, all workers busy; nothing of this size was run.",
            _PUBLISHED_LINE,
        ]  # fmt: skip


def nation(
    interferograms: int,
    rates: Rates,
    *,
    shape: tuple[int, int] = (768, 2816),
    pairs_per_burst: int = 270,
    images_per_burst: int = 121,
) -> Nation:
    """Estimate gradient stacking of a hypothetical set of bursts: one typical burst is planned, the rest are like it.

    Parameters
    ----------
    interferograms
        Burst interferograms in all.
    rates
        Rates of one core, of the store, and of a GPU where there is one.
    shape
        Rows and columns of a burst, in pixels of 40 m.
    pairs_per_burst, images_per_burst
        Interferograms and acquisitions of a burst, every 12 days, which make its season bins. By default the means of
        Fu et al. (2022): 348 of 145 images ascending, 191 of 97 descending.

    Raises
    ------
    ValueError
        If there is nothing to stack, or so many images do not make so many pairs of up to 36 days.
    """
    if interferograms < 1 or min(shape) < 1:
        raise ValueError(
            f"{interferograms} interferograms of {shape[0]} x {shape[1]} pixels: expected at least 1 of each."
        )
    pairs = typical_pairs(images=images_per_burst, pairs=pairs_per_burst)
    selection = select_offered(typical_header(shape), pairs, STACK_CHUNKS)
    units = gradients.plan(
        locate("nation.zarr"),
        selection,
        GradientsConfig(),
        NetworkConfig(),
        memory=ResourcesConfig().memory_bytes,
        tile=None,
    )
    bursts, speed = interferograms / pairs_per_burst, speeds(rates)
    costs = [cost(unit, rates, speed) for unit in units]
    read, written = bursts * sum(u.bytes_read for u in units), bursts * sum(u.bytes_written for u in units)
    pair_pixels = interferograms * shape[0] * shape[1]
    gpu = rates.on_gpu(GRADIENTS)
    return Nation(
        interferograms, shape, bursts, _SAMPLE_BYTES * pair_pixels, read, written,
        max(u.peak_memory for u in units),
        reading=read / rates.read / 3.6e9,
        computing=bursts * sum(one.seconds for one in costs) / 3600,
        writing=written / rates.write / 3.6e9,
        gpu_hours=None if gpu is None else pair_pixels / gpu.rate / 3600,
        costs=tuple(_numbered(one, burst) for burst in range(math.ceil(bursts)) for one in costs),
        rates=rates,
    )  # fmt: skip


def _numbered(one: Cost, burst: int) -> Cost:
    """The same unit of another burst."""
    stage, unit = one.name
    requires = tuple((stage, f"{burst}/{unit}") for stage, unit in one.requires)
    return dataclasses.replace(one, name=(stage, f"{burst}/{unit}"), requires=requires)
