"""The stage ``gradients``: sums of each season bin, tile by tile, then the maps of the whole burst from them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.config import GradientsConfig, NetworkConfig
from slidecloud.config_resources import Device
from slidecloud.kernels import gradients as kernel
from slidecloud.kernels.gradients_device import check_method
from slidecloud.network import SeasonBins, season_bins
from slidecloud.pipeline.device_runner import stream_gradients
from slidecloud.pipeline.gradient_maps import DEM_ERROR_MAPS, MapsWork, Method, View
from slidecloud.pipeline.inputs import DAYS_PER_YEAR, Selection
from slidecloud.pipeline.samples import PairSamples, samples_of
from slidecloud.pipeline.spacing import window_pixels
from slidecloud.pipeline.tiles import BASE_MEMORY, Tile, cut
from slidecloud.pipeline.units import Unit
from slidecloud.store import records
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location
from slidecloud.store.schema import bin_sums
from slidecloud.types import DataError, Float32, StackHeader

STAGE = "gradients"
_COST = {"rate": 2}
"""How many times as long as the default an estimator takes, at most."""
_MAP_BYTES = 430
"""Bytes a pixel of the maps of a burst; measured 437, with 4 bins and with 10."""


@dataclass(frozen=True, slots=True)
class BinWork:
    """Sums of one bin over one tile."""

    samples: PairSamples
    group: str
    bin: int
    reference: tuple[int, ...]
    secondary: tuple[int, ...]
    spans: tuple[float, ...]
    baselines: tuple[float, ...] | None
    shape: tuple[int, int]
    tile: Tile
    method: Method
    device: Device = "cpu"

    def __call__(self, writer: Writer) -> dict[str, Any]:
        (before_y, after_y), (before_x, after_x) = kernel.halo(self.method.window, estimator=self.method.estimator)
        outer = self.tile.padded((before_y, before_x), (after_y, after_x), self.shape)
        top, left = self.tile.top - outer.top, self.tile.left - outer.left
        height, width = self.tile.bottom - self.tile.top, self.tile.right - self.tile.left
        options: dict[str, Any] = {
            "reference": np.array(self.reference),
            "secondary": np.array(self.secondary),
            "span": np.array(self.spans),
            "window": self.method.window,
            "gap": self.method.gap,
            "estimator": self.method.estimator,
            "interior": (slice(top, top + height), slice(left, left + width)),
            "origin": (outer.top, outer.left),
        }
        if self.device == "gpu":
            shape = (outer.bottom - outer.top, outer.right - outer.left)
            sums: kernel.GradientSums | kernel.RateSums = stream_gradients(
                self.samples.reader(outer), shape, chunk=self.samples.batch, **options
            )
        else:
            baseline = None if self.baselines is None else np.array(self.baselines)
            sums = kernel.accumulate(*self.samples.read(outer), baseline=baseline, **options)
        for name in bin_sums(self.method.estimator):
            start = (self.bin, self.tile.top, self.tile.left)
            writer.write(f"{self.group}/sum_{name}", getattr(sums, name)[None], start)
        return {"pairs": len(self.reference), "pixels_with_data": int((sums.count > 0).sum())}


def group(burst: str) -> str:
    """Path of the stage's group."""
    return f"bursts/{burst}/{STAGE}"


def bins_of(selection: Selection, network: NetworkConfig) -> SeasonBins:
    """Season bins of the selected pairs."""
    times = np.array([[pair.reference, pair.secondary] for pair in selection.pairs], "datetime64[s]")
    return season_bins(times[:, 0], times[:, 1], seasons=network.seasons)


def template_values(bins: SeasonBins, network: NetworkConfig) -> tuple[dict[str, int], dict[str, NDArray[Any]]]:
    """Sizes of the stage's dimensions, and values of its coordinates."""
    sizes = {"bin": len(bins.label), "season": len(network.seasons)}
    values: dict[str, NDArray[Any]] = {
        "bin": np.arange(len(bins.label), dtype=np.int32),
        "bin_start": _seconds(bins.bin_start),
        "bin_end": _seconds(bins.bin_end),
        "bin_season": np.asarray(bins.season, np.int32),
        "season": np.array(network.seasons, np.int32),
    }
    return sizes, values


