"""Help teaches, comes at once, and imports nothing heavy."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

from slidecloud.cli import main

HEAVY = ("numpy", "dask", "distributed", "xarray", "zarr", "numba", "rasterio", "matplotlib", "scipy", "pydantic")
HEAVY += ("kr8s", "dask_kubernetes")
COMMANDS = ("demo", "ingest", "network", "estimate", "run", "status", "verify", "export", "bench")
COMMANDS += ("submit", "logs", "cancel", "detect", "timeseries", "reference", "decompose", "hazard", "forecast")
SCRIPT = """
import sys
from slidecloud.cli import main
code = main(sys.argv[1:])
print(sorted(set(sys.modules) & set({heavy!r})), file=sys.stderr)
sys.exit(code)
"""


def _call(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    command = [sys.executable, "-c", SCRIPT.format(heavy=HEAVY), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], *[[name, "--help"] for name in COMMANDS], ["rnu"]])
def test_nothing_heavy_is_imported(words: list[str]) -> None:
    assert _call(*words).stderr.splitlines()[-1] == "[]"


def test_help_names_every_command_and_exit_code() -> None:
    found = _call("--help")
    assert found.returncode == 0
    for word in (*COMMANDS, "Exit codes", "130", "stderr"):
        assert word in found.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_has_example_and_exit_codes(name: str) -> None:
    found = _call(name, "--help")
    assert found.returncode == 0
    assert f"slidecloud {name}" in found.stdout.split("For example:")[1]
    assert "Exit codes:" in found.stdout.split("For example:")[1]


def test_help_answers_at_once() -> None:
    """In processor time, and the best of three, so that a busy machine does not decide."""
    times = []
    for _ in range(3):
        began = _processor_time()
        _call("--help")
        times.append(_processor_time() - began)
    assert 0.0 < min(times) < 1.0


def _processor_time() -> float:
    """Seconds that the processes started here, and ended, have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_program_is_installed() -> None:
    (found,) = entry_points(group="console_scripts", name="slidecloud")
    assert found.load() is main
