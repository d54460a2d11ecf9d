"""What a user reads when Kubernetes refuses or is not there, and what needs none."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import manifests
import pytest
import yaml

from slidecloud.cli import main

Refuse = Callable[[int], None]
KINDS = {
    "v1": ("Pod", "ConfigMap", "ServiceAccount"),
    "kubernetes.dask.org/v1": ("DaskJob", "DaskCluster", "DaskWorkerGroup", "DaskAutoscaler"),
    "networking.k8s.io/v1": ("NetworkPolicy",),
}
REGION = "run: s3://bucket/r.zarr\nstacks: s3://bucket/s\nkubernetes: {image: slidecloud}\n"


@pytest.fixture
def region(tmp_path: Path) -> str:
    """A configuration for Kubernetes."""
    (tmp_path / "region.yaml").write_text(REGION)
    return str(tmp_path / "region.yaml")


def _kubeconfig(folder: Path, server: str, patch: pytest.MonkeyPatch) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": server}}],
        "users": [{"name": "test", "user": {"token": "none"}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": "geo"}}],
    }
    (folder / "kubeconfig").write_text(yaml.safe_dump(config))
    patch.setenv("KUBECONFIG", str(folder / "kubeconfig"))


@pytest.fixture
def refuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Refuse]:
    """An API server that says its version, has no jobs, and refuses the rest with a code."""
    codes = {"create": 200}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(200, _found(self.path.partition("?")[0].strip("/").split("/")))

        def do_POST(self) -> None:
            self._answer(codes["create"], {"kind": "Status", "message": "no", "code": codes["create"]})

        def _answer(self, code: int, body: object) -> None:
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _kubeconfig(tmp_path, f"http://127.0.0.1:{server.server_port}", monkeypatch)
    yield lambda code: codes.update(create=code)
    server.shutdown()
    server.server_close()


def _found(path: list[str]) -> dict[str, object]:
    """What a server without any object answers: version, groups, kinds, empty lists."""
    if path == ["version"]:
        return {"major": "1", "minor": "35", "gitVersion": "v1.35.0"}
    if path == ["api"]:
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == ["apis"]:
        groups = [
            {"name": version.split("/")[0], "versions": [{"groupVersion": version, "version": "v1"}]}
            for version in KINDS
            if "/" in version
        ]
        return {"kind": "APIGroupList", "groups": groups}
    version = "/".join(path[1:])
    if version not in KINDS:
        return {"kind": "List", "items": [], "metadata": {}}
    resources = [
        {"name": kind.lower().removesuffix("y") + ("ies" if kind.endswith("y") else "s"), "kind": kind}
        | {"singularName": kind.lower(), "namespaced": True, "verbs": ["create", "delete", "get", "list"]}
        for kind in KINDS[version]
    ]
    return {"kind": "APIResourceList", "groupVersion": version, "resources": resources}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (403, "You may not create DaskJob r-"),
        (404, "Is the Dask operator installed?"),
        (409, "is submitted already, as job r-"),
        (422, "Could not create DaskJob r-"),
    ],
)
def test_a_refusal_says_what_to_do(
    refuse: Refuse, region: str, code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    refuse(code)
    assert main(["submit", region]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "words"),
    [("logs", "has no driver in namespace geo"), ("cancel", "is not submitted in namespace geo (no job named r-")],
)
def test_what_is_not_submitted(refuse: Refuse, command: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "s3://bucket/r.zarr"]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize("words", [["submit"], ["logs", "r-abcdef"], ["cancel", "r-abcdef"]], ids=lambda w: w[0])
def test_without_kubernetes_the_message_names_the_kubeconfig(
    words: list[str],
    region: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _kubeconfig(tmp_path, "http://127.0.0.1:1", monkeypatch)
    assert main([*words, region] if words == ["submit"] else words) == 1
    assert "Check the kubeconfig (KUBECONFIG)" in capsys.readouterr().err


def test_without_the_operator_the_message_says_how_to_install_it(
    refuse: Refuse, region: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(KINDS, "kubernetes.dask.org/v1")
    assert main(["submit", region]) == 1
    assert "Is the Dask operator installed?" in capsys.readouterr().err


def test_dry_run_prints_what_kubectl_takes(region: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["submit", region, "--dry-run", "--image", "other:1", "--namespace", "geo"]) == 0
    made = list(yaml.safe_load_all(capsys.readouterr().out))
    manifests.validate(made, version=manifests.VERSIONS[-1])
    assert [item["kind"] for item in made][-2:] == ["DaskJob", "DaskAutoscaler"]
    assert manifests.pods(made[-2])[0]["containers"][0]["image"] == "other:1"


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_fit_asks_for_what_the_largest_unit_needs(
    device: str, scene_on_volume: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wherever it is computed: the client needs no GPU to hand over work for one."""
    with scene_on_volume.open("a") as text:
        text.write(f"resources: {{device: {device}}}\n")
    assert main(["submit", str(scene_on_volume), "--dry-run", "--fit"]) == 0
    (job,) = (item for item in yaml.safe_load_all(capsys.readouterr().out) if item["kind"] == "DaskJob")
    resources = manifests.pods(job)[2]["containers"][0]["resources"]
    asked, allowed = (int(resources[key]["memory"].removesuffix("Mi")) for key in ("requests", "limits"))
    assert 256 < asked < allowed == 4096 + 256


@pytest.fixture
def scene_on_volume(tmp_path: Path) -> Path:
    """A small stack in a folder that stands for the pods' volume, and its configuration."""
    import small

    small.stack(tmp_path, small.scene())
    place = f"kubernetes: {{image: i, volume_claim: v, volume_path: {tmp_path}, gpu_workers: 1}}\n"
    (tmp_path / "region.yaml").write_text("run: run.zarr\nstacks: stacks\n" + place)
    return tmp_path / "region.yaml"
