"""What a server does with an object before it stores it: unknown fields go, defaults come, the rest is validated."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, Final

import jsonschema
import kubernetes_validate

from apiserver.kinds import DEFINITION, Kind, Object
from apiserver.refusal import Refusal

_STRICT: Final = "1.37"
_UNCHECKED: Final = ("Event",)
"""Kinds of which the operator writes many, and which are none of ours."""


def admitted(kind: Kind, item: Object) -> Object:
    """An object as the server stores it.

    Parameters
    ----------
    kind
        Its kind; a custom kind's schema decides, a core kind is validated strictly against that of Kubernetes.
    item
        The object.

    Raises
    ------
    Refusal
        If it is not valid.
    """
    if kind.schema is None:
        _validate_core(kind, item)
        return item
    head = {key: item[key] for key in ("apiVersion", "kind", "metadata")}
    body = _structural({key: value for key, value in item.items() if key not in head}, kind.schema)
    error = next(_Validator(kind.schema).iter_errors(body), None)
    if error is not None:
        raise _invalid(kind, item, error)
    return head | body


def _validate_core(kind: Kind, item: Object) -> None:
    if kind.name in _UNCHECKED or kind == DEFINITION:
        return
    try:
        kubernetes_validate.validate({key: item[key] for key in item if key != "status"}, _STRICT, strict=True)
    except kubernetes_validate.ValidationError as error:
        raise _invalid(kind, item, error) from None


def _invalid(kind: Kind, item: Object, error: Any) -> Refusal:
    place = ".".join(str(word) for word in error.path)
    return Refusal(422, f'{kind.name} "{item["metadata"].get("name")}" is invalid: {place}: {error.message[:300]}')


def _structural(value: Any, schema: Object) -> Any:
    """A value without the fields its schema does not name, and with the defaults it gives."""
    if isinstance(value, list):
        return [_structural(item, schema.get("items", {})) for item in value]
    if not isinstance(value, dict):
        return value
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties")
    found = {}
    for key, item in value.items():
        if key in properties:
            found[key] = _structural(item, properties[key])
        elif others or schema.get("x-kubernetes-preserve-unknown-fields"):
            found[key] = _structural(item, others) if isinstance(others, dict) else item
    for key, inner in properties.items():
        if key not in found and "default" in inner:
            found[key] = copy.deepcopy(inner["default"])
    return found


def _type(validator: Any, types: Any, value: Any, schema: Object) -> Iterator[Any]:
    """Type of a value, where null counts if the schema says ``nullable``."""
    if value is not None or not schema.get("nullable"):
        yield from jsonschema.Draft7Validator.VALIDATORS["type"](validator, types, value, schema)


_Validator: Final = jsonschema.validators.extend(jsonschema.Draft7Validator, {"type": _type})
