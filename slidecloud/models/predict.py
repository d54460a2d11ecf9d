"""Slides in gradient maps of any size, found by a trained network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from slidecloud.kernels.boxes import Detections, suppress
from slidecloud.kernels.views import GradientView
from slidecloud.models.features import features
from slidecloud.models.tile_sets import SIDE
from slidecloud.models.tiling import Place, defined, own_boxes, part_of
from slidecloud.types import Float32, Float64

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    import torch

    from slidecloud.config_resources import Device
    from slidecloud.models.weights import Card
    from slidecloud.models.yolo import Yolo

OVERLAP: Final = 0.2
"""Of two boxes that overlap by more, the better one stays. Slides hardly overlap: 0.45, as is usual, is a point less
precise on validation tiles and finds no more."""

_MOST_PER_TILE: Final = 1000


class Detector:
    """A trained network, ready to look at maps; `load` makes one.

    Attributes
    ----------
    card
        What its weights say about themselves: architecture, inputs, threshold, calibration, record.
    """

    def __init__(self, network: Yolo, card: Card) -> None:
        from slidecloud.models.blocks import folded

        self._network = folded(network)
        self.card = card

    def detect(
        self,
        view: GradientView,
        *,
        threshold: float | None = None,
        batch: int = 4,
        device: Device = "cpu",
        threads: int | None = None,
    ) -> Detections:
        """Find slides in maps of any size.

        The maps are cut into tiles on a grid that begins at their first pixel, each 352 pixels after the last. What
        lies beyond them counts as undefined, and a tile without a defined pixel is not looked at.

        Parameters
        ----------
        view
            Maps on the detectors' grid.
        threshold
            Least score; by default that of the weights.
        batch
            Tiles looked at together; has no influence on the result beyond rounding.
        device
            cpu or gpu.
        threads
            Of a CPU, for this call; by default as torch is set.

        Returns
        -------
        Detections
            Best first, boxes in pixels of the view, inside it.

        Raises
        ------
        ValueError
            If maps differ in shape, or a number is out of range.
        """
        least = self.card.threshold if threshold is None else threshold
        if not 0 <= least <= 1:
            raise ValueError(f"threshold: found {least}, expected a score from 0 to 1")
        if batch < 1:
            raise ValueError(f"batch: found {batch}, expected at least 1 tile")
        shape = _shape(view)
        found = []
        with with_threads(threads):
            tiles = list(defined(view, shape))
            for first in range(0, len(tiles), batch):
                group = tiles[first : first + batch]
                maps = np.stack([self._features(view, place) for place in group])
                parts = zip(self._look(maps, least, device), group, strict=True)
                found += [own_boxes(*one, place) for one, place in parts]
        boxes = np.concatenate([np.empty((0, 4), np.float32), *(boxes for boxes, _ in found)])
        scores = np.concatenate([np.empty(0, np.float32), *(scores for _, scores in found)])
        boxes = boxes.clip(0, np.array([*shape, *shape], np.float32))
        kept = suppress(boxes, scores, iou=OVERLAP)
        return Detections.of(boxes[kept], scores[kept])

    def probability(self, scores: Float32) -> Float64:
        """Probability that detections with such scores are right; NaN where the weights are not calibrated."""
        if self.card.calibration is None:
            return np.full(np.shape(scores), np.nan)
        return self.card.calibration.apply(scores)

    def _features(self, view: GradientView, place: Place) -> Float32:
        maps = features(part_of(view, place), self.card.inputs)
        missing = [(0, SIDE - side) for side in maps.shape[1:]]
        return np.pad(maps, [(0, 0), *missing])

    def _look(self, maps: Float32, least: float, device: Device) -> Iterator[tuple[Float32, Float32]]:
        """Boxes (n, 4) and scores (n,) of each tile of a batch, in pixels of the tile."""
        import torch

        from slidecloud.models.place import place

        where = place(device)
        self._network.to(where)
        # TensorFloat's ten bits would show in the scores.
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            batch = torch.from_numpy(maps).to(where, memory_format=torch.channels_last)
            raw = self._network(batch)
            for number in range(len(maps)):
                boxes, scores = self._decode([head[number] for head in raw], least)
                yield boxes.cpu().numpy(), scores.cpu().numpy()

    def _decode(self, raw: list[torch.Tensor], least: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Boxes and scores of one tile's anchors (anchor, y, x, 5) that score enough, the best of them."""
        import torch

        from slidecloud.models import yolo

        boxes, scores = [], []
        strides = self.card.architecture.strides
        for head, sizes, stride in zip(raw, self._network.anchors, strides, strict=True):
            score = torch.sigmoid(head[..., 4])
            anchor, row, column = (score >= least).nonzero(as_tuple=True)
            cells = torch.stack([row, column], 1)
            boxes.append(yolo.boxes(head[anchor, row, column], cells, sizes[anchor], stride))
            scores.append(score[anchor, row, column])
        joined = torch.cat(scores)
        best = joined.argsort(descending=True, stable=True)[:_MOST_PER_TILE]
        return torch.cat(boxes)[best], joined[best]


def load(path: str | os.PathLike[str] | None = None) -> Detector:
    """A detector from weights.

    Parameters
    ----------
    path
        The file; by default the tiny network that comes with slidecloud.

    Raises
    ------
    ImportError
        If torch or safetensors is not installed; names the extra that brings them.
    FileNotFoundError
        If there is no such file.
    DataError
        If it cannot be used.
    """
    need_torch()
    from slidecloud.models import weights

    if path is not None:
        return Detector(*weights.load(path))
    with as_file(shipped()) as file:
        return Detector(*weights.load(file))


def shipped(name: str = "a-yolov3-t") -> Traversable:
    """Weights that come with slidecloud, by the name of their network."""
    return files("slidecloud.models") / "shipped" / f"{name}.safetensors"


def need_torch(*, otherwise: str = "") -> None:
    """Raise ImportError with the remedy, and what there is ``otherwise``, where the extra is not installed."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        raise ImportError(
            f"A neural network needs {' and '.join(missing)}, which is not installed; install it with: "
            f"pip install 'slidecloud[detect]'.{otherwise}"
        )


def _shape(view: GradientView) -> tuple[int, int]:
    shapes = {np.shape(maps) for maps in view[:5]}
    if len(shapes) != 1 or len(np.shape(view.x)) != 2:
        raise ValueError(f"view: found maps of shapes {sorted(shapes)}, expected one shape (y, x)")
    height, width = np.shape(view.x)
    return height, width


@contextmanager
def with_threads(number: int | None) -> Iterator[None]:
    """Let torch use so many threads meanwhile; None changes nothing."""
    import torch

    before: Any = torch.get_num_threads()
    if number is not None:
        torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
