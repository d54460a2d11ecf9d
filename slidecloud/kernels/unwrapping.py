"""Phase without its jumps: whole turns added to the wrapped phase of a pair, by one of two programs."""

from __future__ import annotations

import importlib
import math
from typing import Any, Literal, NamedTuple, TypeVar, get_args

import numpy as np
import whirlwind
from numpy.typing import NDArray

from slidecloud.kernels.goldstein import filtered
from slidecloud.kernels.phase import decode
from slidecloud.types import Float32

Number = TypeVar("Number", np.complex64, np.float32, np.bool_)
Method = Literal["whirlwind", "snaphu"]

LEAST_COMPONENT = 100
"""Pixels of the smallest area that counts as a connected component."""

LOOKS = 1.0, 300.0
"""Effective looks between which the programs' models of phase noise hold; beyond, the border is used."""

_TURN = 2 * np.pi


class Unwrapped(NamedTuple):
    """What `unwrap` returns.

    Attributes
    ----------
    phase
        (y, x) float32 rad; NaN where coherence is 0.
    component
        (y, x) uint8: areas within which turns are believed right, 1, 2, ...; 0 = none of them, for lack of data, of
        coherence or of size (`LEAST_COMPONENT`). Phase there has a value all the same, which may be turns off.
    """

    phase: Float32
    component: NDArray[np.uint8]


def unwrap(
    phase: NDArray[np.int16],
    coherence: NDArray[np.uint8],
    *,
    looks: float,
    method: Method = "whirlwind",
    goldstein: float = 0.0,
) -> Unwrapped:
    """Unwrapped phase of one pair.

    Parameters
    ----------
    phase
        (y, x) int16 binary angle, ``phase * pi / 32768`` rad. Of any size: a single pixel or an empty array too.
    coherence
        (y, x) uint8, 255 times coherence, 0 = no data.
    looks
        Effective number of independent looks, positive.
    method
        ``"whirlwind"``: least cost of jumps, weighted by the phase statistics that coherence and looks imply.
        ``"snaphu"``: the program of Chen and Zebker (2001), from the extra of that name; its licence excludes
        commercial use.
    goldstein
        Power of the Goldstein filter, 0 to 1; 0 = none. Jumps are then sought in the filtered phase and what the filter
        took away is put back.

    Returns
    -------
    Unwrapped; its phase differs from the wrapped one by whole turns, to float32 rounding (1e-4 rad up to 250 turns).
    The level as a whole is arbitrary, and so is each area's that gaps cut off, though the programs guess it.

    Raises
    ------
    TypeError
        If a dtype is another.
    ValueError
        If shapes disagree, looks are not positive, the filter's power is out of range or the method is unknown.
    ImportError
        If SNAPHU is asked for and not installed.
    """
    _check(phase, coherence, looks, method, goldstein)
    known = coherence > 0
    wrapped = decode(phase)
    if not known.any():
        return Unwrapped(np.full(phase.shape, np.nan, np.float32), np.zeros(phase.shape, np.uint8))
    field = np.where(known, np.exp(1j * wrapped), 0).astype(np.complex64)
    if goldstein > 0:
        smooth = filtered(field * (coherence / np.float32(255)), alpha=goldstein)
        smooth = np.where(known & (smooth == 0), field, smooth)
        field = np.where(known, smooth / np.where(known, np.abs(smooth), 1), 0).astype(np.complex64)
    # Neither program takes a single row or column: doubled, it is the same problem.
    inside = tuple(slice(n) for n in phase.shape)
    field, quality, mask = _double(field), _double((coherence / np.float32(255)).astype(np.float32)), _double(known)
    found, component = _PROGRAMS[method](field, quality, min(max(looks, LOOKS[0]), LOOKS[1]), mask)
    removed = np.angle(np.exp(1j * wrapped) * np.conj(field[inside]))
    turns = np.rint((found[inside].astype(np.float64) + removed - wrapped) / _TURN)
    exact = phase * (np.pi / 32768) + _TURN * turns
    label = np.where(known & (component[inside] <= 255), component[inside], 0)
    return Unwrapped(np.where(known, exact, np.nan).astype(np.float32), label.astype(np.uint8))


def _double(array: NDArray[Number]) -> NDArray[Number]:
    """The array with its only row or column, if it has but one, written twice."""
    return np.pad(array, [(0, max(0, 2 - n)) for n in array.shape], mode="edge")


def _whirlwind(
    field: NDArray[np.complex64], quality: Float32, looks: float, mask: NDArray[np.bool_]
) -> tuple[Float32, NDArray[np.uint32]]:
    phase, component = whirlwind.unwrap(field, quality, looks, mask, min_size_px=LEAST_COMPONENT, max_ncomps=255)
    return phase, component


def _snaphu(
    field: NDArray[np.complex64], quality: Float32, looks: float, mask: NDArray[np.bool_]
) -> tuple[Float32, NDArray[np.uint32]]:
    try:
        snaphu: Any = importlib.import_module("snaphu")
    except ImportError as error:
        raise ImportError(
            "method 'snaphu': the package snaphu is not installed; install slidecloud[snaphu], "
            "whose licence excludes commercial use, or unwrap with 'whirlwind'"
        ) from error
    share = min(1.0, LEAST_COMPONENT / mask.size)
    phase, component = snaphu.unwrap(field, quality, looks, mask=mask, min_conncomp_frac=share)
    return phase, component


_PROGRAMS = {"whirlwind": _whirlwind, "snaphu": _snaphu}


def _check(phase: NDArray[np.int16], coherence: NDArray[np.uint8], looks: float, method: str, goldstein: float) -> None:
    if phase.dtype != np.int16 or coherence.dtype != np.uint8:
        raise TypeError(
            f"phase, coherence: found dtypes {phase.dtype}, {coherence.dtype}, expected int16 binary angles and uint8 "
            "(255 times coherence); encode radians with kernels.phase.encode"
        )
    if phase.ndim != 2 or coherence.shape != phase.shape:
        raise ValueError(f"phase, coherence: found shapes {phase.shape}, {coherence.shape}, expected one shape (y, x)")
    if not (looks > 0 and math.isfinite(looks)):
        raise ValueError(f"looks: found {looks}, expected a positive number; check the stack's effective_looks")
    if method not in get_args(Method):
        raise ValueError(f"method: found {method!r}, expected one of {', '.join(get_args(Method))}")
    if not 0 <= goldstein <= 1:
        raise ValueError(f"goldstein: found {goldstein}, expected 0 (no filter) to 1, such as 0.5")
