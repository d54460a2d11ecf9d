"""Connections to a running scheduler: by TLS, and what is said where there is none."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from slidecloud.cluster import TLS, connect


def _certificates(folder: Path) -> TLS:
    """A certificate that signs itself, good for both ends."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "slidecloud")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(private)
    return TLS(folder / "certificate.pem", folder / "certificate.pem", folder / "key.pem")


def test_tls_lets_in_who_has_the_certificate_and_nobody_else(tmp_path: Path) -> None:
    from distributed import LocalCluster, Security

    tls = _certificates(tmp_path)
    security = Security(
        require_encryption=True,
        tls_ca_file=str(tls.authority),
        tls_scheduler_cert=str(tls.certificate),
        tls_scheduler_key=str(tls.key),
        tls_worker_cert=str(tls.certificate),
        tls_worker_key=str(tls.key),
        tls_client_cert=str(tls.certificate),
        tls_client_key=str(tls.key),
    )
    options = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "dashboard_address": ":0"}
    with LocalCluster(security=security, protocol="tls://", silence_logs=50, **options) as cluster:
        assert cluster.scheduler_address.startswith("tls://")
        with connect(cluster.scheduler_address, tls=tls) as client:
            assert client.submit(sum, [1, 2]).result() == 3
        (tmp_path / "other").mkdir()
        stranger = _certificates(tmp_path / "other")
        with (
            pytest.raises(ConnectionError, match="No Dask scheduler answers"),
            connect(cluster.scheduler_address, tls=stranger, timeout=2),
        ):
            pass


def test_certificates_need_an_address_that_uses_them(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="expected tls://"), connect("tcp://h:1", tls=_certificates(tmp_path)):
        pass


def test_a_missing_certificate_is_named(tmp_path: Path) -> None:
    tls = _certificates(tmp_path)._replace(key=tmp_path / "none.pem")
    with pytest.raises(FileNotFoundError, match=r"none\.pem.* named as key"), connect("tls://h:1", tls=tls):
        pass
