"""Samples to learn from and samples to be judged by, parted by time."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from slidecloud.forecast.samples import Samples
from slidecloud.types import DataError


class Split(NamedTuple):
    """`train` to learn from, `test` to be judged by."""

    train: Samples
    test: Samples


def by_time(samples: Samples, *, train_until: np.datetime64) -> Split:
    """Targets up to a date to learn from, origins after it to be judged by; what lies across the date is in neither.

    Raises
    ------
    DataError
        If either part is empty.
    """
    date = train_until.astype("datetime64[D]")
    split = Split(samples.where(samples.target <= date), samples.where(samples.origin > date))
    for name, part, need in (("train", split.train, "targets up to"), ("test", split.test, "passes after")):
        if not len(part):
            first, last = (samples.target.min(), samples.target.max()) if len(samples) else ("none", "none")
            raise DataError(
                f"train_until: found {date}, with no {name} sample ({need} it); expected a date within {first} to "
                f"{last}, the days that samples are of."
            )
    return split


def earlier(samples: Samples, *, share: float = 0.25) -> Split:
    """The last of the samples in time apart from those before them, to choose by; a part may be empty.

    Points that have no earlier samples have no later ones.
    """
    if not len(samples):
        return Split(samples, samples)
    date = np.quantile(samples.target.astype(np.int64), 1.0 - share, method="lower").astype("datetime64[D]")
    early, late = samples.where(samples.target <= date), samples.where(samples.origin >= date)
    return Split(early, late.where(np.isin(late.point, early.point)))


def optimistic(samples: Samples, *, share: float = 0.34, seed: int = 0) -> Split:
    """A random share to be judged by: errors come out too small, for a labelled comparison only.

    Neighbouring days lie on both sides, so what follows a sample's target has been learnt from.
    """
    held = np.random.default_rng(seed).permutation(len(samples)) < share * len(samples)
    return Split(samples.where(~held), samples.where(held))
