"""Models of susceptibility: a logistic regression as the plain reference, and three that grow trees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slidecloud.hazard.learnt import Forest, LightGbm, Logistic, Model, XgBoost
from slidecloud.libraries import library
from slidecloud.types import Float64

Name = Literal["logistic", "forest", "lightgbm", "xgboost"]
MODELS: Final[tuple[str, ...]] = get_args(Name)
Parameters = Mapping[str, float]

DEFAULTS: Final[Mapping[str, Parameters]] = {
    "logistic": {"ridge": 1e-6},
    "forest": {"trees": 500, "least_leaf": 3},
    "lightgbm": {"rounds": 150, "rate": 0.05, "leaves": 7, "least_leaf": 10},
    "xgboost": {"rounds": 150, "rate": 0.05, "depth": 3, "least_leaf": 2},
}
"""Parameters by model. `ridge`: penalty of squared coefficients of standardised columns, so small that it only keeps
them finite where kinds part. `least_leaf`: places in a leaf (xgboost: their summed p (1 - p))."""
GRIDS: Final[Mapping[str, tuple[Parameters, ...]]] = {
    "logistic": ({}, {"ridge": 1.0}, {"ridge": 10.0}),
    "forest": ({}, {"least_leaf": 10}, {"least_leaf": 30}),
    "lightgbm": ({}, {"leaves": 3}, {"leaves": 15, "least_leaf": 20}),
    "xgboost": ({}, {"depth": 2}, {"depth": 5, "least_leaf": 5}),
}
"""Changes to the defaults among which tuning chooses; the first is the default."""


def fit(
    matrix: ArrayLike,
    event: ArrayLike,
    *,
    model: Name,
    parameters: Parameters | None = None,
    seed: int = 0,
    threads: int = 1,
) -> Model:
    """Learn from places.

    Parameters
    ----------
    matrix
        (n, column), finite.
    event
        bool (n,), both kinds.
    model
        ``logistic``, ``forest``, ``lightgbm`` or ``xgboost``.
    parameters
        Changes to `DEFAULTS`.
    seed
        Of everything drawn; the same for any number of threads.
    threads
        Of this machine.

    Raises
    ------
    ModuleNotFoundError
        Naming the extra where the library of the model is not installed.
    ValueError
        If the model or a parameter is not known, a value is missing or one kind of places is.
    """
    rows, slid = np.ascontiguousarray(matrix, np.float64), np.asarray(event, bool)
    if model not in MODELS:
        raise ValueError(f"model: found {model!r}, expected one of {', '.join(MODELS)}")
    if rows.ndim != 2 or slid.shape != rows.shape[:1] or not np.isfinite(rows).all():
        raise ValueError(
            f"matrix, event: found {rows.shape} with {int((~np.isfinite(rows)).sum())} missing and {slid.shape}, "
            "expected (n, column) without any and (n,)"
        )
    if not slid.any() or slid.all():
        raise ValueError(f"event: found {int(slid.sum())} slides among {slid.size} places, expected both kinds")
    return _FITS[model](rows, slid, settled(model, parameters), seed, threads)


def settled(model: str, parameters: Parameters | None) -> dict[str, float]:
    """All parameters of a model, defaults included.

    Raises
    ------
    ValueError
        If one is not known.
    """
    known = DEFAULTS[model]
    stray = sorted(set(parameters or {}) - set(known))
    if stray:
        raise ValueError(f"parameters of {model}: found {', '.join(stray)}, expected any of {', '.join(known)}")
    return {**known, **(parameters or {})}


def _logistic(rows: Float64, slid: NDArray[np.bool_], chosen: Parameters, _seed: int, _threads: int) -> Model:
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    regression = library("sklearn.linear_model").LogisticRegression(
        C=1 / chosen["ridge"], solver="newton-cholesky", max_iter=200, tol=1e-8
    )
    found = regression.fit((rows - mean) / scale, slid)
    coefficient = found.coef_[0] / scale
    return Logistic(float(found.intercept_[0] - mean @ coefficient), coefficient, mean, spread)


def _forest(rows: Float64, slid: NDArray[np.bool_], chosen: Parameters, seed: int, threads: int) -> Model:
    forest = library("sklearn.ensemble").RandomForestClassifier(
        int(chosen["trees"]), min_samples_leaf=int(chosen["least_leaf"]), random_state=seed, n_jobs=threads
    )
    return Forest.of(forest.fit(rows, slid))


def _lightgbm(rows: Float64, slid: NDArray[np.bool_], chosen: Parameters, seed: int, threads: int) -> Model:
    lightgbm = library("lightgbm")
    settings = {
        "objective": "binary",
        "learning_rate": chosen["rate"],
        "num_leaves": int(chosen["leaves"]),
        "min_data_in_leaf": int(chosen["least_leaf"]),
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(rows, slid.astype(np.float64), params=settings)
    return LightGbm(lightgbm.train(settings, data, int(chosen["rounds"])))


def _xgboost(rows: Float64, slid: NDArray[np.bool_], chosen: Parameters, seed: int, threads: int) -> Model:
    xgboost = library("xgboost")
    settings = {
        "objective": "binary:logistic",
        "eta": chosen["rate"],
        "max_depth": int(chosen["depth"]),
        "min_child_weight": chosen["least_leaf"],
        "seed": seed,
        "nthread": threads,
        "verbosity": 0,
    }
    return XgBoost(xgboost.train(settings, xgboost.DMatrix(rows, slid.astype(np.float64)), int(chosen["rounds"])))


_FITS: Final[Mapping[str, Callable[[Float64, NDArray[np.bool_], Parameters, int, int], Model]]] = {
    "logistic": _logistic,
    "forest": _forest,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
}