def plan(
    run: Location,
    selection: Selection,
    config: GradientsConfig,
    network: NetworkConfig,
    *,
    memory: int,
    tile: tuple[int, int] | None,
    after: tuple[tuple[str, str], ...] = (),
    device: Device = "cpu",
    view: View | None = None,
) -> list[Unit]:
    """Units of one burst: each bin and tile, then the maps. Bins wait for the units named in ``after``.

    Raises
    ------
    DataError
        If the estimator needs perpendicular baselines and some are not known.
    """
    _check_baselines(selection, config)
    header = selection.header
    method = Method(config.estimator, window_of(header, config), config.gap)
    kernel.check_window(method.window, method.gap)
    if device == "gpu":
        check_method(method.window, gap=method.gap, estimator=method.estimator)
    bins = bins_of(selection, network)
    members = [selection.subset(np.flatnonzero(bins.bin == number)) for number in range(len(bins.label))]
    needs = [samples_of(chosen) for chosen in members]
    tiles = cut(
        header.shape,
        selection.chunks[1:],
        read_per_pixel=max(samples.read_per_pixel for samples in needs),
        memory_per_pixel=max(samples.memory_per_pixel for samples in needs) + _work_bytes(method),
        memory=memory - max(len(chosen.pairs) for chosen in members) * _pair_bytes(method),
        tile=tile,
    )
    units: list[Unit] = []
    for number, label in enumerate(bins.label):
        units += _bin_units(members[number], number, label, tiles, method, after, device)
    units.append(_maps_unit(run, selection, bins, network, method, view, units))
    return units


def optional_arrays(config: GradientsConfig, view: View | None) -> list[str]:
    """Optional arrays of the stage's group: the estimator's sums, and DEM errors where the view is known."""
    arrays = [f"sum_{name}" for name in bin_sums(config.estimator)]
    if view is not None:
        arrays += [f"{prefix}{name}" for prefix in ("", "season_") for name in DEM_ERROR_MAPS]
    return arrays


def view_of(selection: Selection, config: GradientsConfig, incidence: Float32 | None) -> View | None:
    """What turns phase per baseline into metres; None where it is not known or the estimator does not tell them."""
    if config.estimator != "rate" or incidence is None or not math.isfinite(selection.header.slant_range):
        return None
    looks = None if selection.forming is None else selection.forming.looks
    return View(selection.location, looks, records.checksum(incidence.tobytes()))


def _check_baselines(selection: Selection, config: GradientsConfig) -> None:
    unknown = [pair.key for pair in selection.pairs if math.isnan(pair.perpendicular_baseline)]
    if config.estimator == "rate" and unknown:
        raise DataError(
            f"{selection.location} has no perpendicular baseline for {len(unknown)} of {len(selection.pairs)} pairs, "
            f"the first is {unknown[0]}, and gradients.estimator is rate, which needs them. Choose coherent, or ingest "
            "the stack with its baselines file."
        )


def _sum_bytes(method: Method) -> int:
    """Of a pixel in one bin; all but the flags are of four bytes."""
    return 4 * len(bin_sums(method.estimator)) - 3


def _work_bytes(method: Method) -> int:
    return 2 * _sum_bytes(method)


def _pair_bytes(method: Method) -> int:
    return kernel.pair_bytes(method.window, estimator=method.estimator)


