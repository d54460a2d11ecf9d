"""From the specification of a pod to a command of this machine."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from apiserver.kinds import CONFIG_MAP, Object
from apiserver.network import Network
from apiserver.network import environment as with_names
from apiserver.objects import Key, Objects
from apiserver.refusal import Refusal

_BINARIES: Final = Path(sys.executable).parent
_UNKNOWN: Final = ("initContainers", "hostNetwork")


class Command(NamedTuple):
    """What a container runs."""

    words: list[str]
    environment: dict[str, str]


def command(pod: Object, *, objects: Objects, network: Network, address: str, folder: Path) -> Command:
    """Command of a pod's container; this interpreter's environment is its image.

    Parameters
    ----------
    pod
        The pod.
    objects
        Among which are its configurations.
    network
        Where it finds names.
    address
        Its own.
    folder
        Where volumes made of configurations are written; a path to one in the command leads there.

    Raises
    ------
    Refusal
        If the pod asks for something that this server does not do, or for a configuration that is not there.
    """
    spec = pod["spec"]
    container = spec["containers"][0]
    if len(spec["containers"]) > 1 or any(name in spec for name in _UNKNOWN) or "envFrom" in container:
        raise Refusal(422, "only pods of one container, without initContainers, hostNetwork and envFrom are supported")
    environment = with_names(network.hosts, address=address)
    environment["PATH"] = os.pathsep.join([str(_BINARIES), os.environ.get("PATH", os.defpath)])
    environment |= {
        entry["name"]: _filled(str(entry.get("value", "")), environment) for entry in container.get("env", [])
    }
    words = [_filled(word, environment) for word in (*container.get("command", []), *container.get("args", []))]
    for mount, place in _configurations(pod, objects, folder).items():
        words = [word.replace(mount, str(place)) for word in words]
    return Command(words, environment)


def _filled(text: str, environment: Mapping[str, str]) -> str:
    """A text with ``$(NAME)`` replaced by what is known of it."""
    return re.sub(r"\$\((\w+)\)", lambda found: environment.get(found[1], found[0]), text)


def _configurations(pod: Object, objects: Objects, folder: Path) -> dict[str, Path]:
    """Write the configurations that a pod mounts: where it expects them, and where they are."""
    maps = {
        volume["name"]: volume["configMap"]["name"]
        for volume in pod["spec"].get("volumes", [])
        if "configMap" in volume
    }
    found = {}
    for mount in pod["spec"]["containers"][0].get("volumeMounts", []):
        if mount["name"] in maps:
            place = folder / mount["mountPath"].strip("/")
            place.mkdir(parents=True, exist_ok=True)
            key = Key(CONFIG_MAP, pod["metadata"]["namespace"], maps[mount["name"]])
            for name, text in objects.get(key).get("data", {}).items():
                (place / name).write_text(text)
            found[mount["mountPath"]] = place
    return found
