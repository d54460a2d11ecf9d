"""The shape of the code: layers, types and style, so that it cannot rot unseen."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOOLS = {
    "layers": ["lint_imports"],
    "types": ["mypy"],
    "style": ["ruff", "check", "."],
    "format": ["ruff", "format", "--check", "."],
}


@pytest.mark.parametrize("tool", TOOLS)
def test_tool_is_clean(tool):
    first, *rest = TOOLS[tool]
    program = [str(Path(sys.executable).with_name(first.replace("_", "-"))), *rest]
    finished = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_readme_holds_the_schema():
    """The README's tables are those of the schema module."""
    from slidecloud.store import schema

    readme = (ROOT / "README.md").read_text()
    for group in schema.GROUPS:
        assert schema.table(group) in readme, f"write slidecloud.store.schema.table({group!r}) into the README"