def _bin_units(
    chosen: Selection,
    number: int,
    label: str,
    tiles: Sequence[Tile],
    method: Method,
    after: tuple[tuple[str, str], ...],
    device: Device,
) -> Iterator[Unit]:
    """Units of one bin; the tiles share what they say of its pairs, which is most of a large plan's memory."""
    header, pairs, samples = chosen.header, len(chosen.pairs), samples_of(chosen)
    known = tuple(float(pair.perpendicular_baseline) for pair in chosen.pairs)
    baselines = known if method.estimator == "rate" else None
    whole = Tile(0, header.shape[0], 0, header.shape[1])
    common = BinWork(
        samples,
        group(header.id),
        number,
        tuple(int(i) for i in chosen.reference),
        tuple(int(i) for i in chosen.secondary),
        tuple(float(s) for s in chosen.spans),
        baselines,
        header.shape,
        whole,
        method,
        device,
    )
    signature, place, method_digest = chosen.signature, chosen.place, _method_digest(method)
    (before_y, after_y), (before_x, after_x) = kernel.halo(method.window, estimator=method.estimator)
    for tile in tiles:
        parts = ["gradients.bin/3", number, label, method_digest, signature, str(tile), place]
        # A GPU rounds otherwise: what it made is its own.
        parts += [device] if device != "cpu" else []
        if baselines is not None:
            parts.append(baselines)
        read = tile.padded((before_y, before_x), (after_y, after_x), header.shape).pixels
        peak = BASE_MEMORY + read * (samples.memory_per_pixel + _work_bytes(method)) + pairs * _pair_bytes(method)
        yield Unit(
            records.Key(STAGE, f"{header.id}/{label}/{tile}", records.digest(parts)),
            dataclasses.replace(common, tile=tile),
            requires=after,
            bytes_read=samples.read_per_pixel * read,
            bytes_written=_sum_bytes(method) * tile.pixels,
            peak_memory=peak,
            kernel="gradients",
            samples=(_COST.get(method.estimator, 1) * pairs + samples.forming_per_pixel) * tile.pixels,
            device=device,
        )


def _maps_unit(
    run: Location,
    selection: Selection,
    bins: SeasonBins,
    network: NetworkConfig,
    method: Method,
    view: View | None,
    sums: list[Unit],
) -> Unit:
    header = selection.header
    durations = _durations(bins, selection)
    seasons = tuple(int(s) for s in bins.season)
    work = MapsWork(run, group(header.id), header, durations, seasons, len(network.seasons), method, view)
    inputs = [unit.key.digest for unit in sums]
    parts = ["gradients.maps/2", _method_digest(method), durations, seasons, selection.place, inputs]
    if view is not None:
        parts.append([header.slant_range, view.checksum])
    height, width = header.shape
    pixels, count = height * width, len(durations)
    return Unit(
        records.Key(STAGE, f"{header.id}/maps", records.digest(parts)),
        work,
        requires=tuple(unit.name for unit in sums),
        bytes_read=(3 if view is None else 4) * count * _sum_bytes(method) * pixels,
        bytes_written=((12 if view is None else 16) * 4 + 1) * (1 + len(network.seasons)) * pixels,
        peak_memory=BASE_MEMORY + pixels * _MAP_BYTES,
        kernel="maps",
        samples=count * pixels,
    )


def _durations(bins: SeasonBins, selection: Selection) -> tuple[float, ...]:
    """Years of each bin that lie between the first and the last image."""
    first, last = selection.dates[0], selection.dates[-1]
    starts = np.maximum(np.asarray(bins.bin_start, "datetime64[s]"), first)
    ends = np.minimum(np.asarray(bins.bin_end, "datetime64[s]"), last)
    return tuple(float(years) for years in (ends - starts) / np.timedelta64(1, "s") / (86400 * DAYS_PER_YEAR))


def gap_of(header: StackHeader, config: GradientsConfig) -> tuple[int, int]:
    """Rows and columns between the two blocks of the window."""
    size, block = kernel.check_window(window_of(header, config), config.gap)
    return size[0] - 2 * block[0], size[1] - 2 * block[1]


def window_of(header: StackHeader, config: GradientsConfig) -> tuple[int, int]:
    """Rows and columns of the window in pixels."""
    pixels = config.window_pixels
    if pixels is not None:
        return pixels if isinstance(pixels, tuple) else (pixels, pixels)
    return window_pixels(header, float(config.window or 0))


def _method_digest(method: Method) -> Mapping[str, Any]:
    return {"estimator": method.estimator, "window": method.window, "gap": method.gap}


def _seconds(times: NDArray[np.datetime64]) -> NDArray[np.int64]:
    return np.asarray(times, "datetime64[s]").astype(np.int64)
