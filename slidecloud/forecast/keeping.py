"""What a method has learnt as bytes, and back: numbers and names alone, so that reading a store runs nothing of it.

The bytes are an archive of NumPy arrays with a text that says how they belong together. Types are our own: dataclasses
and named tuples of the forecasts and the networks, classes of theirs that say what they are made of (``kept() -> dict``
and the class method ``made_again(dict)``), and functions of their modules by name.
"""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import zipfile
from types import FunctionType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from slidecloud.types import DataError

_TREE: Final = "tree"
_OURS: Final = ("slidecloud.forecast.", "slidecloud.models.", "slidecloud.kernels.")
_PLAIN: Final = (bool, int, float, str, type(None))

Arrays = dict[str, NDArray[Any]]


def pack(fitted: Any) -> bytes:
    """Something that has learnt as bytes, always the same for the same.

    Raises
    ------
    TypeError
        If it holds what cannot be kept.
    """
    arrays: Arrays = {}
    tree = _taken_apart(fitted, arrays)
    text = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **{_TREE: text}, **arrays)
    return buffer.getvalue()


def unpack(data: bytes) -> Any:
    """The same again.

    Raises
    ------
    DataError
        If the bytes are not what `pack` makes, or of a type that this version does not know.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as found:
            arrays = dict(found)
        return _put_together(json.loads(arrays.pop(_TREE).tobytes()), arrays)
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        ImportError,
        EOFError,
        OSError,
        zipfile.BadZipFile,
    ) as error:
        raise DataError(
            f"What a method has learnt cannot be read ({type(error).__name__}: {error}). Run 'slidecloud verify' with "
            "--repair on the store, and then 'slidecloud forecast' without --nightly."
        ) from None


def _taken_apart(value: Any, arrays: Arrays) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.hasobject:
            raise TypeError(f"An array of {value.dtype} cannot be kept; expected numbers, dates or texts.")
        name = f"a{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array" if isinstance(value, np.ndarray) else "scalar": name}
    if type(value) in (list, tuple):
        return {type(value).__name__: [_taken_apart(one, arrays) for one in value]}
    if type(value) is dict:
        return {"dict": [[_taken_apart(key, arrays), _taken_apart(one, arrays)] for key, one in value.items()]}
    if isinstance(value, FunctionType) and _is_ours(value.__module__) and "<" not in value.__qualname__:
        return {"function": f"{value.__module__}:{value.__qualname__}"}
    kind = type(value)
    if not _is_ours(kind.__module__):
        raise TypeError(f"{kind.__module__}.{kind.__qualname__} cannot be kept; expected arrays, and types of ours.")
    if hasattr(value, "kept"):
        parts = value.kept()
    elif dataclasses.is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value) if field.init}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        parts = value._asdict()
    else:
        raise TypeError(f"{kind.__qualname__} cannot be kept: it is no dataclass, and does not say what it is made of.")
    return {"type": f"{kind.__module__}:{kind.__qualname__}", "parts": _taken_apart(dict(parts), arrays)}


def _put_together(tree: Any, arrays: Arrays) -> Any:
    if isinstance(tree, _PLAIN):
        return tree
    if "type" in tree:
        parts, kind = _put_together(tree["parts"], arrays), _kind(tree["type"])
        return kind.made_again(parts) if hasattr(kind, "made_again") else kind(**parts)
    ((what, content),) = tree.items()
    if what == "function":
        return _function(content)
    if what == "array":
        return arrays[content]
    if what == "scalar":
        return arrays[content][()]
    if what == "dict":
        return {_put_together(key, arrays): _put_together(one, arrays) for key, one in content}
    return {"list": list, "tuple": tuple}[what](_put_together(one, arrays) for one in content)


def _kind(name: str) -> Any:
    """A type of ours that is kept, by its module and name."""
    found = _named(name)
    known = dataclasses.is_dataclass(found) or hasattr(found, "_fields") or hasattr(found, "made_again")
    if not isinstance(found, type) or not known:
        raise ValueError(f"{name} is no type that is kept")
    return found


def _function(name: str) -> Any:
    """A function of ours by its module and name."""
    found = _named(name)
    if not isinstance(found, FunctionType):
        raise ValueError(f"{name} is no function")
    return found


def _named(name: str) -> Any:
    """What one of our modules itself defines under a name; nothing else may be named."""
    module, _, path = name.partition(":")
    if not _is_ours(module):
        raise ValueError(f"{name} is not ours")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    if getattr(found, "__module__", None) != module:
        raise ValueError(f"{name} is not defined there")
    return found


def _is_ours(module: str) -> bool:
    return module.startswith(_OURS)
