"""The part of a configuration that says how a run lives on Kubernetes."""

from __future__ import annotations

from pydantic import Field, model_validator

from slidecloud.config_yaml import Section


class KubernetesConfig(Section):
    """Image, size and place of a cluster's pods; has no influence on results."""

    namespace: str | None = Field(None, description="Namespace; null takes that of the kubeconfig.")
    image: str | None = Field(None, description="Image of driver, scheduler and workers, built from deploy/Dockerfile.")
    gpu_image: str | None = Field(None, description="Image of GPU workers; null takes image.")
    minimum: int = Field(1, ge=0, description="Worker pods that are always there.")
    maximum: int = Field(10, ge=1, description="Worker pods at most; between the two, Dask asks for what it needs.")
    cores: int = Field(1, ge=1, description="Cores of a worker pod; each does one unit, with resources.memory.")
    gpu_workers: int = Field(0, ge=0, description="Worker pods with a GPU, beside the others.")
    gpu_resource: str = Field("nvidia.com/gpu", description="Kubernetes' name of a GPU.")
    preemptible: bool = Field(
        True, description="Workers may run on preemptible (spot) nodes; scheduler and driver never do."
    )
    driver_memory: str = Field("2 GiB", description="Memory of the driver pod.")
    scheduler_memory: str = Field("4 GiB", description="Memory of the scheduler pod.")
    secret: str | None = Field(
        None, description="Secret whose entries become environment variables, such as AWS_SECRET_ACCESS_KEY."
    )
    env: dict[str, str] = Field(default_factory=dict, description="Environment variables that are no secrets.")
    service_account: str | None = Field(
        None, description="Service account of all pods, for roles of the cloud; null makes one without any rights."
    )
    pull_secrets: tuple[str, ...] = Field((), description="Secrets that open the image's registry.")
    node_selector: dict[str, str] = Field(default_factory=dict, description="Labels of nodes that workers may use.")
    volume_claim: str | None = Field(
        None, description="Persistent volume claim to mount, where stores are folders and not in an object store."
    )
    volume_path: str = Field("/data", pattern="^/.+", description="Where that volume is mounted.")
    egress_ports: tuple[int, ...] = Field(
        (443,), description="TCP ports of object stores that pods may reach; nothing else is open to them."
    )
    metrics_port: int | None = Field(
        8789,
        ge=1,
        le=65535,
        description="Port where the driver counts units and bytes for Prometheus; null for none.",
    )
    grace: int = Field(
        110, ge=1, description="Seconds a worker that must go may take to finish its unit; then it hands it back."
    )
    idle_timeout: int = Field(3600, ge=0, description="Seconds after which an idle interactive cluster ends itself.")

    @model_validator(mode="after")
    def _some_workers(self) -> KubernetesConfig:
        if self.minimum > self.maximum:
            raise ValueError(f"minimum is {self.minimum} and maximum {self.maximum}; expected minimum <= maximum")
        return self
