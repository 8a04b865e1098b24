"""The parent's side of the local model: start the child process, own it, end it, reach it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from llmopt.errors import InvalidInput, MissingExtra, ModelError

_CHILD = Path(__file__).with_name("server_main.py")
_STOP_SECONDS = 5.0
_LOAD_ERROR = re.compile(r"^[\d.]+ E (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Address:
    """How a process reaches a server; can be pickled, and a pickle of it holds the key.

    Parameters
    ----------
    url
        Base URL of llama.cpp's HTTP server.
    gate
        Port of the gate (see :class:`llmopt.llm.server_main.Gate`).
    key
        What the server asks for; in no text that is shown.
    """

    url: str
    gate: int
    key: str = field(repr=False)

    @contextmanager
    def reserve(self, tokens: int) -> Iterator[None]:
        """Hold that many tokens of the server's memory, waiting until they are free.

        Raises
        ------
        ConnectionError
            The server is gone.
        """
        with socket.create_connection(("127.0.0.1", self.gate)) as connection:
            connection.sendall(f"{self.key} {tokens}\n".encode())
            if not connection.recv(1):
                raise ConnectionResetError("the server has ended")
            yield


class Server:
    """A running llama.cpp server, ended by :meth:`close`, with this object, or with this process.

    Parameters
    ----------
    model
        A GGUF file.
    n_parallel
        Replies that are generated at the same time.
    context
        Tokens that all requests in progress may have together; one request gets no more than the model was
        trained with.
    threads
        CPU threads that compute.

    Raises
    ------
    MissingExtra
        xllamacpp is not installed.
    InvalidInput
        llama.cpp cannot load the file.
    ModelError
        The process ended for another reason before it was ready.
    """

    def __init__(self, model: Path, *, n_parallel: int, context: int, threads: int) -> None:
        require_runtime()
        key = secrets.token_urlsafe(32)
        settings = {
            "model": str(model),
            "key": key,
            "n_parallel": n_parallel,
            "context": context,
            "threads": threads,
        }
        log = tempfile.TemporaryFile(mode="a+b")  # noqa: SIM115 - closed by _stop
        # Run as a file, without llmopt and its imports: the child needs none of them.
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            # llama.cpp's threads wait for each other thousands of times a second. Spinning there is 10 % faster
            # on an idle machine, and many times slower as soon as anything else wants a core.
            env={"OMP_WAIT_POLICY": "passive", **os.environ},
        )
        self._log = log
        self._stop = weakref.finalize(self, _stop, self._process, log, os.getpid())
        try:
            addresses = self._start(settings)
        except BaseException as error:
            last_words = self.last_words
            self._stop()
            if not isinstance(error, (OSError, json.JSONDecodeError)):
                raise
            reason = _LOAD_ERROR.search(last_words)
            if reason:
                raise InvalidInput(f"model file {model} cannot be loaded: {reason[1]}") from None
            raise ModelError(self._epitaph(last_words)) from None
        self.address = Address(addresses["url"], addresses["gate"], key)
        self.context = int(addresses["context"])

    def _start(self, settings: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(settings).encode() + b"\n")
        self._process.stdin.flush()
        addresses: dict[str, Any] = json.loads(self._process.stdout.readline())
        return addresses

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def last_words(self) -> str:
        """What the child has written to its standard error (the last 4 KiB; empty once closed)."""
        if self._log.closed:
            return ""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), 4096, max(0, size - 4096)).decode(errors="replace")

    def fate(self) -> str | None:
        """Return one line that says how the child ended, or None while it runs."""
        if not self._stop.alive:
            return "the local model was closed"
        try:
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            return None
        return self._epitaph(self.last_words)

    def _epitaph(self, last_words: str) -> str:
        lines = [line.strip() for line in last_words.splitlines() if line.strip()]
        words = " | ".join(lines[-3:]) or "it said nothing"
        return f"the local model's process has ended (exit status {self._process.returncode}): {words}"

    def close(self) -> None:
        """End the child; may be called twice."""
        self._stop()


def require_runtime() -> None:
    """Raise MissingExtra unless xllamacpp is installed (looked up, not imported)."""
    if importlib.util.find_spec("xllamacpp") is None:
        raise MissingExtra("the local model needs xllamacpp; install it with: pip install 'llmopt[local]'")


def _stop(process: subprocess.Popen[bytes], log: IO[bytes], owner: int) -> None:
    # A forked worker inherits this finalizer together with the object; the child is not its to end.
    if os.getpid() != owner:
        return
    assert process.stdin is not None and process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    try:
        process.wait(timeout=_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
    log.close()
