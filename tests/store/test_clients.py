"""Every client keeps the same promises: folders, buckets through obstore, file systems through fsspec; TLS; names."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
import threading

import boto3
import faults
import pytest
from faults import SECRET
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from slidecloud.store import locate
from slidecloud.store.bucket import Bucket
from slidecloud.store.filesystem import FileSystem
from slidecloud.store.guarantees import guarantees

NAMES = ("plain", "with space", "Bergrutsch-ä-山崩", "a#b%20c+d?e*f", "[x]{y}~'!")


@pytest.fixture(params=["folder", "obstore", "s3fs", "memory"])
def location(request, tmp_path):
    """A place for objects behind each client in turn, below a name that has to be escaped."""
    if request.param == "folder":
        return locate(str(tmp_path / "ein Ort ä"))
    if request.param == "memory":
        return locate(f"memory://clients-{os.getpid()}-{tmp_path.name}")
    endpoint = request.getfixturevalue("endpoint")
    options = {"endpoint_url": endpoint} | ({"default_fill_cache": False} if request.param == "s3fs" else {})
    found = locate("s3://slides/ein Ort ä/x.zarr", options)
    assert isinstance(found.objects, FileSystem if request.param == "s3fs" else Bucket)
    return found


def test_objects(location):
    assert location.read("a/b") is None
    assert location.keys() == location.folders() == []
    assert location.read_many(["a/b"]) == {}
    location.write_many({f"a/{name}": name.encode() for name in NAMES})
    assert location.keys("a") == sorted(f"a/{name}" for name in NAMES)
    assert location.read_many([f"a/{name}" for name in NAMES]) == {f"a/{name}": name.encode() for name in NAMES}
    assert location.keys("b") == []
    assert location.folders() == ["a"]
    assert location.exists()
    assert not (location / "none").exists()
    for name in NAMES:
        location.delete(f"a/{name}")
        location.delete(f"a/{name}")
    assert location.keys() == []


def test_conditions(location):
    assert location.create("lease", b"1")
    assert not location.create("lease", b"2")
    first = location.fetch("lease")
    assert location.replace("lease", b"3", first.version)
    assert not location.replace("lease", b"4", first.version)
    assert not location.replace("absent", b"4", first.version)
    assert location.read("lease") == b"3"
    location.delete("lease")
    promised = guarantees(location)
    assert promised.create
    assert promised.clock
    assert promised.replace == (not isinstance(location.objects, FileSystem))
    assert location.keys() == []


@pytest.mark.parametrize("key", ["../x", "a/../../x", "/etc/passwd", "a//b", ".", "a/./b", "a\\..\\b", "a\0b"])
def test_keys_that_leave_the_store(tmp_path, key):
    location = locate(str(tmp_path))
    for call in (location.read, location.delete, location.keys, lambda key: location.write(key, b"")):
        with pytest.raises(ValueError, match="leaves its store"):
            call(key)


@pytest.mark.parametrize("kind", ["lost", "cut", "503"])
def test_a_lost_answer_is_looked_up(endpoint, kind, monkeypatch):
    """Put-if-absent and put-if-match whose answers are lost do not take their own work for another writer's."""
    monkeypatch.setattr("slidecloud.store.bucket._PAUSES", (0.0,) * 8)
    chosen = faults.Faults(3, {kind: 0.5})
    with faults.between(endpoint, chosen) as through:
        location = locate("s3://slides/lost", {"endpoint_url": through})
        for number in range(6):
            assert location.create(f"record{number}", b"ours")
            chosen.rates[kind] = 0.0
            version = location.fetch(f"record{number}").version
            chosen.rates[kind] = 0.5
            assert location.replace(f"record{number}", b"ours again", version)
    assert chosen.injected[kind] > 3


def test_denied_is_said_in_a_line(endpoint):
    with faults.between(endpoint, faults.Faults(0, {"403": 1.0})) as through:
        location = locate("s3://slides/run.zarr", {"endpoint_url": through})
        with pytest.raises(
            PermissionError, match=r"run\.zarr was denied .*AccessDenied.*Check the credentials"
        ) as caught:
            location.read("zarr.json")
    assert SECRET not in str(caught.value)


def test_no_credentials(endpoint, monkeypatch):
    boto3.client("s3", endpoint_url=endpoint).create_bucket(Bucket="public", ACL="public-read")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(PermissionError, match=r"No credentials .*AWS_PROFILE"):
        locate("s3://slides/run.zarr", {"endpoint_url": endpoint, "requester_pays": True}).exists()
    anonymous = locate("s3://public/run.zarr", {"endpoint_url": endpoint, "anon": True})
    assert anonymous.read("zarr.json") is None


def test_a_profile(endpoint, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "keys").write_text(f"[geo]\naws_access_key_id = AKIATEST\naws_secret_access_key = {SECRET}\n")
    (tmp_path / "config").write_text(f"[profile geo]\nregion = us-east-1\nendpoint_url = {endpoint}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "keys"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    location = locate("s3://slides/profile", {"profile": "geo"})
    location.write("x", b"1")
    assert isinstance(location.objects, Bucket)
    assert location.read("x") == b"1"


@pytest.fixture
def certificate(tmp_path):
    """A private authority: its file, and the key and certificate of a server at 127.0.0.1."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def issue(name, issuer, key, signer, extensions):
        start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        builder = x509.CertificateBuilder().subject_name(subject(name)).issuer_name(subject(issuer))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(start).not_valid_after(start + datetime.timedelta(days=30))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=True)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def subject(name):
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])

    root, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    sign = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    (tmp_path / "ca.pem").write_bytes(
        issue("our authority", "our authority", root, root, [x509.BasicConstraints(True, None), sign])
    )
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    (tmp_path / "server.pem").write_bytes(issue("127.0.0.1", "our authority", server, root, [address]))
    (tmp_path / "server.key").write_bytes(
        server.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return tmp_path


@pytest.mark.parametrize("way", ["option", "environment", "s3fs"])
def test_tls_with_a_private_authority(keys, certificate, monkeypatch, way):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "server.pem", certificate / "server.key")
    served = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), True, ssl_context=context)
    thread = threading.Thread(target=served.serve_forever)
    thread.start()
    url, authority = f"https://127.0.0.1:{served.server_port}", str(certificate / "ca.pem")
    try:
        boto3.client("s3", endpoint_url=url, verify=authority).create_bucket(Bucket="slides")
        options = {"endpoint_url": url}
        monkeypatch.setattr("slidecloud.store.aws._RETRY", {"max_retries": 0})
        refused = locate("s3://slides/refused", options)
        with pytest.raises(ConnectionError, match="did not answer"):
            refused.write("x", b"1")
        if way == "environment":
            monkeypatch.setenv("AWS_CA_BUNDLE", authority)
        else:
            options |= {"client_kwargs": {"verify": authority}}
        if way == "s3fs":
            options |= {"default_fill_cache": False}
        location = locate("s3://slides/tls", options)
        location.write("x", b"1")
        assert location.read("x") == b"1"
    finally:
        served.shutdown()
        thread.join()
        served.server_close()
