"""Loaded by every Python process of a pod: it has the pod's address, and finds services by name.

What listens everywhere listens at the pod's address, and what connects does so from it, as in a pod's own network; from
there, only other pods, services and this machine can be reached. The operator, which runs in none, only finds names.
"""

import json
import os
import socket
from pathlib import Path

_HOSTS = os.environ.get("APISERVER_HOSTS")
_SHIFT = int(os.environ.get("APISERVER_SHIFT", "0"))
_ADDRESS = os.environ.get("APISERVER_POD_ADDRESS")
_getaddrinfo = socket.getaddrinfo
_bind, _connect, _connect_ex = socket.socket.bind, socket.socket.connect, socket.socket.connect_ex


def _with_names(host, *further, **options):
    if _ADDRESS and host == socket.gethostname():
        host = _ADDRESS
    elif isinstance(host, str) and "." in host:
        host = json.loads(Path(_HOSTS).read_text()).get(host, host)
    found = _getaddrinfo(host, *further, **options)
    # A pod has one address, and it is of the older kind.
    older = [entry for entry in found if entry[0] == socket.AF_INET]
    return older if _ADDRESS and older else found


def _real(address):
    """Where a port of a pod or a service is: see apiserver.network."""
    host, port = address
    words = host.split(".")
    inside = len(words) == 4 and words[0] == "127" and 64 <= int(words[1]) < 192
    return host, port + _SHIFT if inside and 0 < port < _SHIFT else port


def _bind_here(self, address):
    if self.family == socket.AF_INET:
        address = _real((_ADDRESS if address[0] in ("", "0.0.0.0") else address[0], address[1]))
    return _bind(self, address)


def _from_here(connect):
    def connect_from_here(self, address):
        if self.family != socket.AF_INET:
            return connect(self, address)
        if _ADDRESS and self.getsockname()[1] == 0:
            _bind(self, (_ADDRESS, 0))
        return connect(self, _real(address))

    return connect_from_here


if _HOSTS:
    socket.getaddrinfo = _with_names
    socket.socket.connect, socket.socket.connect_ex = _from_here(_connect), _from_here(_connect_ex)
if _ADDRESS:
    socket.socket.bind = _bind_here
