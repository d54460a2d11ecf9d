"""The driver's process: again after a loss, not after an end, and out in order when it is told to go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from slidecloud.client.driver import Driver

COUNT = "import sys, pathlib; p = pathlib.Path({file!r}); p.write_text(p.read_text() + 'x'); {rest}"

PROGRAM = (
    "import pathlib, time",
    "here = pathlib.Path(__file__).parent",
    "try:",
    "    (here / 'began').touch()",
    "    time.sleep(600)",
    "except KeyboardInterrupt:",
    "    (here / 'interrupted').touch()",
    "    raise SystemExit(130)",
)


def _command(folder: Path, rest: str) -> list[str]:
    (folder / "tries").write_text("")
    return [sys.executable, "-c", COUNT.format(file=str(folder / "tries"), rest=rest)]


def _tries(folder: Path) -> int:
    return len((folder / "tries").read_text())


@pytest.mark.parametrize(("code", "tries"), [(0, 1), (2, 1), (3, 1), (1, 3)])
def test_only_a_loss_is_tried_again(tmp_path: Path, code: int, tries: int) -> None:
    driver = Driver(_command(tmp_path, f"sys.exit({code})"), pauses=(0.0, 0.0))
    assert driver.run(None) == code
    assert _tries(tmp_path) == tries


def test_a_killed_command_goes_on(tmp_path: Path) -> None:
    kill = "import os; os.kill(os.getpid(), 9) if len(p.read_text()) < 2 else sys.exit(0)"
    assert Driver(_command(tmp_path, kill), pauses=(0.0, 0.0)).run(None) == 0
    assert _tries(tmp_path) == 2


def test_it_waits_for_the_scheduler(tmp_path: Path) -> None:
    with socket.socket() as later:
        later.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{later.getsockname()[1]}"
        threading.Timer(0.5, later.listen).start()
        began = time.monotonic()
        assert Driver(_command(tmp_path, "sys.exit(0)")).run(address) == 0
        assert time.monotonic() - began > 0.4


@pytest.mark.parametrize("ignored", [False, True], ids=["", "in the background of a shell"])
def test_sigterm_interrupts_the_run_and_ends(tmp_path: Path, ignored: bool) -> None:
    """The command sees an interrupt, as at the keyboard, in which `slidecloud run` gives its lease back."""
    (tmp_path / "slidecloud").mkdir()
    (tmp_path / "slidecloud/__init__.py").touch()
    program = "\n".join(PROGRAM)
    (tmp_path / "slidecloud/__main__.py").write_text(program)
    import slidecloud.client.driver as module

    environment = dict(os.environ)
    environment.pop("DASK_SCHEDULER_ADDRESS", None)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN) if ignored else signal.getsignal(signal.SIGINT)
    try:  # what is ignored here is ignored there
        process = subprocess.Popen([sys.executable, str(module.__file__), "run"], env=environment, cwd=tmp_path)
    finally:
        signal.signal(signal.SIGINT, before)
    end = time.monotonic() + 120
    while not (tmp_path / "slidecloud/began").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(120) == 130
    assert (tmp_path / "slidecloud/interrupted").exists()


def test_sigterm_while_the_command_is_being_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signal may come before the driver knows the process that it has just started."""
    program = "import time; time.sleep(600)"
    driver = Driver([sys.executable, "-c", program])
    start = subprocess.Popen

    def start_and_stop(*words: object, **options: object) -> object:
        process = start(*words, **options)  # type: ignore[call-overload]
        driver.stop(signal.SIGTERM, None)
        return process

    monkeypatch.setattr(subprocess, "Popen", start_and_stop)
    began = time.monotonic()
    assert driver.run(None) == 130
    assert time.monotonic() - began < 300
