"""Folders of files where sources may lie that are no folders: buckets, web servers, memory."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import boto3
import fsspec


def upload(root: Path, endpoint: str, prefix: str) -> str:
    """Put the files of a folder into the bucket ``slides``; returns the URL."""
    client = boto3.client("s3", endpoint_url=endpoint)
    for name, data in contents(root).items():
        client.put_object(Bucket="slides", Key=f"{prefix}/{name}", Body=data)
    return f"s3://slides/{prefix}"


def remember(root: Path, prefix: str, *, scheme: str = "memory") -> str:
    """Put them into memory; returns the URL."""
    files = fsspec.filesystem(scheme)
    for name, data in contents(root).items():
        files.pipe_file(f"{scheme}://{prefix}/{name}", data)
    return f"{scheme}://{prefix}"


def contents(root: Path) -> dict[str, bytes]:
    """Bytes of all files of a folder by their path in it."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@contextmanager
def web(root: Path, *, status: int | None = None) -> Iterator[str]:
    """URL of a web server that shows a folder and knows no ranges; with a status, it answers nothing else."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words: object) -> None:
            """Say nothing."""

        def send_head(self):
            return super().send_head() if status is None else self.send_error(status)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(root)))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
