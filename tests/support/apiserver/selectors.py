"""Label and field selectors, as clients write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from apiserver.kinds import Object
from apiserver.refusal import Refusal

Selector = Callable[[Object], bool]

_TERM: Final = re.compile(
    r"\s*(?:(?P<set>[^\s!=(),]+)\s+(?P<how>in|notin)\s*\((?P<values>[^)]*)\)"
    r"|(?P<key>[^\s!=(),]+)\s*(?P<sign>==|=|!=)\s*(?P<value>[^\s(),]*)"
    r"|(?P<not>!?)\s*(?P<name>[^\s!=(),]+))\s*(?:,|$)"
)


def select(*, labels: str = "", fields: str = "") -> Selector:
    """Selector of what matches both; empty text matches all.

    Raises
    ------
    Refusal
        If the text is no selector.
    """
    of_labels = [_on_labels(found) for found in _terms(labels)]
    of_fields = [_on_field(found) for found in _terms(fields)]
    return lambda item: all(matches(item) for matches in (*of_labels, *of_fields))


def with_labels(wanted: Mapping[str, str]) -> Selector:
    """Selector of objects that have these labels, as services and deployments have it."""
    return lambda item: wanted.items() <= (item["metadata"].get("labels") or {}).items()


def _terms(text: str) -> list[re.Match[str]]:
    found, place = [], 0
    text = text.strip().strip(",")
    while place < len(text):
        term = _TERM.match(text, place)
        if term is None:
            raise Refusal(400, f"unable to parse the selector {text!r} at {text[place:]!r}")
        found.append(term)
        place = term.end()
    return found


def _on_labels(term: re.Match[str]) -> Selector:
    key = term["set"] or term["key"] or term["name"]
    if term["set"]:
        values = {value.strip() for value in term["values"].split(",")}
        return lambda item: (_labels(item).get(key) in values) == (term["how"] == "in")
    if term["key"]:
        return lambda item: (_labels(item).get(key) == term["value"]) == (term["sign"] != "!=")
    return lambda item: (key in _labels(item)) == (term["not"] == "")


def _on_field(term: re.Match[str]) -> Selector:
    if not term["key"]:
        raise Refusal(400, f"unable to parse the field selector {term[0]!r}; expected field=value")
    return lambda item: (_field(item, term["key"]) == term["value"]) == (term["sign"] != "!=")


def _labels(item: Object) -> Mapping[str, str]:
    return item["metadata"].get("labels") or {}


def _field(item: Any, path: str) -> str:
    for word in path.split("."):
        item = item.get(word) if isinstance(item, dict) else None
    return "" if item is None else str(item)
