"""From exceptions to one line and an exit code: no traceback reaches a user who has not asked for one."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final, TextIO

from cyclopts import CycloptsError

from slidecloud.cli.console import say

if TYPE_CHECKING:
    from cyclopts import App

DONE: Final = 0
ERROR: Final = 1
USAGE: Final = 2
QUARANTINED: Final = 3
INTERRUPTED: Final = 130

_WRITTEN_FOR_PEOPLE: Final = frozenset({"ConfigError", "DataError"})
_EXTRAS: Final = {
    **dict.fromkeys(("matplotlib", "bokeh"), "viz"),
    **dict.fromkeys(("torch", "safetensors"), "detect"),
    **dict.fromkeys(("s3fs", "obstore", "botocore", "aiobotocore"), "s3"),
    "statsmodels": "forecast",
    **dict.fromkeys(("dask_kubernetes", "kr8s", "httpx", "prometheus_client"), "k8s"),
}


class UsageError(ValueError):
    """Arguments that do not fit together; ends with exit code 2."""


@dataclass
class Debug:
    """Whether tracebacks are shown."""

    on: bool = False


def guard(build: Callable[[Debug], App], arguments: Sequence[str] | None) -> int:
    """Build the program, run it, and turn whatever it raises into a message and an exit code."""
    debug = Debug(bool(os.environ.get("SLIDECLOUD_DEBUG")))
    with warnings.catch_warnings():
        warnings.showwarning = _show_warning
        try:
            code = build(debug)(
                arguments, exit_on_error=False, print_error=False, result_action="return_int_as_exit_code_else_zero"
            )
        except KeyboardInterrupt:
            say("Interrupted. What is finished is stored; the same command goes on from there.", style="yellow")
            return INTERRUPTED
        except (CycloptsError, UsageError) as error:
            say(f"{_sentence(str(error))} See 'slidecloud --help' and 'slidecloud COMMAND --help'.", style="red")
            return USAGE
        except BrokenPipeError:
            # The reader of stdout (head, less) has left: nothing to say, and nowhere to say it.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ERROR
        except Exception as error:  # noqa: BLE001 - the last line before the user
            if debug.on:
                traceback.print_exc()
            say(explain(error), style="red")
            return ERROR
        return int(code)


def explain(error: BaseException) -> str:
    """What a user reads about an error.

    Errors raised in our own code are written for people and stand as they are. Those of the system get their file and a
    remedy. Anything else is named with its type, and with the way to its traceback.
    """
    if isinstance(error, ModuleNotFoundError) and error.name and error.name.split(".")[0] in _EXTRAS:
        extra = _EXTRAS[error.name.split(".")[0]]
        return f"Error: {error.name} is not installed; install it with: pip install 'slidecloud[{extra}]'"
    if isinstance(error, OSError) and error.errno is not None:
        return f"Error: {_system(error)}"
    if type(error).__name__ in _WRITTEN_FOR_PEOPLE or _raised_by_us(error.__traceback__):
        return f"Error: {_sentence(_text(error))}"
    return (
        f"Unexpected {type(error).__name__}: {_sentence(_text(error) or 'no message')} "
        "What is stored is safe, and the same command goes on from there. Add --debug to see the traceback."
    )


def _text(error: BaseException) -> str:
    """The message; KeyError would quote it."""
    if isinstance(error, KeyError) and len(error.args) == 1:
        return str(error.args[0])
    return str(error)


def _raised_by_us(where: TracebackType | None) -> bool:
    if where is None:
        return False
    while where.tb_next is not None:
        where = where.tb_next
    return str(where.tb_frame.f_globals.get("__name__", "")).split(".")[0] == "slidecloud"


def _system(error: OSError) -> str:
    name = f" {error.filename!r}" if error.filename else ""
    if isinstance(error, PermissionError):
        return f"No permission for{name or ' the file'}. Choose another folder, or change its permissions."
    if isinstance(error, FileNotFoundError):
        return f"There is no{name or ' such file'}. Check the path."
    if isinstance(error, IsADirectoryError | NotADirectoryError | FileExistsError):
        return f"{error.strerror}:{name}. Check the path."
    where = f":{name}" if name else ""
    return f"{error.strerror}{where}. What is stored is safe; set this right and give the same command again."


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,  # noqa: ARG001 - the signature of warnings.showwarning
    lineno: int,  # noqa: ARG001
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    label = "Warning" if category.__module__.split(".")[0] in {"slidecloud", "builtins"} else category.__name__
    say(f"{label}: {_sentence(str(message))}", style="yellow")
