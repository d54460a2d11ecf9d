"""The image's recipe: what it must not do, and its install steps in a bare environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from slidecloud.cluster.pods import USER

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "deploy/Dockerfile").read_text()
STAGES = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]


def _stage(name: str) -> str:
    (found,) = (stage for stage in STAGES if stage.splitlines()[0].endswith(f" AS {name}"))
    return found


def test_bases_are_build_arguments() -> None:
    bases = {stage.split()[0] for stage in STAGES}
    named = set(re.findall(r" AS (\S+)", TEXT))
    assert bases - named == {"${PYTHON}", "${RUNTIME}"}


def test_images_run_as_the_user_of_the_pods() -> None:
    assert f"USER {USER}:{USER}" in _stage("runtime")
    for name in ("cpu", "gpu"):
        assert _stage(name).startswith("runtime ")
        assert "USER" not in _stage(name)
    assert STAGES[-1].splitlines()[0].endswith(" AS cpu")


def test_what_is_copied_exists_and_is_let_into_the_build() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.*)$", TEXT, flags=re.MULTILINE) for word in line.split()[:-1]
    }
    assert copied == allowed
    assert all((ROOT / path).exists() for path in copied)


def test_what_every_command_needs_is_installed() -> None:
    """All extras but those of tests and of parts that are not free; the GPU's in its image alone."""
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for name, extras in (
        ("build", set(known) - {"gpu", "snaphu", "test"}),
        ("build-gpu", set(known) - {"snaphu", "test"}),
    ):
        (given,) = re.findall(r"'\.\[(.*)\]'", _stage(name))
        assert set(given.split(",")) == extras
    # LightGBM's wheel is linked with the system's OpenMP, which a slim base lacks.
    assert "libgomp1" in _stage("runtime")


@pytest.mark.long
def test_install_steps_in_a_bare_environment(tmp_path: Path) -> None:
    """COPY and RUN of the build stage, with another folder for /opt and nothing of this environment but Python."""
    place = tmp_path / "opt/slidecloud"
    bare = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    bare |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    source = tmp_path / "src"
    source.mkdir()
    for line in _stage("build").splitlines():
        if line.startswith("COPY "):
            *paths, target = line.split()[1:]
            for path in paths:
                _copy(ROOT / path, source / target / path if target.endswith("/") else source / target)
        elif line.startswith("RUN "):
            command = line.removeprefix("RUN ").replace("/opt/slidecloud", str(place))
            command = re.sub(r"^python ", f"{sys.executable} ", command)
            subprocess.run(command, shell=True, cwd=source, env=bare, check=True, timeout=1200)
    shutil.rmtree(source)  # what is installed stands by itself
    for words in (["slidecloud", "--version"], ["dask", "scheduler", "--version"], ["dask", "worker", "--version"]):
        subprocess.run([place / "bin" / words[0], *words[1:]], cwd=tmp_path, env=bare, check=True, timeout=120)
    modules = "import slidecloud.cluster.preload, slidecloud.client.driver, dask_kubernetes, kr8s, s3fs, matplotlib"
    modules += ", lightgbm, pyflwdir, sklearn.ensemble, xgboost"
    subprocess.run([place / "bin/python", "-c", modules], cwd=tmp_path, env=bare, check=True, timeout=120)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
