"""Libraries of the extras, imported when they are needed and named with their remedy when they are missing."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Final

_EXTRAS: Final = {
    "lightgbm": "hazard",
    "pyflwdir": "hazard",
    "sklearn": "hazard",
    "statsmodels": "forecast",
    "torch": "detect",
    "xgboost": "xgboost",
}
_NAMES: Final = {"sklearn": "scikit-learn"}


def library(name: str, *, extra: str | None = None) -> ModuleType:
    """The module `name`, such as ``sklearn.ensemble``.

    Parameters
    ----------
    name
        Of the module.
    extra
        To name where it is missing, for modules that are in several.

    Raises
    ------
    ModuleNotFoundError
        Naming the extra to install.
    ImportError
        Naming the system's library that the module needs, where that is missing.
    """
    top = name.partition(".")[0]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != top:
            raise
        raise ModuleNotFoundError(
            f"{_NAMES.get(top, top)} is not installed; install it with: "
            f"pip install 'slidecloud[{extra or _EXTRAS[top]}]'",
            name=top,
        ) from error
    except OSError as error:
        raise ImportError(
            f"{_NAMES.get(top, top)} is installed, and cannot be loaded: {error}. LightGBM needs the OpenMP library of "
            "the system, on Debian: apt-get install libgomp1"
        ) from error
