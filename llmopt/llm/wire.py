"""An HTTP client whose exchanges end: by a deadline, a limit of bytes, or a request to stop."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import httpx2

# An answer of text is far smaller; what is larger is a fault, or an attack.
MOST_BYTES = 16 * 2**20
_STEP = 0.2
_CHUNK = 2**16


@dataclass
class _Exchange:
    deadline: float
    stop: threading.Event
    read: int = field(default=0)


_threads = threading.local()


@contextmanager
def exchange(seconds: float, stop: threading.Event) -> Iterator[None]:
    """Bound what this thread's requests take together: seconds in all, :data:`MOST_BYTES`, and until ``stop`` is set.

    The time-outs of the client itself bound only the time between two packets, so that a server which sends a byte
    now and then would hold a call for ever.
    """
    _threads.exchange = _Exchange(time.monotonic() + seconds, stop)
    try:
        yield
    finally:
        _threads.exchange = None


def client(url: str, connections: int) -> httpx2.Client:
    """Return a client for one endpoint that obeys :func:`exchange` and follows no redirect, so that no other host
    is sent the key."""
    parts = urlsplit(url)
    http = httpx2.Client(
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=connections),
        # Loading certificates takes time; without TLS there is nothing to verify.
        verify=parts.scheme == "https",
        # A proxy cannot reach this machine's own servers.
        trust_env=not is_loopback(parts.hostname or ""),
        # So that the limit of bytes is one of the text.
        headers={"Accept-Encoding": "identity"},
        follow_redirects=False,
    )
    for transport in (http._transport, *http._mounts.values()):
        # The client has no public way to a transport's sockets that keeps the user's proxies.
        if isinstance(transport, httpx2.HTTPTransport):
            pool = transport._pool
            pool._network_backend = _Backend(pool._network_backend)
    return http


def is_loopback(host: str) -> bool:
    """Return whether a host name stands for this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, backend: httpcore2.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *args: Any, **more: Any) -> _Stream:
        return _Stream(self._backend.connect_tcp(host, port, _left(timeout), *args, **more))


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        now: _Exchange | None = getattr(_threads, "exchange", None)
        if now is None:
            return self._stream.read(max_bytes, timeout)
        while True:
            left = _left(timeout)
            # In steps, so that Ctrl-C in one thread ends what other threads wait for.
            try:
                data = self._stream.read(max_bytes, min(_STEP, left))
                break
            except httpcore2.ReadTimeout:
                continue
        now.read += len(data)
        if now.read > MOST_BYTES:
            raise httpcore2.ReadError(f"the answer is longer than {MOST_BYTES:,} bytes")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _CHUNK):
            self._stream.write(buffer[start : start + _CHUNK], _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(timeout: float | None) -> float:
    """Return the seconds that one more operation may take."""
    now: _Exchange | None = getattr(_threads, "exchange", None)
    if now is None:
        return 60.0 if timeout is None else timeout
    if now.stop.is_set():
        raise httpcore2.ReadError("the call was given up")
    left = now.deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the answer took too long")
    return left
