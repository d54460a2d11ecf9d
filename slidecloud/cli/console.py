"""Where words go: results to stdout, messages to stderr, without colour or bars where nobody looks."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from slidecloud import logs

if TYPE_CHECKING:
    from rich.console import Console

    from slidecloud.pipeline.progress import Progress


_LEVELS: Final = {None: logging.INFO, "yellow": logging.WARNING, "red": logging.ERROR}
_log = logging.getLogger("slidecloud.cli")


def console() -> Console:
    """The console of messages (stderr)."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def show(lines: Iterable[str]) -> None:
    """Print results on stdout, a line each."""
    import sys

    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()


def say(text: str, *, style: str | None = None) -> None:
    """Print a message on stderr, or log it where the log is for machines."""
    if logs.started() == "json":
        _log.log(_LEVELS.get(style, logging.INFO), text)
        return
    from rich.text import Text

    console().print(Text(text, style=style or ""), soft_wrap=True)


def progress() -> Progress:
    """A live bar on a terminal, plain lines in a pipe."""
    from slidecloud.pipeline.progress import progress_for

    return progress_for(console())
