"""The process of the driver's pod: waits for the scheduler, runs ``slidecloud run``, and again when that was lost.

``python -m slidecloud.client.driver run region.yaml --scheduler tcp://…``. A run can lose its scheduler, its memory or
the lease of its store to a driver that died a moment ago. What is done is stored, so the same command goes on; it gets
three chances, further apart than a lease lives. SIGTERM ends it in order, which gives the lease back.

What it cannot survive is the loss of its pod, with its node or by hand. The operator does not make the pod of a
``DaskJob`` again and goes on calling the job running, and no field of a ``DaskJob`` changes that: ``restartPolicy`` is
about the container in a pod that is there, and would start again what ended for good. Then ``slidecloud submit`` takes
the job for what it is, ended, and the run goes on from what is stored.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import Final

from slidecloud import logs

ADDRESS: Final = "DASK_SCHEDULER_ADDRESS"
"""Environment variable in which the operator names the scheduler."""

_FINAL: Final = (0, 2, 3)
"""Exit codes that trying again would not change: done, wrong usage, finished with units in quarantine."""

_PAUSES: Final = (15.0, 75.0)
_SCHEDULER_PATIENCE: Final = 1800.0
_log = logging.getLogger("slidecloud.client.driver")


class Driver:
    """Runs a command until it ends for good.

    Parameters
    ----------
    command
        Words of the command.
    pauses
        Seconds before each further try.
    """

    def __init__(self, command: Sequence[str], *, pauses: Sequence[float] = _PAUSES) -> None:
        self._command = list(command)
        self._pauses = pauses
        self._child: subprocess.Popen[bytes] | None = None
        self._stopped = self._interrupted = False

    def run(self, address: str | None) -> int:
        """Wait for the scheduler at an address, run the command, try again; the last exit code."""
        code = 1
        for pause in (0.0, *self._pauses):
            self._sleep(pause)
            if self._stopped or (address is not None and not self._scheduler_answers(address)):
                break
            code = self._start().wait()
            if code in _FINAL or self._stopped:
                break
            _log.warning(
                "slidecloud ended with %d; what is done is stored, and the same command goes on from there.", code
            )
        return 130 if self._stopped else code if code >= 0 else 128 - code

    def stop(self, _signal: int, _frame: FrameType | None) -> None:
        """End in order, as an interrupt at the keyboard would."""
        self._stopped = True
        self._interrupt()

    def _start(self) -> subprocess.Popen[bytes]:
        # A group of its own: what ends this process reaches the run as an interrupt, and only as that.
        self._child = subprocess.Popen(self._command, process_group=0)
        if self._stopped:
            self._interrupt()  # told to stop while it was being started
        return self._child

    def _interrupt(self) -> None:
        if self._child is not None and not self._interrupted and self._child.poll() is None:
            self._interrupted = True  # once: a second interrupt would cut the first one's work short
            self._child.send_signal(signal.SIGINT)

    def _scheduler_answers(self, address: str) -> bool:
        host, _, port = address.rpartition("://")[2].rpartition(":")
        end = time.monotonic() + _SCHEDULER_PATIENCE
        while not self._stopped and time.monotonic() < end:
            try:
                socket.create_connection((host, int(port)), timeout=5).close()
                return True
            except OSError:
                self._sleep(1.0)
        if not self._stopped:
            _log.error("No scheduler answers at %s within %.0f s; is its pod running?", address, _SCHEDULER_PATIENCE)
        return False

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not self._stopped and time.monotonic() < end:
            time.sleep(min(0.5, seconds))


def main(arguments: Sequence[str]) -> int:
    """Drive ``slidecloud`` with these arguments."""
    logs.start(*(logs.asked() or ("plain", "info")))
    driver = Driver([sys.executable, "-m", "slidecloud", *arguments])
    # An interrupt too: who is started in the background of a shell inherits that it is ignored, and would hand that on.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, driver.stop)
    return driver.run(os.environ.get(ADDRESS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
