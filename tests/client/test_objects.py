"""What `slidecloud submit` makes: valid, least rights, a closed network, and nothing secret."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import manifests
import pytest
import yaml

from slidecloud import config
from slidecloud.client.names import name_of
from slidecloud.client.objects import Submission, submission
from slidecloud.config import RunConfig
from slidecloud.config_yaml import ConfigError

EXAMPLES = sorted((Path(__file__).parents[2] / "deploy/examples").glob("*.yaml"))
ON_KUBERNETES = [file for file in EXAMPLES if file.stem != "laptop"]


def _config(**kubernetes: Any) -> RunConfig:
    text = "run: s3://bucket/runs/Region One.zarr\nstacks: s3://bucket/stacks\nresources: {memory: 2 GiB}\n"
    own = {"image": "slidecloud:test"} | kubernetes
    return config.parse(f"{text}kubernetes: {json.dumps(own)}\n")


def _kinds(made: Submission) -> list[str]:
    return [item["kind"] for item in made.all()]


def _one(made: Submission, kind: str) -> dict[str, Any]:
    (found,) = (item for item in made.all() if item["kind"] == kind)
    return found


@pytest.mark.parametrize("version", manifests.VERSIONS)
@pytest.mark.parametrize("file", ON_KUBERNETES, ids=lambda file: file.stem)
def test_examples_make_valid_objects(file: Path, version: str) -> None:
    made = submission(config.load(file)).all()
    manifests.validate(made, version=version)
    assert not manifests.nulls([item for item in made if item["kind"] != "ConfigMap"])


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_examples_are_configurations(file: Path) -> None:
    assert config.load(file).run.endswith(".zarr")


def test_kinds_follow_the_settings() -> None:
    kinds = _kinds(submission(_config()))
    assert kinds == ["ConfigMap", "NetworkPolicy", "ServiceAccount", "DaskJob", "DaskAutoscaler"]
    fixed = _config(minimum=4, maximum=4, gpu_workers=1, service_account="runner")
    assert _kinds(submission(fixed)) == ["ConfigMap", "NetworkPolicy", "DaskJob", "DaskWorkerGroup"]


def test_pods_have_an_account_without_rights_or_token() -> None:
    made = submission(_config())
    assert not _one(made, "ServiceAccount")["automountServiceAccountToken"]
    for pod in manifests.pods(made.job):
        assert pod["serviceAccountName"] == made.name
        assert not pod["automountServiceAccountToken"]
    assert not [kind for kind in _kinds(made) if kind.startswith(("Role", "ClusterRole"))]


def test_driver_runs_the_configuration_it_is_given() -> None:
    settings = _config(maximum=7, cores=2)
    made = submission(settings)
    (driver, *_) = manifests.pods(made.job)
    (container,) = driver["containers"]
    words = ["run", "/etc/slidecloud/region.yaml", "--scheduler", "$(DASK_SCHEDULER_ADDRESS)", "--workers", "14"]
    assert container["args"][3:] == [*words, "--metrics-port", "8789"]
    assert container["ports"] == [{"name": "metrics", "containerPort": 8789, "protocol": "TCP"}]
    assert driver["restartPolicy"] == "Never"
    given = config.parse(_one(made, "ConfigMap")["data"]["region.yaml"])
    assert given.science() == settings.science()
    assert (given.run, given.stacks, given.resources.memory) == (settings.run, settings.stacks, "2 GiB")


def test_pods_log_for_machines() -> None:
    for pod in manifests.pods(submission(_config()).job):
        assert {"name": "SLIDECLOUD_LOG_FORMAT", "value": "json"} in pod["containers"][0]["env"]
    told = _config(env={"SLIDECLOUD_LOG_FORMAT": "plain", "SLIDECLOUD_LOG_LEVEL": "debug"})
    for pod in manifests.pods(submission(told).job):
        found = {item["name"]: item["value"] for item in pod["containers"][0]["env"]}
        assert (found["SLIDECLOUD_LOG_FORMAT"], found["SLIDECLOUD_LOG_LEVEL"]) == ("plain", "debug")


def test_a_driver_without_metrics() -> None:
    (driver, *_) = manifests.pods(submission(_config(metrics_port=None)).job)
    assert "--metrics-port" not in driver["containers"][0]["args"]
    assert "ports" not in driver["containers"][0]


@pytest.mark.parametrize(
    "option", ["endpoint_url: 'http://ceph:7480'", "client_kwargs: {endpoint_url: 'http://ceph:7480'}"]
)
def test_network_is_closed_but_for_the_store(option: str) -> None:
    endpoint = config.parse(
        f"run: s3://b/r.zarr\nstacks: s3://b/s\nkubernetes: {{image: i}}\nstorage_options: {{{option}}}\n"
    )
    policy = _one(submission(endpoint), "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert all(rule.get("from") for rule in policy["ingress"])
    open_to_all = [rule for rule in policy["egress"] if "to" not in rule]
    assert sorted(port["port"] for rule in open_to_all for port in rule["ports"]) == [53, 53, 443, 7480]


def test_a_secret_stays_in_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_SECRET", "hunter2")
    made = submission(
        config.parse(
            "run: s3://b/r.zarr\nstacks: s3://b/s\nkubernetes: {image: i, secret: store}\n"
            "storage_options: {secret: 'env:STORE_SECRET'}\n"
        )
    )
    text = yaml.safe_dump_all(made.all())
    assert "hunter2" not in text
    assert "env:STORE_SECRET" in text
    for pod in manifests.pods(made.job):
        assert pod["containers"][0]["envFrom"] == [{"secretRef": {"name": "store"}}]
    with pytest.raises(ConfigError, match="secret in clear"):
        _config(env={"AWS_SECRET_ACCESS_KEY": "hunter2"})


@pytest.mark.parametrize("key", ["run", "stacks"])
def test_folders_of_this_machine_are_refused(key: str) -> None:
    places = {"run": "s3://b/r.zarr", "stacks": "s3://b/s"} | {key: f"/home/me/{key}"}
    text = "".join(f"{name}: {place}\n" for name, place in places.items())
    with pytest.raises(ValueError, match=rf"{key} is the folder /home/me/{key}, which pods cannot see"):
        submission(config.parse(text + "kubernetes: {image: i}\n"))
    mounted = submission(config.parse(text + "kubernetes: {image: i, volume_claim: v, volume_path: /home/me}\n"))
    for pod in manifests.pods(mounted.job):
        assert {"name": "data", "mountPath": "/home/me"} in pod["containers"][0]["volumeMounts"]


@pytest.mark.parametrize(
    "run",
    ["s3://bucket/runs/sichuan.zarr", "gs://b/../ü ñ.zarr", "/data/" + "x" * 200 + ".zarr", "s3://b/-.zarr", "r"],
)
def test_names_are_those_of_kubernetes_and_of_one_run(run: str) -> None:
    name = name_of(run)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", name)
    assert len(name) <= 30
    assert name_of(run + "/") == name
    assert name_of(name) == name
    assert name_of("s3://other" + run) != name


def test_minimum_above_maximum_is_refused() -> None:
    with pytest.raises(ConfigError, match="minimum is 5 and maximum 2"):
        _config(minimum=5, maximum=2)


def test_a_gpu_needs_workers_that_have_one() -> None:
    asked = config.parse(config.dump(_config()).replace("device: cpu", "device: gpu"))
    with pytest.raises(ValueError, match=r"resources\.device is gpu and kubernetes\.gpu_workers is 0"):
        submission(asked)
    settings = asked.kubernetes.model_copy(update={"gpu_workers": 1})
    assert submission(asked.model_copy(update={"kubernetes": settings})).after
