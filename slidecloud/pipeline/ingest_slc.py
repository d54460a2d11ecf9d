"""Ingest of single-look images into an SLC stack, one unit per image, resumable, growing by appends."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from slidecloud.pipeline.appends import check_same_view
from slidecloud.pipeline.drive import drive
from slidecloud.pipeline.executors import Executor, serial
from slidecloud.pipeline.progress import Progress
from slidecloud.pipeline.summary import Quarantined, Summary
from slidecloud.pipeline.units import Unit
from slidecloud.stack.slc import SlcSource, sample_bytes
from slidecloud.store import lease, records, templates
from slidecloud.store.arrays import Writer
from slidecloud.store.location import Location, locate
from slidecloud.store.schema import SPATIAL_CHUNK
from slidecloud.store.slc import SlcStack, slc_template
from slidecloud.store.stacks import INGEST
from slidecloud.types import DataError, SourceImage


@dataclass(frozen=True, slots=True)
class ImageWork:
    """Write one image, band of rows by band of rows; ``place`` is its index along time."""

    source: SlcSource
    image: SourceImage
    place: int
    rows: int
    origin: str

    def __call__(self, writer: Writer) -> dict[str, Any]:
        height = self.source.header.shape[0]
        name = "slc" if self.source.sample_scale is None else "slc_parts"
        parts = hashlib.sha256(), hashlib.sha256()
        known = 0
        for top in range(0, height, self.rows):
            block = self.source.read_image(self.image, slice(top, min(top + self.rows, height)))
            samples, angles = np.ascontiguousarray(block.samples), block.flattening
            known += int(np.count_nonzero(samples)) if samples.dtype == np.int16 else _count_known(samples)
            parts[0].update(samples.tobytes())
            writer.write(name, samples[None], (self.place, top, 0, 0)[: samples.ndim + 1])
            if angles is not None:
                parts[1].update(np.ascontiguousarray(angles).tobytes())
                writer.write("flattening_phase", angles[None], (self.place, top, 0))
        if not known:
            raise DataError(
                f"Image {self.image.key} of {self.source.header.source} holds no sample but 0 and NaN; expected data. "
                "Make it again, or leave it out."
            )
        return {
            "digest": records.digest([part.hexdigest() for part in parts]),
            "place": self.place,
            "time": str(self.image.time),
            "perpendicular_baseline": self.image.perpendicular_baseline,
            "source": self.origin,
        }


def ingest_slc(
    source: SlcSource,
    stacks: str | Location,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
    memory: int | None = None,
    retries: int = 2,
    chunks: tuple[int, int] = SPATIAL_CHUNK,
    origin: str = "SOURCE",
    retry_quarantined: bool = False,
    takeover: bool = False,
) -> Summary:
    """Write the images of a source that are not stored yet.

    Parameters
    ----------
    source
        Where the images come from.
    stacks
        Folder or URL of the stacks; the stack is ``<stacks>/<id>.zarr``.
    executor
        Where images are read and written; serial by default.
    memory
        Bytes of one worker; threads of one process share it times their number.
    retries
        Times an image that raised is tried again.
    chunks
        Rows and columns of a chunk, for a new stack.
    origin
        Folder of the source, kept for the message that says how to restore a damaged image.
    retry_quarantined
        Read images again that could not be read before, although their files look the same.
    takeover
        Take the stack from a process that may still be writing it.

    Returns
    -------
    Summary
        Images that could not be used are in quarantine by name, with file and remedy.

    Raises
    ------
    DataError
        If the source has no usable image, or does not fit the stack that exists.
    LeaseError
        If another process is writing the stack.
    """
    location = locate(stacks) / f"{source.header.id}.zarr"
    with lease.hold(location, takeover=takeover) as token:
        stored = _readable(location)
        if stored is not None:
            _check_same(stored, source)
        header, chunks = (source.header, chunks) if stored is None else (stored.header, stored.chunks)
        old = _recorded(location, source) if stored is None else _stored(stored)
        known = {image.key for image in old}
        images = (*old, *(image for image in source.images if image.key not in known))
        if not images:
            raise DataError(f"Source {source.header.source} has no usable image.")
        template = slc_template(
            header,
            images,
            source.static() if stored is None else stored.static(),
            sample_scale=source.sample_scale,
            flattened=source.flattened,
            chunks=chunks,
        )
        templates.ensure(location, "stack", template, keep_older=True)
        finished = {key.unit for key in records.done(location, stage=INGEST)}
        place = {image.key: number for number, image in enumerate(images)}
        fresh = [image for image in source.images if image.key not in finished]
        summary = drive(
            [_unit(source, image, place[image.key], chunks[0], origin) for image in fresh],
            location=location, token=token, executor=executor or serial(), memory=memory, retries=retries,
            retry_quarantined=retry_quarantined, progress=progress, label="ingest",
        )  # fmt: skip
    aside = tuple(Quarantined(INGEST, item.key, item.reason, "data") for item in source.rejected)
    return summary + Summary(quarantined=aside, skipped=len(source.images) - len(fresh))


def _unit(source: SlcSource, image: SourceImage, place: int, rows: int, origin: str) -> Unit:
    height, width = source.header.shape
    sample = sample_bytes(source)
    digest = records.digest(["ingest.slc/1", image.key, image.fingerprint, place])
    return Unit(
        records.Key(INGEST, image.key, digest),
        ImageWork(source, image, place, rows, origin),
        bytes_read=height * width * sample,
        bytes_written=height * width * sample,
        peak_memory=4 * min(rows, height) * width * sample,
    )


def _stored(stack: SlcStack) -> tuple[SourceImage, ...]:
    return tuple(SourceImage(t, float(b), (), "") for t, b in zip(stack.times, stack.baselines, strict=True))


def _recorded(location: Location, source: SlcSource) -> tuple[SourceImage, ...]:
    """Images at the places at which finished units hold them; places between that are missing take the source's."""
    found: dict[int, SourceImage] = {}
    for key in records.done(location, stage=INGEST):
        record = records.read(location, key)
        if record is not None:
            facts = record.facts
            image = SourceImage(np.datetime64(facts["time"]), float(facts["perpendicular_baseline"]), (), "")
            found[int(facts["place"])] = image
    known = {image.key for image in found.values()}
    others = iter([image for image in source.images if image.key not in known])
    ordered = [found.get(place) or next(others, None) for place in range(max(found, default=-1) + 1)]
    if None in ordered:
        raise DataError(
            f"The source {source.header.source} lacks images that {location} once held. Put them back, or ingest into "
            "a new stack."
        )
    return tuple(image for image in ordered if image is not None)


def _readable(location: Location) -> SlcStack | None:
    """The stack that exists, or None where there is none or its template is damaged."""
    if not records.done(location, stage=templates.STAGE):
        return None
    try:
        return SlcStack(location)
    except FileNotFoundError:
        return None


def _check_same(stored: SlcStack, source: SlcSource) -> None:
    check_same_view(stored.location, stored.header, source.header)
    for name in ("sample_scale", "flattened"):
        here, there = getattr(stored, name), getattr(source, name)
        if here != there:
            raise DataError(
                f"Source {source.header.source} cannot be added to {stored.location}: its {name} is {there}, the "
                f"stack's is {here}. Ingest it under another id."
            )


def _count_known(samples: Any) -> int:
    return int(np.count_nonzero(np.isfinite(samples.real) & np.isfinite(samples.imag) & (samples != 0)))
