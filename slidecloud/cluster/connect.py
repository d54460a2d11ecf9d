"""A connection to a Dask scheduler that is already there, plain or by TLS."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from slidecloud.cluster import versions
from slidecloud.cluster.settings import SETTINGS

if TYPE_CHECKING:
    from distributed import Client, Security


class TLS(NamedTuple):
    """Files in PEM format that make a connection secret and both its ends known to each other.

    Attributes
    ----------
    authority
        Certificate of the authority that signed those of scheduler, workers and clients.
    certificate, key
        Those of this client.
    """

    authority: Path | str
    certificate: Path | str
    key: Path | str


@contextmanager
def connect(address: str, *, tls: TLS | None = None, timeout: float = 30.0) -> Iterator[Client]:
    """Connect to a running scheduler; it is left running.

    Parameters
    ----------
    address
        ``tcp://host:port``, or ``tls://host:port``.
    tls
        Certificates for an address ``tls://``; by default those of Dask's configuration
        (``DASK_DISTRIBUTED__COMM__TLS__CA_FILE`` and so on).
    timeout
        Seconds to wait for it.

    Yields
    ------
    distributed.Client
        Closed when the context ends.

    Raises
    ------
    ConnectionError
        If no scheduler answers.
    FileNotFoundError
        If a file of the certificates is not there.
    ValueError
        If certificates are given for an address that does not use them.
    VersionError
        If its workers run another slidecloud, schema or Python.
    """
    import dask
    from distributed import Client

    security = _security(address, tls)
    with dask.config.set(SETTINGS):
        try:
            client = Client(address, timeout=timeout, security=security)
        except (OSError, TimeoutError) as error:
            raise ConnectionError(
                f"No Dask scheduler answers at {address} within {timeout:.0f} s ({error}). "
                "Check the address, or leave resources.scheduler out to use this machine."
            ) from None
        with _quiet():
            try:
                versions.check(client)
                yield client
            finally:
                client.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """Whoever waits for a result says that the scheduler is gone; Dask would print tracebacks beside it."""
    logs = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _security(address: str, tls: TLS | None) -> Security | None:
    from distributed import Security

    if not address.startswith("tls://"):
        if tls is not None:
            raise ValueError(f"The scheduler's address is {address}, and certificates are given; expected tls://…")
        return None
    if tls is None:
        return Security()
    for name, file in tls._asdict().items():
        if not Path(file).is_file():
            raise FileNotFoundError(f"There is no file {str(file)!r}, named as {name} of the TLS connection.")
    return Security(
        require_encryption=True,
        tls_ca_file=str(tls.authority),
        tls_client_cert=str(tls.certificate),
        tls_client_key=str(tls.key),
    )
