"""Slides that a deformation series already tells of: learning from them is looking up the answer."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.types import DataError

Treatment = Literal["refuse", "drop", "allow"]


def slides_to_learn_from(
    slide_date: ArrayLike, series_end: ArrayLike, *, older: Treatment = "refuse"
) -> NDArray[np.bool_]:
    """Which slides may label a model that uses deformation: those after the end of their series.

    A slide that happened while its ground was watched moved in the series, and the model would be asked whether ground
    that has slid slides. An undated slide cannot be shown to be younger and counts as older.

    Parameters
    ----------
    slide_date
        (n,), anything numpy reads as datetime64; NaT = not known.
    series_end
        Last date of the series at each slide, (n,) or one for all; NaT = no series there, which tells nothing.
    older
        What to do with slides up to and on that date: ``refuse``, ``drop`` them, or ``allow`` them.

    Returns
    -------
    bool (n,)

    Raises
    ------
    DataError
        If a slide is older and `older` is ``refuse``, or all of them are and `older` is ``drop``.
    ValueError
        If shapes do not match.
    """
    slid = np.asarray(slide_date, "datetime64[s]")
    end = np.asarray(series_end, "datetime64[s]")
    if slid.ndim != 1 or end.shape not in {(), slid.shape}:
        raise ValueError(f"slide_date, series_end: found shapes {slid.shape} and {end.shape}, expected (n,) for both")
    if older not in {"refuse", "drop", "allow"}:
        raise ValueError(f"older: found {older!r}, expected refuse, drop or allow")
    # A comparison with NaT is false, so that an undated slide is no younger one.
    younger: NDArray[np.bool_] = (slid > end) | np.isnat(end)
    if older == "allow" or younger.all():
        return np.ones(slid.shape, bool) if older == "allow" else younger
    first = int(np.argmin(younger))
    undated = int((np.isnat(slid) & ~younger).sum())
    told = f"{int((~younger).sum())} of {slid.size} slides are not younger than the end of their deformation series"
    if older == "refuse" or not younger.any():
        last = end if end.ndim == 0 else end[first]
        raise DataError(
            f"{told} ({undated} of them undated; slide {first}: {slid[first]}, series until {last}). A model with "
            "deformation would learn what the slide did, not what announced it. End the series earlier, or say "
            "older_slides: drop or allow"
        )
    return younger
