"""Landslides on the globe: which detections are one, and names made from where they lie."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from slidecloud.kernels.boxes import as_boxes
from slidecloud.kernels.grouping import connected, overlapping
from slidecloud.types import Float64

EARTH_RADIUS: Final = 6_371_008.8
"""Mean radius of WGS 84, m."""
_ALPHABET: Final = "0123456789bcdefghjkmnpqrstuvwxyz"


def same_slides(boxes: ArrayLike, source: ArrayLike, *, distance: float) -> NDArray[np.int64]:
    """Groups of detections of one landslide: seen from several sources, overlapping or with centres close by.

    Two detections of different sources are one where the generalised overlap of their boxes is above 0 or their centres
    lie within ``distance`` (Fu et al. 2022). Those of one source are never joined directly: what a detector held apart
    stays apart unless another source bridges it.

    Parameters
    ----------
    boxes
        (n, 4) degrees: south, west, north, east. The overlap of boxes is the same in degrees as in metres.
    source
        (n,) number of the burst each comes from.
    distance
        Metres between centres.

    Returns
    -------
    int64 (n,)
        Number of each one's group, in the order of the groups' first boxes by south, west, north, east.

    Raises
    ------
    ValueError
        If boxes are malformed, sources are not one for each box, or the distance is negative.
    """
    given, origin = as_boxes(boxes, "boxes"), np.asarray(source)
    if origin.shape != given.shape[:1]:
        raise ValueError(f"source: found shape {origin.shape}, expected one for each of {len(given)} boxes")
    if not distance >= 0.0:
        raise ValueError(f"distance: found {distance}, expected metres of at least 0")
    if not len(given):
        return np.zeros(0, dtype=np.int64)
    chord = 2.0 * np.sin(min(distance / (2.0 * EARTH_RADIUS), np.pi / 2.0))
    near = cKDTree(_on_sphere(given)).query_pairs(chord, output_type="ndarray")
    pairs = np.concatenate([near, overlapping(given)])
    return connected(pairs[origin[pairs[:, 0]] != origin[pairs[:, 1]]], given)


def geohashes(longitude: ArrayLike, latitude: ArrayLike, *, length: int = 8) -> list[str]:
    """Geohashes of places: base-32 digits of interleaved halvings, longitude first (Niemeyer 2008).

    Eight digits name a cell of at most 38 m x 19 m. Longitudes are taken modulo 360.

    Parameters
    ----------
    longitude, latitude
        (n,) degrees.
    length
        Digits, 1 to 12.
    """
    bits = 5 * length
    shares = [np.mod(np.asarray(longitude, np.float64) + 180.0, 360.0) / 360.0]
    shares.append((np.asarray(latitude, np.float64) + 90.0) / 180.0)
    number = np.zeros(shares[0].shape, np.int64)
    for axis, share in enumerate(shares):
        depth = (bits + 1 - axis) // 2
        cell = np.clip((share * 2**depth).astype(np.int64), 0, 2**depth - 1)
        for bit in range(depth):
            place = bits - 1 - axis - 2 * (depth - 1 - bit)
            number |= (cell >> bit & 1) << place
    digits = [(number >> 5 * (length - 1 - digit)) & 31 for digit in range(length)]
    return ["".join(_ALPHABET[digit] for digit in row) for row in np.stack(digits, axis=-1).reshape(-1, length)]


def _on_sphere(boxes: Float64) -> Float64:
    """Centres of boxes as unit vectors (n, 3)."""
    latitude, longitude = np.radians((boxes[:, :2] + boxes[:, 2:]) / 2).T
    across = np.cos(latitude)
    return np.stack([across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude)], axis=1)
