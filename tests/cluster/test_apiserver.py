"""The API server of the tests does what Kubernetes does, where our tests and the operator count on it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest
from kube import DASK, PODS, Kube, server, until

MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json-patch+json"}
MAPS = "/api/v1/namespaces/default/configmaps"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
Object = dict[str, Any]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kube]:
    """One server for all tests; each uses names of its own."""
    with server(tmp_path_factory.mktemp("api")) as found:
        yield found


def _map(name: str, **metadata: object) -> Object:
    return {"metadata": {"name": name} | metadata, "data": {"key": "value"}}


def _pod(name: str, *words: str, **spec: object) -> Object:
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": [{"name": "c", "image": "i", "args": list(words)}], "restartPolicy": "Never"} | spec,
    }


def _make(api: Kube, path: str, item: Object) -> Object:
    return dict(api.http.post(path, json=item).raise_for_status().json())


def _status(api: Kube, name: str) -> Object:
    return dict(api.http.get(f"{PODS}/{name}").raise_for_status().json()["status"])


@contextmanager
def _watched(api: Kube, path: str, **query: str) -> Iterator[list[tuple[str, str]]]:
    """What a watch says while the context lasts, as types and names."""
    seen: list[tuple[str, str]] = []

    def watch() -> None:
        with api.http.stream("GET", path, params={"watch": "true", "timeoutSeconds": "600"} | query) as lines:
            for line in lines.iter_lines():
                event = json.loads(line)
                seen.append((event["type"], event["object"].get("metadata", {}).get("name", "")))
                if seen[-1] == ("ADDED", "last"):
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield seen
    _make(api, path, _map("last", labels={"side": "left"}))
    thread.join(60)
    assert not thread.is_alive()


def test_writes_with_an_old_version_are_refused(api: Kube) -> None:
    first = _make(api, MAPS, _map("versioned"))
    assert api.http.post(MAPS, json=_map("versioned")).json()["reason"] == "AlreadyExists"
    path = f"{MAPS}/versioned"
    changed = api.http.patch(path, json={"data": {"key": None, "other": "1"}}, headers=MERGE).raise_for_status().json()
    assert changed["data"] == {"other": "1"}
    assert int(changed["metadata"]["resourceVersion"]) > int(first["metadata"]["resourceVersion"])
    assert api.http.put(path, json=first).json()["reason"] == "Conflict"
    test = {"op": "test", "path": "/metadata/resourceVersion", "value": first["metadata"]["resourceVersion"]}
    add = {"op": "add", "path": "/data/third", "value": "2"}
    assert api.http.patch(path, json=[test, add], headers=JSON).status_code == 422
    assert api.http.patch(path, json=[add], headers=JSON).json()["data"] == {"other": "1", "third": "2"}


def test_a_watch_sees_what_comes_into_its_selection_and_leaves_it(api: Kube) -> None:
    start = api.http.get(MAPS).json()["metadata"]["resourceVersion"]
    with _watched(api, MAPS, labelSelector="side in (left),other!=x", resourceVersion=start) as seen:
        _make(api, MAPS, _map("one", labels={"side": "left"}))
        _make(api, MAPS, _map("two", labels={"side": "right"}))
        for side in ("right", "left"):
            api.http.patch(f"{MAPS}/one", json={"metadata": {"labels": {"side": side}}}, headers=MERGE)
        api.http.patch(f"{MAPS}/one", json={"data": {"key": "new"}}, headers=MERGE)
        api.http.delete(f"{MAPS}/one")
    verbs = ["ADDED", "DELETED", "ADDED", "MODIFIED", "DELETED"]
    assert seen == [*((verb, "one") for verb in verbs), ("ADDED", "last")]


def test_what_has_lost_its_owner_goes_and_what_is_held_waits(api: Kube) -> None:
    owner = _make(api, MAPS, _map("owner", finalizers=["example.org/hold"]))
    reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"]}
    _make(api, MAPS, _map("owned", ownerReferences=[reference]))
    api.http.delete(f"{MAPS}/owner").raise_for_status()
    assert "deletionTimestamp" in api.http.get(f"{MAPS}/owner").json()["metadata"]
    assert api.http.get(f"{MAPS}/owned").status_code == 200
    api.http.patch(f"{MAPS}/owner", json={"metadata": {"finalizers": None}}, headers=MERGE).raise_for_status()
    assert api.http.get(f"{MAPS}/owner").status_code == 404
    until(lambda: api.http.get(f"{MAPS}/owned").status_code == 404, what="the end of what was owned")
    _make(api, MAPS, _map("late", ownerReferences=[reference]))
    until(lambda: api.http.get(f"{MAPS}/late").status_code == 404, what="the end of what came too late")


def test_custom_kinds_are_validated_and_pruned_and_keep_their_status_apart(api: Kube) -> None:
    scaler = {"metadata": {"name": "s"}, "spec": {"cluster": "c", "minimum": 1, "maximum": 2, "unknown": 3}}
    assert "unknown" not in _make(api, f"{DASK}/daskautoscalers", scaler)["spec"]
    wrong = scaler | {"metadata": {"name": "w"}, "spec": {"cluster": "c", "minimum": "1", "maximum": None}}
    assert api.http.post(f"{DASK}/daskautoscalers", json=wrong).status_code == 422
    made = _make(api, f"{DASK}/daskjobs", {"metadata": {"name": "j"}, "status": {"jobStatus": "Successful"}})
    assert "status" not in made
    for part, expected in (("", None), ("/status", "Running")):
        body = {"status": {"jobStatus": "Running"}}
        found = api.http.patch(f"{DASK}/daskjobs/j{part}", json=body, headers=MERGE).raise_for_status().json()
        assert found.get("status", {}).get("jobStatus") == expected
    for path in ("daskautoscalers/s", "daskjobs/j"):
        api.http.delete(f"{DASK}/{path}").raise_for_status()


def test_a_pod_is_asked_to_end_and_then_ended(api: Kube) -> None:
    asked = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(3)); print('up', flush=True); "
    for name, program, code in (("polite", asked + "time.sleep(600)", 3), ("stubborn", STUBBORN, 137)):
        _make(api, PODS, _pod(name, "python", "-c", program, terminationGracePeriodSeconds=2))
        until(lambda name=name: "up" in api.http.get(f"{PODS}/{name}/log").text, what="its line")
        with _statuses(api, name) as seen:
            api.http.delete(f"{PODS}/{name}").raise_for_status()
            until(lambda name=name: api.http.get(f"{PODS}/{name}").status_code == 404, what="its end")
        assert ("Failed", code) in seen


@contextmanager
def _statuses(api: Kube, name: str) -> Iterator[list[tuple[str, int | None]]]:
    """Phases and exit codes that a watch of a pod sees until the pod is gone."""
    seen: list[tuple[str, int | None]] = []

    def watch() -> None:
        query = {"watch": "true", "fieldSelector": f"metadata.name={name}"}
        with api.http.stream("GET", PODS, params=query) as lines:
            for line in lines.iter_lines():
                event = json.loads(line)
                status = event["object"]["status"]
                state = status["containerStatuses"][0]["state"]
                seen.append((status["phase"], state.get("terminated", {}).get("exitCode")))
                if event["type"] == "DELETED":
                    return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    until(lambda: seen, what="the watch")
    yield seen
    thread.join(60)
    assert not thread.is_alive()


def test_a_pod_takes_all_its_processes_with_it(api: Kube) -> None:
    child = f"import subprocess, sys; print(subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]).pid, flush=True); "
    _make(api, PODS, _pod("parent", "python", "-c", child + "raise SystemExit(5)"))
    until(lambda: _status(api, "parent")["phase"] == "Failed", what="the end of the parent")
    (number,) = (line for line in api.http.get(f"{PODS}/parent/log").text.split() if line != "up")
    until(lambda: not _lives(int(number)), what="the end of the child")


def _lives(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_pod_reads_its_configuration_and_expands_its_variables(api: Kube) -> None:
    _make(api, MAPS, _map("settings"))
    pod = _pod("reader", "python", "-c", "import sys; print(sys.argv[1], open(sys.argv[2]).read())", "$(WORD)-$(NONE)")
    pod["spec"]["containers"][0] |= {
        "args": [*pod["spec"]["containers"][0]["args"], "/etc/settings/key"],
        "env": [{"name": "WORD", "value": "hello"}],
        "volumeMounts": [{"name": "v", "mountPath": "/etc/settings"}],
    }
    pod["spec"]["volumes"] = [{"name": "v", "configMap": {"name": "settings"}}]
    _make(api, PODS, pod)
    until(lambda: _status(api, "reader")["phase"] == "Succeeded", what="its end")
    assert api.http.get(f"{PODS}/reader/log").text == "hello-$(NONE) value\n"


def test_a_deployment_replaces_pods_and_a_service_finds_them(api: Kube) -> None:
    pod = _pod("web", "python", "-m", "http.server", "8000")
    pod["spec"]["containers"][0] |= {
        "ports": [{"name": "http", "containerPort": 8000}],
        "readinessProbe": {"httpGet": {"port": "http", "path": "/"}},
    }
    del pod["spec"]["restartPolicy"]
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod["spec"]}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    _make(api, DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": spec})
    service = {"selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
    _make(api, "/api/v1/namespaces/default/services", {"metadata": {"name": "web"}, "spec": service})
    _get(api, "before")
    (lost,) = _names(api)
    api.lose_pod(lost)
    until(lambda: _names(api) and lost not in _names(api), what="another pod")
    _get(api, "after")
    api.http.delete(f"{DEPLOYMENTS}/web").raise_for_status()
    until(lambda: not _names(api), what="the end of its pods")


def _names(api: Kube) -> list[str]:
    found = api.http.get(PODS, params={"labelSelector": "app=web"}).raise_for_status().json()["items"]
    return [pod["metadata"]["name"] for pod in found]


def _get(api: Kube, name: str) -> None:
    """Ask the service from a pod, until it answers."""
    ask = (
        "import time, urllib.request as u\n"
        "while True:\n"
        " try: print(u.urlopen('http://web.default.svc.cluster.local:80').status); break\n"
        " except OSError: time.sleep(.2)"
    )
    _make(api, PODS, _pod(name, "python", "-c", ask))
    until(lambda: _status(api, name)["phase"] == "Succeeded", what="an answer")
    assert api.http.get(f"{PODS}/{name}/log").text == "200\n"
