"""The chart, offline: lint, schema of its values, and what it renders under every profile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import helm_python as helm
import manifests
import pytest
import yaml

from slidecloud import config
from slidecloud.client.objects import submission
from slidecloud.cluster import pods as our_pods

CHART = Path(__file__).parents[2] / "helm/slidecloud"
RUN: dict[str, Any] = {
    "operator": {"enabled": False},
    "image": {"repository": "registry.example.org/slidecloud"},
    "run": {"enabled": True, "config": "run: s3://bucket/r.zarr\nstacks: s3://bucket/s\n"},
}
PROFILES: dict[str, list[str]] = {
    "default": [],
    "laptop": ["laptop"],
    "production": ["production"],
    "gpu": ["production", "gpu"],
}


@pytest.fixture(scope="module")
def chart() -> Iterator[helm.Chart]:
    """The chart of this repository."""
    with helm.Chart.load(str(CHART)) as loaded:
        yield loaded


def _values(profile: str, **further: Any) -> dict[str, Any]:
    values = dict(RUN)
    for name in PROFILES[profile]:
        values |= yaml.safe_load((CHART / f"profiles/{name}.yaml").read_text())
    return values | further


def _render(chart: helm.Chart, values: dict[str, Any]) -> list[dict[str, Any]]:
    texts = chart.render(values, name="slides", namespace="prod")
    found = (yaml.safe_load_all(text) for name, text in sorted(texts.items()) if name.endswith(".yaml"))
    return [manifest for manifests in found for manifest in manifests if manifest]


def _kinds(objects: list[dict[str, Any]]) -> set[str]:
    return {item["kind"] for item in objects}


def test_lint_finds_only_that_dependencies_are_not_downloaded() -> None:
    found = helm.lint(str(CHART))
    serious = [item["error"] for item in found["messages"] if item["severity"] > 1]
    assert serious == ["chart directory is missing these dependencies: dask-kubernetes-operator"]


@pytest.mark.parametrize("version", manifests.VERSIONS)
@pytest.mark.parametrize("profile", PROFILES)
def test_profiles_render_to_valid_objects(chart: helm.Chart, profile: str, version: str) -> None:
    values = _values(profile)
    chart.validate_schema(values)
    objects = _render(chart, values)
    manifests.validate(objects, version=version)
    assert _kinds(objects) >= {"DaskJob", "DaskAutoscaler", "NetworkPolicy", "Role", "ServiceAccount"}
    assert not manifests.nulls(objects)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_pod_is_confined(chart: helm.Chart, profile: str) -> None:
    for item in _render(chart, _values(profile)):
        for pod in manifests.pods(item) if item["kind"] in ("DaskJob", "DaskWorkerGroup") else ():
            security = pod["containers"][0]["securityContext"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert security["readOnlyRootFilesystem"]
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert not pod["automountServiceAccountToken"]


def test_profiles_bring_what_they_are_for(chart: helm.Chart) -> None:
    assert "PodMonitor" in _kinds(_render(chart, _values("production")))
    assert "PodDisruptionBudget" not in _kinds(_render(chart, _values("laptop")))
    (group,) = (item for item in _render(chart, _values("gpu")) if item["kind"] == "DaskWorkerGroup")
    (pod,) = manifests.pods(group)
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert pod["containers"][0]["args"][-2:] == ["--resources", "GPU=1"]


def test_prometheus_finds_all_that_count(chart: helm.Chart) -> None:
    """Monitor and network policy name the ports that scheduler, workers and driver have, and no port goes unseen."""
    objects = _render(chart, _values("production"))
    (monitor,) = (item["spec"] for item in objects if item["kind"] == "PodMonitor")
    (components,) = (item for item in monitor["selector"]["matchExpressions"] if item["key"] == "dask.org/component")
    assert sorted(components["values"]) == ["job-runner", "scheduler", "worker"]
    watched = {endpoint["port"] for endpoint in monitor["podMetricsEndpoints"]}
    (job,) = (item for item in objects if item["kind"] == "DaskJob")
    ports = [pod["containers"][0].get("ports", []) for pod in manifests.pods(job)]
    assert all({port["name"] for port in of_pod} & watched for of_pod in ports)
    (policy,) = (item["spec"] for item in objects if item["metadata"]["name"].endswith("-metrics"))
    (rule,) = policy["ingress"]
    let_in = {port["port"] for port in rule["ports"]}
    named = [port for of_pod in ports for port in of_pod if port["name"] in watched]
    assert all({port["name"], port["containerPort"]} & let_in for port in named)


def test_without_a_run_the_chart_prepares_a_namespace(chart: helm.Chart) -> None:
    kinds = _kinds(_render(chart, {"operator": {"enabled": False}}))
    assert kinds == {"Role", "PodDisruptionBudget"}


def test_chart_and_submit_make_the_same_pods(chart: helm.Chart) -> None:
    """Command lines, security and places of the chart's job are those of `slidecloud submit`."""
    settings = config.parse(RUN["run"]["config"] + "kubernetes: {image: 'registry.example.org/slidecloud:0.1.0'}\n")
    (job,) = (item for item in _render(chart, _values("default")) if item["kind"] == "DaskJob")
    ours = submission(settings).job
    for theirs, own in zip(manifests.pods(job), manifests.pods(ours), strict=True):
        (a,), (b,) = theirs["containers"], own["containers"]
        assert [word for word in a["args"] if word not in ("--executor", "dask")] == [
            word for word in b["args"] if word != "dask"
        ]
        assert {item["name"]: item["value"] for item in a["env"]} == {item["name"]: item["value"] for item in b["env"]}
        assert a.get("ports") == b.get("ports")
        assert a["securityContext"] == b["securityContext"]
        assert a["resources"]["limits"].keys() == b["resources"]["limits"].keys()
        assert theirs["securityContext"] == own["securityContext"]
        assert _places(theirs) == _places(own)


