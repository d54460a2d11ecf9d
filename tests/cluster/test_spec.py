"""Objects of a cluster: what Kubernetes and Dask's operator take, and what each pod may do and where."""

from __future__ import annotations

from typing import Any

import manifests
import pytest

from slidecloud import cluster
from slidecloud.cluster import spec
from slidecloud.cluster.versions import EXPECTED, here
from slidecloud.config_kubernetes import KubernetesConfig

GIB = 2**30
SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "cores and GPUs": {"cores": 4, "gpu_workers": 2, "gpu_image": "slidecloud:gpu"},
    "everything": {
        "secret": "store",
        "env": {"AWS_REGION": "eu-central-1"},
        "service_account": "runner",
        "pull_secrets": ["registry"],
        "node_selector": {"pool": "big"},
        "volume_claim": "data",
        "preemptible": False,
    },
}


def _settings(**values: Any) -> KubernetesConfig:
    return KubernetesConfig(image="slidecloud:test", **values)


def _objects(settings: KubernetesConfig) -> list[dict[str, Any]]:
    return [
        spec.cluster("region", settings, memory=4 * GIB),
        spec.gpu_group("region", settings, memory=4 * GIB),
        spec.autoscaler("region", settings),
    ]


def _worker(**values: Any) -> dict[str, Any]:
    return spec.workers(_settings(**values), memory=4 * GIB)["spec"]


@pytest.mark.parametrize("version", manifests.VERSIONS)
@pytest.mark.parametrize("name", SETTINGS)
def test_objects_are_valid(name: str, version: str) -> None:
    objects = _objects(_settings(**SETTINGS[name]))
    manifests.validate(objects, version=version)
    assert not manifests.nulls(objects)


def test_what_starts_is_what_distributed_installs() -> None:
    made = spec.cluster("region", _settings(), memory=4 * GIB)["spec"]
    assert made["scheduler"]["spec"]["containers"][0]["args"][:2] == ["dask", "scheduler"]
    assert made["worker"]["spec"]["containers"][0]["args"][:2] == ["dask", "worker"]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_pod_is_confined(name: str) -> None:
    for item in _objects(_settings(**SETTINGS[name]))[:2]:
        for pod in manifests.pods(item):
            (container,) = pod["containers"]
            assert pod["securityContext"]["runAsNonRoot"]
            assert pod["securityContext"]["runAsUser"] > 0
            assert not pod["automountServiceAccountToken"]
            assert container["securityContext"]["readOnlyRootFilesystem"]
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["requests"]["memory"]
            assert container["resources"]["limits"]["memory"]


def test_only_workers_may_be_taken_away() -> None:
    scheduler = spec.scheduler("region", _settings())["spec"]
    (term,) = scheduler["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    refused = {item["key"]: (item["operator"], item["values"]) for item in term["matchExpressions"]}
    assert refused["cloud.google.com/gke-spot"] == ("NotIn", ["true"])
    assert refused["karpenter.sh/capacity-type"] == ("NotIn", ["spot"])
    assert "tolerations" not in scheduler
    assert {item["key"] for item in _worker()["tolerations"]} >= {"cloud.google.com/gke-spot"}
    steady = _worker(preemptible=False)
    assert steady["affinity"] == scheduler["affinity"]
    assert "tolerations" not in steady


def test_memory_is_asked_for_by_unit_and_core() -> None:
    settings = _settings(cores=4)
    pod = spec.workers(settings, memory=4 * GIB, request=GIB)["spec"]["containers"][0]
    assert pod["resources"]["requests"] == {"cpu": "4", "memory": f"{4 * 1024 + 256}Mi"}
    assert pod["resources"]["limits"] == {"memory": f"{16 * 1024 + 256}Mi"}
    assert pod["args"][pod["args"].index("--memory-limit") + 1] == str(16 * GIB)
    assert pod["args"][pod["args"].index("--nthreads") + 1] == "4"


def test_gpu_workers_offer_what_units_ask_for() -> None:
    settings = _settings(gpu_workers=3, gpu_image="slidecloud:gpu", gpu_resource="amd.com/gpu")
    group = spec.gpu_group("region", settings, memory=4 * GIB)["spec"]["worker"]
    (container,) = group["spec"]["containers"]
    assert group["replicas"] == 3
    assert container["image"] == "slidecloud:gpu"
    assert container["args"][-2:] == ["--resources", "GPU=1"]
    assert container["resources"]["requests"]["amd.com/gpu"] == container["resources"]["limits"]["amd.com/gpu"] == "1"
    assert "amd.com/gpu" in {item["key"] for item in group["spec"]["tolerations"]}
    assert "GPU=1" not in _worker(gpu_workers=3)["containers"][0]["args"]


def test_time_to_leave_is_longer_than_the_time_to_finish() -> None:
    pod = _worker(grace=25)
    env = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
    assert pod["terminationGracePeriodSeconds"] > float(env["SLIDECLOUD_GRACE"]) == 25


def test_workers_know_what_their_client_runs() -> None:
    pod = spec.workers(_settings(), memory=GIB, versions=here())["spec"]
    env = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
    assert env[EXPECTED] == str(here())


def test_without_an_image_the_error_says_how_to_come_by_one() -> None:
    with pytest.raises(ValueError, match=r"deploy/Dockerfile.*kubernetes\.image"):
        spec.cluster("region", KubernetesConfig(), memory=GIB)
    with pytest.raises(ValueError, match=r"deploy/Dockerfile"), cluster.kubernetes():
        pass
