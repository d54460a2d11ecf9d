"""``slidecloud optical map`` and ``change``, killed between what a unit writes and given again."""

from __future__ import annotations

import signal
import subprocess
import sys

import mapped
import numpy as np
import pytest
import runs
import yaml

from slidecloud.cli import main
from slidecloud.pipeline.orphans import collect
from slidecloud.pipeline.verify import verify

pytest.importorskip("torch")

DYING = """
import os, signal
from slidecloud.cli import main
from slidecloud.store.arrays import Writer
whole, calls = Writer.{method}, []
def dying(self, *what):
    whole(self, *what)
    calls.append(0)
    if len(calls) == {last}:
        os.kill(os.getpid(), signal.SIGKILL)
Writer.{method} = dying
main(["optical", {command!r}, {config!r}])
"""


def write(folder):
    """Two dates of a scene of four tiles, of which the later has a slide more."""
    folder.mkdir()
    old = mapped.slides((300, 600))
    young = old.copy()
    young[:, 60:100, 100:200] = mapped.BRIGHT
    for name, values in (("old", old), ("young", young)):
        mapped.scene(folder / f"{name}.tif", np.ascontiguousarray(values))
    content = {
        "store": "optical.zarr", "weights": "../weights.safetensors", "map": {"tile": 128},
        "scenes": {name: {"image": f"{name}.tif"} for name in ("old", "young")},
        "change": {"before": "old", "after": "young"}, "resources": {"executor": "serial", "tile": [256, 512]},
    }  # fmt: skip
    (folder / "optical.yaml").write_text(yaml.safe_dump(content))
    return folder / "optical.yaml"


def killed(config, command, method, last):
    """Give a command in a process that ends once it has written so often."""
    script = DYING.format(method=method, last=last, command=command, config=str(config))
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_killed_commands_go_on_where_they_were(tmp_path, capsys):
    mapped.bright_network(tmp_path / "weights.safetensors")
    whole, config = write(tmp_path / "whole"), write(tmp_path / "killed")
    for command in ("map", "change"):
        assert main(["optical", command, str(whole)]) == 0
    expected, store = runs.objects(whole.parent / "optical.zarr"), config.parent / "optical.zarr"
    capsys.readouterr()

    # In the third tile of ten units, with its scores written and not its mask; then with outlines and no record.
    killed(config, "map", "write", 5)
    killed(config, "map", "write_object", 1)
    assert (store / "optical/old.parquet").exists()
    assert main(["optical", "change", str(config)]) == 1
    assert "has no outlines" in " ".join(capsys.readouterr().err.split())
    assert main(["optical", "map", str(config)]) == 0
    assert "2 units done, 8 were done before" in capsys.readouterr().out
    # With the first of the tables of change.
    killed(config, "change", "write_object", 1)
    assert main(["optical", "change", str(config)]) == 0
    assert "1 units done, 0 were done before" in capsys.readouterr().out
    assert runs.whole(store) == expected
    assert verify(str(store)).damaged == ()
    assert collect(str(store)).orphans == ()
    for command, units in (("map", 10), ("change", 1)):
        assert main(["optical", command, str(config)]) == 0
        assert f"0 units done, {units} were done before" in capsys.readouterr().out
