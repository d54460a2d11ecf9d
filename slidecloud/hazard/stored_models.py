"""What a map needs as bytes: plain arrays and texts, without code that reading would run."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from slidecloud.hazard import calibration
from slidecloud.hazard.applicability import Area
from slidecloud.hazard.calibration import Correction, Rising
from slidecloud.hazard.design import Design
from slidecloud.hazard.evaluation import Predictor
from slidecloud.hazard.learnt import Forest, LightGbm, Logistic, Model, XgBoost
from slidecloud.hazard.susceptibility import Mapper
from slidecloud.kernels.calibration import Calibration
from slidecloud.libraries import library
from slidecloud.types import DataError

Arrays = dict[str, NDArray[Any]]
_PLAIN: Final = {"logistic": Logistic, "forest": Forest}
"""Models that are arrays and numbers themselves."""


def encode(mapper: Mapper) -> bytes:
    """As an archive of arrays; the same gives the same bytes."""
    arrays: Arrays = {}
    for number, one in enumerate((mapper.predictor, *mapper.members)):
        arrays |= {f"{number}/{name}": values for name, values in _of_predictor(one).items()}
    line = mapper.correction.line
    about = {
        "models": 1 + len(mapper.members),
        "line": None if line is None else "isotonic" if isinstance(line, Calibration) else "logistic",
        "sample_share": mapper.correction.sample_share,
        "true_share": mapper.correction.true_share,
    }
    arrays |= {"about": _text(json.dumps(about))}
    if isinstance(line, Calibration):
        arrays |= {"line": np.stack([line.score, line.probability])}
    elif isinstance(line, calibration.Logistic):
        arrays |= {"line": np.array([line.intercept, line.slope])}
    arrays |= {f"area/{one.name}": np.asarray(getattr(mapper.area, one.name)) for one in fields(Area)}
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def decode(data: bytes, name: str) -> Mapper:
    """The mapper that `encode` was given.

    Raises
    ------
    DataError
        If the bytes are damaged; tells `name` and what to do.
    ModuleNotFoundError
        If the library of the model is not installed.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays = dict(archive)
        about = json.loads(_read(arrays["about"]))
        first, *members = (_predictor(arrays, f"{number}/") for number in range(about["models"]))
        area = Area(**{one.name: _plain(arrays[f"area/{one.name}"]) for one in fields(Area)})
        correction = Correction(_line(about["line"], arrays), about["sample_share"], about["true_share"])
    except (BadZipFile, ValueError, KeyError, EOFError, OSError) as error:
        raise DataError(
            f"{name} holds no model of susceptibility ({error}). Find what is damaged with 'slidecloud verify', mend "
            "it with --repair, and give 'slidecloud hazard susceptibility' again."
        ) from error
    return Mapper(first, tuple(members), correction, area)


def _of_predictor(predictor: Predictor) -> Arrays:
    design, model = predictor.design, predictor.model
    about: dict[str, Any] = {
        "factors": design.factors,
        "categories": {name: list(codes) for name, codes in design.categories.items()},
        "circular": design.circular,
        "parameters": dict(predictor.parameters),
    }
    arrays: Arrays = {}
    for kind, plain in _PLAIN.items():
        if isinstance(model, plain):
            about["kind"] = kind
            arrays = {one.name: np.asarray(getattr(model, one.name)) for one in fields(plain)}
    if isinstance(model, LightGbm):
        about["kind"] = "lightgbm"
        arrays = {"booster": _text(model.booster.model_to_string())}
    elif isinstance(model, XgBoost):
        about["kind"] = "xgboost"
        arrays = {"booster": np.frombuffer(bytes(model.booster.save_raw("ubj")), np.uint8)}
    return {"about": _text(json.dumps(about)), **arrays}


def _predictor(arrays: Mapping[str, NDArray[Any]], prefix: str) -> Predictor:
    own = {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
    about = json.loads(_read(own.pop("about")))
    categories = {name: tuple(codes) for name, codes in about["categories"].items()}
    design = Design(tuple(about["factors"]), categories, tuple(about["circular"]))
    return Predictor(design, _model(about["kind"], own), about["parameters"])


def _model(kind: str, arrays: Arrays) -> Model:
    if kind == "lightgbm":
        return LightGbm(library("lightgbm").Booster(model_str=_read(arrays["booster"])))
    if kind == "xgboost":
        booster = library("xgboost").Booster()
        booster.load_model(bytearray(arrays["booster"].tobytes()))
        return XgBoost(booster)
    model: Model = _PLAIN[kind](**{name: _plain(values) for name, values in arrays.items()})
    return model


def _line(kind: str | None, arrays: Arrays) -> Rising | None:
    if kind is None:
        return None
    return Calibration(*arrays["line"]) if kind == "isotonic" else calibration.Logistic(*map(float, arrays["line"]))


def _plain(values: NDArray[Any]) -> Any:
    """A number where the array has no dimension."""
    return values if values.ndim else values.item()


def _text(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _read(values: NDArray[Any]) -> str:
    return values.tobytes().decode()
