"""A small HTTP proxy that stands between a client and an object store and spoils some of the answers, by a seed."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KINDS = ("500", "503", "slow", "cut", "lost", "short")
"""Errors of the server, throttling, a pause, a connection cut before and after the store acted, half an answer."""
SECRET = "wJalrXUtnFEMI0K7MDENG0bPxRfiCYSECRET"
TOKEN = "FwoGZXIvYXdzEJr0TOKEN"
"""Keys that no test may find anywhere but in the environment."""
_ERROR = '<?xml version="1.0"?><Error><Code>{}</Code><Message>injected</Message></Error>'
_CODES = {
    "500": (500, "InternalError"),
    "503": (503, "SlowDown"),
    "429": (429, "TooManyRequests"),
    "403": (403, "AccessDenied"),
    "skewed": (403, "RequestTimeTooSkewed"),
    "501": (501, "NotImplemented"),
}


class Faults:
    """Which requests are spoiled, and how.

    Parameters
    ----------
    seed
        Of the choice.
    rates
        Probability of each kind of fault; may be changed while requests come.

    Attributes
    ----------
    injected
        Answers spoiled so far, by kind.
    pause
        Seconds of a slow answer.
    """

    def __init__(self, seed: int, rates: Mapping[str, float]) -> None:
        self.rates = dict(rates)
        self.injected: Counter[str] = Counter()
        self.requests = 0
        self.refuse_conditions = False
        self.pause = 0.3
        self._choice = random.Random(seed)
        self._lock = threading.Lock()

    def next(self) -> str | None:
        """The fault of the next request, or None."""
        with self._lock:
            self.requests += 1
            drawn = self._choice.random()
            for kind, rate in self.rates.items():
                drawn -= rate
                if drawn < 0:
                    self.injected[kind] += 1
                    return kind
            return None


@contextmanager
def between(endpoint: str, faults: Faults) -> Iterator[str]:
    """Endpoint of a proxy in front of an object store."""
    store = urlsplit(endpoint).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body would wait 40 ms for the receipt of its head

        def log_message(self, *words: object) -> None:
            """Say nothing."""

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except OSError:
                self.close_connection = True

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            fault = faults.next()
            conditional = {"if-match", "if-none-match"} & {name.lower() for name in self.headers}
            if faults.refuse_conditions and conditional and self.command == "PUT":
                fault = "501"
            if fault in _CODES:
                status, code = _CODES[fault]
                return self._answer(status, _ERROR.format(code).encode())
            if fault == "cut":
                return self._hang_up()
            if fault == "slow":
                time.sleep(faults.pause)
            status, headers, answer = _ask(store, self.command, self.path, dict(self.headers), body)
            if fault == "lost":
                return self._hang_up()
            if fault == "short" and self.command == "GET" and len(answer) > 1:
                self._head(status, headers, len(answer))
                self.wfile.write(answer[: len(answer) // 2])
                return self._hang_up()
            return self._answer(status, answer, headers)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass  # noqa: N815 - names that http.server looks for

        def _answer(self, status: int, body: bytes, headers: list[tuple[str, str]] | None = None) -> None:
            length = dict(headers or []).get("Content-Length") if self.command == "HEAD" else None
            self._head(status, headers or [], int(length or len(body)))
            if self.command != "HEAD":
                self.wfile.write(body)

        def _head(self, status: int, headers: list[tuple[str, str]], length: int) -> None:
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def _hang_up(self) -> None:
            self.close_connection = True
            self.wfile.flush()
            self.connection.shutdown(2)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that hung up is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _ask(
    store: str, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(store, timeout=60)
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers.items():
            if name.lower() != "connection":
                connection.putheader(name, value)
        connection.putheader("Connection", "close")
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    finally:
        connection.close()
