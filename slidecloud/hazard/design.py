"""From a table of factors to the columns that models learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from slidecloud.types import Float64


@dataclass(frozen=True, slots=True)
class Design:
    """Which columns stand for which factor.

    Attributes
    ----------
    factors
        Names of the columns of the table, in order.
    categories
        Codes of each factor that is a category, those met while learning, the most frequent first: it has no column
        of its own, which keeps columns independent of the mean. One that is the same everywhere has none at all.
    circular
        Factors that are angles in rad, such as aspect: a cosine and a sine.
    """

    factors: tuple[str, ...]
    categories: Mapping[str, tuple[int, ...]]
    circular: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of the matrix."""
        return tuple(name for factor in self.factors for name in self._names(factor))

    @property
    def factor_of(self) -> tuple[int, ...]:
        """Index into `factors` of each column."""
        return tuple(k for k, factor in enumerate(self.factors) for _ in self._names(factor))

    def matrix(self, table: pd.DataFrame) -> Float64:
        """Columns of each row: float64 (n, column), a whole row NaN where a factor is missing or a category new.

        Raises
        ------
        ValueError
            If a factor is not in the table.
        """
        _present(table, self.factors)
        parts, known = [], np.ones(len(table), bool)
        for name in self.factors:
            values = table[name].to_numpy(np.float64, na_value=np.nan)
            parts.append(self._of(values, name))
            known &= np.isin(values, self.categories[name]) if name in self.categories else np.isfinite(values)
        found = np.concatenate(parts, axis=1)
        found[~known] = np.nan
        return found

    def _names(self, factor: str) -> tuple[str, ...]:
        if factor in self.categories:
            return tuple(f"{factor}={code}" for code in self.categories[factor][1:])
        return (f"cos {factor}", f"sin {factor}") if factor in self.circular else (factor,)

    def _of(self, value: Float64, factor: str) -> Float64:
        if factor in self.categories:
            same: Float64 = (value[:, None] == np.array(self.categories[factor][1:], np.float64)).astype(np.float64)
            return same
        if factor in self.circular:
            return np.stack([np.cos(value), np.sin(value)], axis=1)
        column: Float64 = value[:, None]
        return column


def design(
    table: pd.DataFrame,
    *,
    factors: Sequence[str] | None = None,
    categories: Sequence[str] = (),
    circular: Sequence[str] = (),
) -> Design:
    """Design of a table that is to be learnt from.

    Parameters
    ----------
    table
        A row for each place; numbers, categories as codes from 0 with a negative one where missing.
    factors
        Columns to learn from; None: all.
    categories, circular
        Those of the factors that are codes, and those that are angles in rad.

    Raises
    ------
    ValueError
        If a factor is missing, named twice or of two kinds, or a category has no code.
    """
    chosen = tuple(str(name) for name in (table.columns if factors is None else factors))
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"factors: found {', '.join(chosen) or 'none'}, expected one or more, each once")
    _present(table, chosen)
    both = set(categories) & set(circular)
    stray = sorted((set(categories) | set(circular)) - set(chosen))
    if both or stray:
        raise ValueError(
            f"categories, circular: found {', '.join(sorted(both) or stray)}, expected factors of one kind"
        )
    return Design(chosen, {name: _codes(table[name], name) for name in chosen if name in categories}, tuple(circular))


def _codes(column: pd.Series, name: str) -> tuple[int, ...]:
    value = column.to_numpy(np.float64, na_value=np.nan)
    code, count = np.unique(value[np.isfinite(value) & (value >= 0)], return_counts=True)
    if not code.size or (code != np.rint(code)).any():
        raise ValueError(f"{name}: found codes {code[:5].tolist()}, expected whole numbers from 0")
    return tuple(int(each) for each in code[np.argsort(-count, kind="stable")])


def _present(table: pd.DataFrame, factors: Sequence[str]) -> None:
    missing = [name for name in factors if name not in table.columns]
    if missing:
        raise ValueError(f"factors: found no {', '.join(missing)} among {', '.join(map(str, table.columns))}")
