"""Progress bars of what is counted; a terminal shows them, a pipe does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from slidecloud.cli.console import console


class Tell(Protocol):
    """Is told how much is done, and of how much where that was not known before."""

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show it."""


@contextmanager
def bar(name: str, whole: int | None = None) -> Iterator[Tell]:
    """A progress bar of the whole, where that is known, and what to tell it; shown once there is something to tell."""
    from rich.progress import Progress

    terminal = console()
    with Progress(console=terminal, disable=not terminal.is_terminal, transient=True) as shown:
        task = shown.add_task(name, total=whole, visible=False)

        def tell(done: int, total: int | None = None) -> None:
            shown.update(task, completed=done, total=whole if total is None else total, visible=True)

        yield tell


@contextmanager
def training_bar() -> Iterator[Callable[[int, int, str], None]]:
    """A bar with the time that is left; is told steps done and wanted, and a few words."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    state = TextColumn("{task.fields[state]}")
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), state)
    terminal = console()
    with Progress(*columns, console=terminal, disable=not terminal.is_terminal) as shown:
        task = shown.add_task("training", total=None, state="")
        yield lambda done, wanted, words: shown.update(task, total=wanted, completed=done, state=words)
