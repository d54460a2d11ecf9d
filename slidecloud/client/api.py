"""The Kubernetes API server, and what its refusals mean for a user."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

Api = Any
Object = Any

_UNKNOWN: Final = (
    "the server does not know this kind. Is the Dask operator installed? "
    "'helm install slidecloud helm/slidecloud' brings it."
)


def connect(namespace: str | None = None) -> Api:
    """The API server that the kubeconfig, or the pod this runs in, names.

    Raises
    ------
    ConnectionError
        If there is none, or it does not answer.
    ModuleNotFoundError
        If kr8s is not installed (the extra ``k8s``).
    """
    import kr8s

    with explained("speak to the cluster"):
        # Named, because kr8s keeps what it made for the same arguments, whatever the environment says by then.
        api = kr8s.api(namespace=namespace, kubeconfig=os.environ.get("KUBECONFIG"))
        api.version()
        return api


def make(api: Api, manifest: dict[str, Any]) -> Object:
    """Create an object of any kind; raises FileExistsError where one of its kind and name is there."""
    import kr8s
    from kr8s.objects import object_from_spec

    what = f"{manifest['kind']} {manifest['metadata']['name']}"
    made = object_from_spec(
        manifest | {"metadata": {**manifest["metadata"], "namespace": api.namespace}}, api=api, allow_unknown_type=True
    )
    with explained(f"create {what}"):
        try:
            made.create()
        except kr8s.ServerError as error:
            if error.response is not None and error.response.status_code == 409:
                raise FileExistsError(f"{what} exists already in namespace {api.namespace}.") from None
            raise
    return made


def find(api: Api, kind: str, **selector: Any) -> list[Object]:
    """Objects of a kind, such as ``daskjobs.kubernetes.dask.org``, by ``label_selector`` or ``field_selector``."""
    with explained(f"list {kind}"):
        return list(api.get(kind, namespace=api.namespace, allow_unknown_type=True, **selector))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn what the API server or the way to it says into something a user can act on."""
    import httpx
    import kr8s

    try:
        yield
    except ValueError as error:
        if not str(error).startswith("Kind "):
            raise
        raise LookupError(f"Could not {what}: {_UNKNOWN}") from None
    except kr8s.ServerError as error:
        code = error.response.status_code if error.response is not None else None
        if code == 403:
            raise PermissionError(
                f"You may not {what}: {error}. Ask for the role that helm/slidecloud makes for submitters."
            ) from None
        if code == 404:
            raise LookupError(f"Could not {what}: {_UNKNOWN}") from None
        raise RuntimeError(f"Could not {what}: {error}.") from None
    except (httpx.TransportError, kr8s.APITimeoutError, kr8s.ConnectionClosedError) as error:
        raise ConnectionError(
            f"Could not {what}: {str(error) or type(error).__name__}. Check the kubeconfig (KUBECONFIG), "
            "its current context, and that you are logged in."
        ) from None
