"""What a run forms of an SLC stack: which pairs, on which grid, and the maps that go with it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from slidecloud.config import InterferogramsConfig
from slidecloud.kernels.interferograms import grid
from slidecloud.network import pairs as network_pairs
from slidecloud.pipeline.inputs import Forming, Selection, selection_of
from slidecloud.stack.slc import SlcSource, sample_bytes
from slidecloud.store import records
from slidecloud.store.location import Location
from slidecloud.store.schema import PAIR_BATCH, SPATIAL_CHUNK
from slidecloud.store.slc import SlcStack
from slidecloud.types import DataError, Float32, SourceImage, StackHeader


def select_formed(
    stack: SlcStack, config: InterferogramsConfig, *, max_days: float | None, max_baseline: float | None
) -> Selection:
    """The pairs that limits allow between the images of a stack; sorted by (reference, secondary).

    Raises
    ------
    DataError
        If ingest has not finished, there is no limit in days, a baseline is not known, or no pair is left.
    """
    digests = stack.digests
    images = [
        SourceImage(time, float(baseline), (), digest)
        for time, baseline, digest in zip(stack.times, stack.baselines, digests, strict=True)
        if digest is not None
    ]
    place = {str(time).replace("-", "")[:8]: number for number, time in enumerate(stack.times)}
    forming = Forming(config.looks, _both(config.coherence_window), stack.sample_bytes, place)
    return _select(stack.location, stack.header, stack.chunks, images, forming, max_days, max_baseline)


def select_offered_images(
    source: SlcSource, config: InterferogramsConfig, *, max_days: float | None, max_baseline: float | None
) -> Selection:
    """The same of a source that is not ingested yet, for estimates; it cannot be read from."""
    place = {image.key: number for number, image in enumerate(source.images)}
    forming = Forming(config.looks, _both(config.coherence_window), sample_bytes(source), place)
    return _select(Location(""), source.header, SPATIAL_CHUNK, source.images, forming, max_days, max_baseline)


def multilooked(header: StackHeader, looks: tuple[int, int]) -> StackHeader:
    """Header of what is formed of images: looks and spacing multiplied, samples left over at the end cut off.

    A map grid keeps its outer corner, so that coordinates are those of the centres of the cells.
    """
    shape = grid(header.shape, looks)
    lattice = header.grid
    if lattice is not None:
        lattice = dataclasses.replace(
            lattice, dx=lattice.dx * looks[1], dy=lattice.dy * looks[0], height=shape[0], width=shape[1]
        )
    return dataclasses.replace(
        header,
        shape=shape,
        spacing=(header.spacing[0] * looks[0], header.spacing[1] * looks[1]),
        azimuth_looks=header.azimuth_looks * looks[0],
        range_looks=header.range_looks * looks[1],
        effective_looks=max(1.0, header.effective_looks * looks[0] * looks[1]),
        grid=lattice,
    )


def multilooked_maps(maps: Mapping[str, Float32], looks: tuple[int, int]) -> dict[str, Float32]:
    """Means of maps over cells; NaN where a sample of the cell is. Longitudes may cross the antimeridian."""
    return {name: _mean(values, looks, periodic=name == "longitude") for name, values in maps.items()}


def _mean(values: Float32, looks: tuple[int, int], *, periodic: bool) -> Float32:
    rows, columns = grid(values.shape, looks)
    cells = values[: rows * looks[0], : columns * looks[1]].reshape(rows, looks[0], columns, looks[1])
    first = cells[:, :1, :, :1]
    away = cells - first
    if periodic:
        away = away - 360 * np.round(away / 360)
    mean = first[:, 0, :, 0] + away.mean(axis=(1, 3), dtype=np.float64)
    if periodic:
        mean = (mean + 180) % 360 - 180
    result: Float32 = mean.astype(np.float32)
    return result


def _select(
    location: Location,
    header: StackHeader,
    chunks: tuple[int, int],
    images: list[SourceImage] | tuple[SourceImage, ...],
    forming: Forming,
    max_days: float | None,
    max_baseline: float | None,
) -> Selection:
    if max_days is None:
        raise DataError(
            f"{location or header.id} holds images, not pairs, and network.max_days is null; expected the longest pair "
            "to form. Give a number of days such as 36."
        )
    ordered = sorted(images, key=lambda image: image.time)
    try:
        network = network_pairs(
            np.array([image.time for image in ordered], "datetime64[s]"),
            max_days=max_days,
            perpendicular_baseline=[image.perpendicular_baseline for image in ordered],
            max_baseline=max_baseline,
        )
        view = multilooked(header, forming.looks)
    except ValueError as error:
        raise DataError(f"{location or header.id}: {error}. Nothing can be formed of its images") from error
    if not network.pairs:
        raise DataError(
            f"{location or header.id} has {len(ordered)} images and no pair within max_days {max_days} and "
            f"max_baseline {max_baseline}. Raise the limits."
        )
    science = [list(forming.looks), list(forming.coherence_window)]
    digests = [
        records.digest([ordered[i].fingerprint, ordered[j].fingerprint, science])
        for i, j in zip(network.reference, network.secondary, strict=True)
    ]
    return selection_of(
        location, view, (PAIR_BATCH, *chunks), np.arange(len(digests)), list(network.pairs), digests, forming
    )


def _both(window: int | tuple[int, int]) -> tuple[int, int]:
    return (window, window) if isinstance(window, int) else window
