"""Log records of slidecloud: what happens to which unit of which run, in lines for people or as JSON for collectors.

Loggers are ``slidecloud.*``. A record carries what it speaks of as attributes (`FIELDS`), given as ``extra``. Nothing
is printed before `start`; a program that uses slidecloud as a library sets up logging as it likes.
"""

from __future__ import annotations

import datetime
import json
import logging
import os
import sys
from typing import Any, Final, Literal, get_args

from slidecloud.secrets import hide

Format = Literal["plain", "json"]
Level = Literal["debug", "info", "warning", "error"]

FORMAT: Final = "SLIDECLOUD_LOG_FORMAT"
LEVEL: Final = "SLIDECLOUD_LOG_LEVEL"
"""Environment variables that ask for a log; pods have them."""

FIELDS: Final = (
    "run", "stage", "unit", "outcome", "attempt", "seconds", "bytes_read", "bytes_written", "worker", "reason", "units",
)  # fmt: skip
"""What a record may carry: the store written, stage and unit, how it ended, which try it was, seconds it took, bytes
moved as planned, host and process, why it was set aside, and a number of units."""

_IN_MESSAGE: Final = ("stage", "unit", "outcome")


class JsonLines(logging.Formatter):
    """One JSON object a line, without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON: time (UTC), level, logger, message, its fields, and a traceback where there is one."""
        entry: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_fields(record),
        }
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return hide(json.dumps(entry, ensure_ascii=False, default=str))


class Plain(logging.Formatter):
    """A line for people, without secrets; tracebacks below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Time (UTC), level, message, and in brackets the fields that it does not say itself."""
        told = " ".join(f"{name}={value}" for name, value in _fields(record).items() if name not in _IN_MESSAGE)
        line = f"{_time(record)} {record.levelname.lower()} {record.getMessage()}" + (f" [{told}]" if told else "")
        return hide(f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line)


class _Stderr(logging.Handler):
    """Writes to what is stderr at the moment: a live bar puts something in its place that prints above the bar."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        try:
            sys.stderr.write(f"{self.format(record)}\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            self.handleError(record)


def start(form: Format = "plain", level: Level = "info") -> None:
    """Print records of slidecloud to stderr, from this level on; a second call takes the place of the first."""
    logger = logging.getLogger("slidecloud")
    for handler in [handler for handler in logger.handlers if isinstance(handler, _Stderr)]:
        logger.removeHandler(handler)
    handler = _Stderr()
    handler.setFormatter(formatter(form))
    logger.addHandler(handler)
    logger.setLevel(level.upper())


def formatter(form: Format) -> logging.Formatter:
    """The formatter of a format."""
    return JsonLines() if form == "json" else Plain()


def asked() -> tuple[Format, Level] | None:
    """Format and level that the environment asks for, or None where it asks for no log.

    Raises
    ------
    ValueError
        If it asks for one that there is not.
    """
    form, level = os.environ.get(FORMAT), os.environ.get(LEVEL)
    if form is None and level is None:
        return None
    return _one_of(FORMAT, form or "plain", Format), _one_of(LEVEL, level or "info", Level)


def started() -> Format | None:
    """The format in which records are printed, or None where they are not."""
    for handler in logging.getLogger("slidecloud").handlers:
        if isinstance(handler, _Stderr):
            return "json" if isinstance(handler.formatter, JsonLines) else "plain"
    return None


def _one_of(name: str, value: str, choice: Any) -> Any:
    known = get_args(choice)
    if value.lower() not in known:
        raise ValueError(f"{name} is {value!r}; expected {', '.join(known[:-1])} or {known[-1]}")
    return value.lower()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    found = {name: getattr(record, name, None) for name in FIELDS}
    return {
        name: round(value, 3) if isinstance(value, float) else value
        for name, value in found.items()
        if value is not None
    }


def _time(record: logging.LogRecord) -> str:
    moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
