"""Weighted overlay of factors."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike

from slidecloud.types import Float32


def overlay(layers: Iterable[ArrayLike], weights: ArrayLike, *, least_known: float = 1.0) -> Float32:
    """Weighted mean of factors, cell by cell.

    Parameters
    ----------
    layers
        Factors on one scale, all of one shape; NaN = missing. They are added in their order and looked at once, so they
        may be made one by one.
    weights
        (n,) of the factors, none negative, not all 0. A factor of weight 0 is not missed.
    least_known
        Share of the weight that must be known in a cell, in (0, 1]; below 1 the known factors stand for the missing
        ones, which draws the index of such cells towards what is known of them.

    Returns
    -------
    float32 of the shape of the layers, NaN where too little is known.

    Raises
    ------
    ValueError
        If weights and layers differ in number, layers in shape, or an option makes no sense.
    """
    share = np.asarray(weights, np.float64)
    if share.ndim != 1 or not (np.isfinite(share) & (share >= 0.0)).all() or not share.any():
        raise ValueError(f"weights: found {share.tolist()}, expected (n,) with none below 0 and one above")
    if not 0.0 < least_known <= 1.0:
        raise ValueError(f"least_known: found {least_known}, expected a share of the weight above 0, up to 1")
    share = share / share.sum()
    total, weight = np.zeros(()), np.zeros(())
    used = 0
    for used, layer in enumerate(layers, start=1):
        values = np.asarray(layer, np.float64)
        if used == 1:
            total, weight = np.zeros(values.shape), np.zeros(values.shape)
        if used > len(share) or values.shape != total.shape:
            raise ValueError(
                f"layers: found {used} so far, the last of shape {values.shape}; expected {len(share)} of {total.shape}"
            )
        known = ~np.isnan(values)
        total += np.where(known, share[used - 1] * values, 0.0)
        weight += share[used - 1] * known
    if used != len(share):
        raise ValueError(f"layers: found {used}, expected {len(share)}, one for each weight")
    # A sum of shares may miss 1 by its last digits.
    enough = weight >= least_known - 1e-9
    mean: Float32 = np.where(enough, total / np.where(enough, weight, 1.0), np.nan).astype(np.float32)
    return mean
