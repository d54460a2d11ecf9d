"""What every reader of coregistered single-look images offers, and the one whose pixels are arrays in memory."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from slidecloud.stack.source import STATIC_LAYERS, check_id, row_range
from slidecloud.types import DataError, Float32, ImageBlock, Rejected, SourceImage, StackHeader


@runtime_checkable
class SlcSource(Protocol):
    """A stack of single-look images somewhere, ready to be read image by image. Sources can be pickled.

    Attributes
    ----------
    header
        Everything about the stack except its images and pixels, for single samples: looks are 1, spacing is that of
        samples, ``effective_looks`` the independent looks of one sample (below 1 where images are oversampled).
    images
        The images that passed the header check, sorted by time, one a day.
    rejected
        What was refused at the header check, with reason and remedy, sorted by key.
    sample_scale
        What int16 samples are multiplied by; None where samples are complex64.
    flattened
        True where geometry (flat earth, topography) has been removed from the phase of the samples.
    """

    @property
    def header(self) -> StackHeader: ...

    @property
    def images(self) -> tuple[SourceImage, ...]: ...

    @property
    def rejected(self) -> tuple[Rejected, ...]: ...

    @property
    def sample_scale(self) -> float | None: ...

    @property
    def flattened(self) -> bool: ...

    def static(self) -> dict[str, Float32]:
        """The maps of `slidecloud.stack.source.Source.static`, on the grid of the samples."""
        ...

    def read_image(self, image: SourceImage, rows: slice) -> ImageBlock:
        """Rows of one image, full width.

        Raises
        ------
        DataError
            If the samples cannot be read or make no sense; names file and remedy.
        """
        ...


def sample_bytes(source: SlcSource) -> int:
    """Bytes of a sample of one date in an SLC stack, flattening phase included."""
    return (8 if source.sample_scale is None else 4) + (0 if source.flattened else 2)


class SlcArraySource:
    """Single-look images held in arrays, offered as a `SlcSource`: simulations, tests, notebooks.

    Parameters
    ----------
    header
        Header of single samples; its ``shape`` must be that of the arrays.
    times
        datetime64 (date,), any order, one a day.
    slc
        complex64 (date, y, x), or int16 (date, y, x, 2), real and imaginary part; 0 or not finite = no data.
    perpendicular_baseline
        (date,) m, from any common origin; unknown if not given.
    flattening
        int16 (date, y, x) binary angle that geometry has put into the phase of the samples; None where it was removed.
    sample_scale
        What int16 samples are multiplied by; for complex64 not used.
    static
        Maps (y, x) by name, see `Source.static`.

    Raises
    ------
    ValueError, TypeError
        If shapes, times, names or dtypes do not fit together.

    Notes
    -----
    Arrays are kept, not copied. The fingerprint of an image is a digest of its samples.
    """

    def __init__(
        self,
        header: StackHeader,
        times: Sequence[np.datetime64] | NDArray[np.datetime64],
        slc: NDArray[Any],
        *,
        perpendicular_baseline: Sequence[float] | None = None,
        flattening: NDArray[np.int16] | None = None,
        sample_scale: float = 1.0,
        static: Mapping[str, NDArray[Any]] | None = None,
    ) -> None:
        check_id(header.id)
        check_samples("slc", slc)
        moments = np.asarray(times, "datetime64[s]")
        if slc.shape[:3] != (len(moments), *header.shape):
            raise ValueError(
                f"slc has shape {slc.shape}: expected {(len(moments), *header.shape)}, the number of times and "
                "header.shape"
            )
        if flattening is not None and (flattening.dtype != np.int16 or flattening.shape != slc.shape[:3]):
            raise TypeError(
                f"flattening has shape {flattening.shape} and dtype {flattening.dtype}: expected int16 binary angles "
                f"of shape {slc.shape[:3]}; slidecloud.kernels.phase.encode makes them from radians"
            )
        unknown = set(static or {}) - set(STATIC_LAYERS)
        if unknown:
            raise ValueError(f"static map {unknown.pop()!r} is unknown: expected one of {', '.join(STATIC_LAYERS)}")
        baselines = [float("nan")] * len(moments) if perpendicular_baseline is None else perpendicular_baseline
        self.header = header
        self.rejected: tuple[Rejected, ...] = ()
        self.sample_scale = None if slc.dtype == np.complex64 else float(sample_scale)
        self.flattened = flattening is None
        self._slc, self._flattening = slc, flattening
        self._static = {name: np.asarray(values, np.float32) for name, values in (static or {}).items()}
        images = [
            SourceImage(time, float(baseline), (), hashlib.blake2b(layer.tobytes(), digest_size=16).hexdigest())
            for time, baseline, layer in zip(moments, baselines, slc, strict=True)
        ]
        self._layer = {image.key: number for number, image in enumerate(images)}
        if len(self._layer) < len(images):
            raise ValueError(f"times hold {len(images) - len(self._layer)} days twice: expected one image a day")
        self.images = tuple(sorted(images, key=lambda image: image.time))

    def static(self) -> dict[str, Float32]:
        """The static maps, float32 (y, x)."""
        return dict(self._static)

    def read_image(self, image: SourceImage, rows: slice) -> ImageBlock:
        """Rows of one image; see `SlcSource.read_image`."""
        start, stop = row_range(rows, self.header.shape[0])
        at = self._layer[image.key], slice(start, stop)
        return ImageBlock(self._slc[at], None if self._flattening is None else self._flattening[at])


def check_samples(name: str, slc: NDArray[Any]) -> None:
    """Refuse what is neither complex64 (date, y, x) nor int16 (date, y, x, 2).

    Raises
    ------
    TypeError
        Says what was found and what to do.
    """
    if not ((slc.dtype == np.complex64 and slc.ndim == 3) or (slc.dtype == np.int16 and slc.shape[3:] == (2,))):
        raise TypeError(
            f"{name} has shape {slc.shape} and dtype {slc.dtype}: expected complex64 (date, y, x) or int16 "
            "(date, y, x, 2), real and imaginary part; convert with astype"
        )


def acquisition_problem(time: np.datetime64, *, earliest: np.datetime64) -> str:
    """Why a time cannot be that of an acquisition, or an empty text."""
    if np.isnat(time) or time < earliest:
        return f"has the time {time}, expected one after the mission began on {earliest}: correct its times"
    if time > np.datetime64("now", "s") + np.timedelta64(1, "D"):
        return f"has the time {time}, which is in the future: correct its times"
    return ""


def one_a_day(images: Sequence[SourceImage], name: str) -> tuple[SourceImage, ...]:
    """Images sorted by time.

    Raises
    ------
    DataError
        If two are of one day.
    """
    ordered = tuple(sorted(images, key=lambda image: image.time))
    for one, other in itertools.pairwise(ordered):
        if one.key == other.key:
            raise DataError(f"{name} holds two images of {one.key}, expected one a day: keep one")
    return ordered
