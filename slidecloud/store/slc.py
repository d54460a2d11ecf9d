"""SLC stacks: coregistered single-look images of one burst, their template and the way the pipeline reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slidecloud.store import records, templates
from slidecloud.store.arrays import read
from slidecloud.store.location import Location
from slidecloud.store.schema import SLC
from slidecloud.store.stacks import INGEST, SLC_KIND, StoredArrays, header_attributes
from slidecloud.types import DataError, ImageBlock, SourceImage, StackHeader


def slc_template(
    header: StackHeader,
    images: Sequence[SourceImage],
    static: Mapping[str, NDArray[np.float32]],
    *,
    sample_scale: float | None,
    flattened: bool,
    chunks: tuple[int, int],
) -> dict[str, bytes]:
    """Objects of an empty SLC stack with its times, baselines and static maps; chunks are rows and columns.

    ``sample_scale`` is that of int16 samples, None for complex64; ``flattened`` whether geometry has been removed from
    the phase of the samples.
    """
    present = {"slc" if sample_scale is None else "slc_parts", *([] if flattened else ["flattening_phase"]), *static}
    height, width = header.shape
    return templates.group(
        tuple(spec for spec in SLC if not spec.optional or spec.name in present),
        {"time": len(images), "y": height, "x": width, "part": 2},
        path="",
        attributes={
            **header_attributes(header, kind=SLC_KIND),
            "coordinates": "perpendicular_baseline",
            "sample_scale": sample_scale,
        },
        coordinates={
            "time": np.array([image.time for image in images], "datetime64[s]").astype(np.int64),
            "perpendicular_baseline": np.array([image.perpendicular_baseline for image in images], np.float32),
            **static,
        },
        grid=header.grid,
        chunks={"y": chunks[0], "x": chunks[1]},
    )


class SlcStack(StoredArrays):
    """An SLC stack: images in order of arrival. Its header is that of single samples."""

    KIND = SLC_KIND

    @cached_property
    def times(self) -> NDArray[np.datetime64]:
        """(time,) acquisition times."""
        return np.asarray(self.array("time")[:]).astype("datetime64[s]")

    @cached_property
    def baselines(self) -> NDArray[np.float64]:
        """(time,) perpendicular baselines, m; NaN where unknown."""
        return np.asarray(self.array("perpendicular_baseline")[:], np.float64)

    @property
    def sample_scale(self) -> float | None:
        """Scale of int16 samples; None for complex64."""
        scale = self.root.attrs["sample_scale"]
        return None if scale is None else float(scale)  # type: ignore[arg-type]

    @property
    def flattened(self) -> bool:
        """True where geometry has been removed from the phase of the samples."""
        return "flattening_phase" not in self.root

    @property
    def sample_bytes(self) -> int:
        """Bytes of a sample of one date, flattening phase included."""
        return (8 if self.sample_scale is None else 4) + (0 if self.flattened else 2)

    @property
    def chunks(self) -> tuple[int, int]:
        """Rows and columns of a chunk."""
        rows, columns = self._samples.chunks[1:3]
        return rows, columns

    @cached_property
    def digests(self) -> tuple[str | None, ...]:
        """Digest of each image's samples, in order of arrival; None for an image whose data was found bad.

        Raises
        ------
        DataError
            If ingest has not finished.
        """
        known = image_digests(self.location)
        notes = records.quarantined(self.location, stage=INGEST)
        aside = {key.unit for key, note in notes.items() if note["kind"] == "data"}
        days = [str(time).replace("-", "")[:8] for time in self.times]
        missing = [day for day in days if day not in known and day not in aside]
        if missing:
            raise DataError(
                f"Ingest of {self.location} has not finished: {len(missing)} of {len(days)} images are missing, the "
                f"first is {missing[0]}. Run the same 'slidecloud ingest' again; it goes on where it stopped."
            )
        return tuple(known.get(day) for day in days)

    def read(self, positions: Sequence[int], rows: slice, columns: slice) -> ImageBlock:
        """Images at some positions over a window; the arrays have the date as their first axis."""
        names = [self._samples, *([] if self.flattened else [self.array("flattening_phase")])]
        parts: list[NDArray[Any]] = []
        for array in names:
            shape = (len(positions), rows.stop - rows.start, columns.stop - columns.start, *array.shape[3:])
            part = np.empty(shape, array.dtype)
            for number, position in enumerate(positions):
                part[number] = read(array, (position, rows, columns))
            parts.append(part)
        return ImageBlock(parts[0], parts[1] if len(parts) > 1 else None)

    @property
    def _samples(self) -> Any:
        return self.array("slc" if self.sample_scale is None else "slc_parts")


def image_digests(location: Location) -> dict[str, str]:
    """Digest of the samples of each image that an SLC stack holds, by the image's key."""
    found = {key.unit: records.read(location, key) for key in records.done(location, stage=INGEST)}
    return {unit: str(record.facts["digest"]) for unit, record in found.items() if record is not None}