def _places(pod: dict[str, Any]) -> str:
    """Affinity and tolerations, whatever their order."""
    affinity = pod["affinity"]["nodeAffinity"]
    preferred = affinity.get("preferredDuringSchedulingIgnoredDuringExecution", [])
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": []})
    terms = [item["preference"] for item in preferred] + required["nodeSelectorTerms"]
    expressions = sorted(json.dumps(item, sort_keys=True) for term in terms for item in term["matchExpressions"])
    return json.dumps([bool(preferred), expressions, pod.get("tolerations", [])], sort_keys=True)


def test_submitters_may_do_what_submit_does_and_cannot_read_secrets(chart: helm.Chart) -> None:
    objects = _render(chart, RUN | {"submitters": {"groups": ["geologists"], "serviceAccount": "ci"}})
    (role,) = (item for item in objects if item["kind"] == "Role")
    allowed = {(resource, verb) for rule in role["rules"] for resource in rule["resources"] for verb in rule["verbs"]}
    made = submission(config.parse(RUN["run"]["config"] + "kubernetes: {image: i, gpu_workers: 1}\n"))
    for item in made.all():
        plural = {"NetworkPolicy": "networkpolicies"}.get(item["kind"], item["kind"].lower() + "s")
        assert {(plural, verb) for verb in ("create", "list", "delete")} <= allowed
    resources = {resource for resource, _ in allowed}
    assert not resources & {"secrets", "pods/exec", "pods/attach", "*"}
    assert not {verb for _, verb in allowed} & {"*", "deletecollection", "impersonate", "escalate", "bind"}
    assert ("pods", "create") not in allowed
    (binding,) = (item for item in objects if item["kind"] == "RoleBinding")
    assert [subject["kind"] for subject in binding["subjects"]] == ["Group", "ServiceAccount"]


@pytest.mark.parametrize(
    "values",
    [
        {"worker": {"minimum": "two"}},
        {"wroker": {}},
        {"podSecurityContext": {"runAsNonRoot": False}},
        {"image": {"digest": "sha256:short"}},
        {"run": {"name": "Not A Name"}},
    ],
    ids=["type", "unknown key", "root", "digest", "name"],
)
def test_schema_refuses(chart: helm.Chart, values: dict[str, Any]) -> None:
    with pytest.raises(helm.HelmError):
        chart.validate_schema(values)


def test_versions_and_labels_are_those_of_the_package(chart: helm.Chart) -> None:
    import slidecloud

    assert yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"] == slidecloud.__version__
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    assert values["podSecurityContext"]["runAsUser"] == our_pods.USER


def test_notes_say_how_to_submit(chart: helm.Chart) -> None:
    notes = chart.render(RUN, name="slides", namespace="prod")["slidecloud/templates/NOTES.txt"]
    assert "slidecloud submit region.yaml --namespace prod" in notes
