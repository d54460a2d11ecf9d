"""Changes to an object, in the two forms that clients send."""

from __future__ import annotations

import json
from typing import Any

import jsonpatch

from apiserver.kinds import Object
from apiserver.refusal import Refusal


def patched(item: Object, body: bytes, *, form: str) -> Object:
    """A changed copy of an object.

    Parameters
    ----------
    item
        The object as it is.
    body
        The change.
    form
        Content type of the change.

    Raises
    ------
    Refusal
        If the form is not known, or a test of a JSON patch fails.
    """
    change = json.loads(body)
    if form == "application/merge-patch+json":
        return dict(merged(item, change))
    if form == "application/json-patch+json":
        try:
            return dict(jsonpatch.apply_patch(item, change))
        except jsonpatch.JsonPatchException as error:
            raise Refusal(422, f"the patch does not apply: {error}") from None
    raise Refusal(415, f"{form} is not supported; expected a merge patch or a JSON patch")


def merged(old: Any, change: Any) -> Any:
    """A merge patch (RFC 7386) applied: nulls remove, objects merge, all else replaces."""
    if not isinstance(change, dict):
        return change
    found = dict(old) if isinstance(old, dict) else {}
    for key, value in change.items():
        if value is None:
            found.pop(key, None)
        else:
            found[key] = merged(found.get(key), value)
    return found
