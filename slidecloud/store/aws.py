"""A bucket for obstore from options in the words of s3fs, by the rules of every AWS tool.

Keys come from the options' environment variables, a profile, the environment or the instance's role, and are asked for
again before they expire; they live in this process alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.session import Session
    from obstore.store import S3Store

KNOWN = frozenset(
    {
        "endpoint_url",
        "key",
        "secret",
        "token",
        "anon",
        "profile",
        "requester_pays",
        "client_kwargs.endpoint_url",
        "client_kwargs.region_name",
        "client_kwargs.verify",
        "config_kwargs.s3.addressing_style",
        "config_kwargs.connect_timeout",
        "config_kwargs.read_timeout",
    }
)
"""Options that mean the same to `open_bucket` as to s3fs; nested ones with dots."""
_GOOD_FOR = timedelta(minutes=10)
_RETRY: Any = {
    "max_retries": 120,
    "backoff": {"init_backoff": timedelta(seconds=0.1), "max_backoff": timedelta(seconds=5), "base": 4},
    "retry_timeout": timedelta(minutes=4),
}
"""obstore draws each wait between the first one and the last one times the base: with base 2 waits would not grow.

None is longer than five seconds: when a store came back after six seconds, requests were 1.8 s late on average, and
4.3 s with waits of up to fifteen.
"""
_SINGLE: Any = {**_RETRY, "max_retries": 0}


def flat(options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested options as one level, names joined by dots."""
    found: dict[str, Any] = {}
    for name, value in options.items():
        nested = isinstance(value, Mapping)
        found |= flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return found


def open_bucket(bucket: str, prefix: str, options: Mapping[str, Any]) -> tuple[S3Store, S3Store] | None:
    """The bucket with and without retries; None where only s3fs serves: other options, or a region to be found out.

    Parameters
    ----------
    bucket, prefix
        Parts of the URL.
    options
        Options in the words of s3fs, environment variables filled in.

    Raises
    ------
    PermissionError
        If there are no credentials and anonymous access was not asked for.
    """
    words = flat(options)
    if not set(words) <= KNOWN:
        return None
    from botocore.session import Session
    from obstore.store import S3Store

    session = Session(profile=words.get("profile"))
    endpoint = words.get("endpoint_url", words.get("client_kwargs.endpoint_url"))
    region = words.get("client_kwargs.region_name")
    # A client is the one thing that knows every rule for endpoints: environment, profile, services section.
    meta = session.create_client("s3", endpoint_url=endpoint, region_name=region).meta
    if meta.endpoint_url.endswith("amazonaws.com") and not (region or session.get_config_variable("region")):
        return None
    config: Any = {"endpoint": meta.endpoint_url, "region": meta.region_name, "checksum_algorithm": "SHA256"}
    if words.get("config_kwargs.s3.addressing_style") == "virtual":
        scheme, host = meta.endpoint_url.split("://", 1)
        config |= {"endpoint": f"{scheme}://{bucket}.{host}", "virtual_hosted_style_request": True}
    if words.get("requester_pays"):
        config["request_payer"] = True
    anonymous = bool(words.get("anon"))
    config |= {"skip_signature": True} if anonymous else {}
    client, provider = _client(words, session), None if anonymous else _credentials(words, session, f"s3://{bucket}")

    def opened(retry: Any) -> S3Store:
        return S3Store(
            bucket,
            prefix=prefix or None,
            config=config,
            client_options=client,
            retry_config=retry,
            credential_provider=provider,
        )

    return opened(_RETRY), opened(_SINGLE)


def _client(words: Mapping[str, Any], session: Session) -> Any:
    """Time-outs and certificates."""
    options: dict[str, Any] = {
        "allow_http": True,
        "connect_timeout": timedelta(seconds=float(words.get("config_kwargs.connect_timeout", 10))),
        "read_timeout": timedelta(seconds=float(words.get("config_kwargs.read_timeout", 30))),
        "timeout": timedelta(minutes=2),
    }
    verify = words.get("client_kwargs.verify", True)
    if verify is False:
        return options | {"allow_invalid_certificates": True}
    authority = verify if isinstance(verify, str) else session.get_config_variable("ca_bundle")
    authority = authority or os.environ.get("REQUESTS_CA_BUNDLE")
    return options | ({"root_certificate": Path(authority).read_bytes()} if authority else {})


def _credentials(words: Mapping[str, Any], session: Session, url: str) -> Any:
    """A function that obstore calls for keys, now and before they expire."""
    if "key" in words:
        given = {
            "access_key_id": words["key"],
            "secret_access_key": words.get("secret", ""),
            "token": words.get("token"),
        }
        return lambda: {**given, "expires_at": None}
    found = session.get_credentials()
    if found is None:
        raise PermissionError(
            f"No credentials for {url} in the environment, a profile or the role of this machine. Set AWS_PROFILE, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; give anon=true for public data."
        )

    def current() -> dict[str, Any]:
        keys = found.get_frozen_credentials()
        return {
            "access_key_id": keys.access_key,
            "secret_access_key": keys.secret_key,
            "token": keys.token,
            "expires_at": datetime.now(UTC) + _GOOD_FOR,
        }

    return current
