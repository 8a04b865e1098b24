"""The child process that holds the model: llama.cpp's HTTP server, and a gate to its memory.

It is started by :mod:`llmopt.llm.server` and ends with its parent. It imports nothing of llmopt, so that it
starts quickly. Settings arrive as one JSON line on standard input (a key in the arguments or the environment
could be read by others); one JSON line with the addresses goes to standard output when the model is ready.
"""

from __future__ import annotations

import hmac
import http.client
import json
import os
import signal
import socketserver
import sys
import threading
import time
from typing import Any, cast

_LOG_LIMIT = 2**20
_PROMPT_CACHE_MIB = 256
_HTTP_THREADS = 64


class Gate(socketserver.ThreadingTCPServer):
    """Admits requests while the tokens that they may need fit in the server's memory.

    All slots share one memory of ``capacity`` tokens, and when it overflows llama.cpp fails *every* request
    that is running. A client therefore reserves first: it connects, sends ``KEY TOKENS`` and a newline, waits
    for a newline in answer, and keeps the connection open as long as it needs the tokens. So a client that
    dies gives them back. Whoever is first in line waits for enough; nobody overtakes it.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, key: str, capacity: int) -> None:
        super().__init__(("127.0.0.1", 0), _Reservation)
        self._key = key.encode()
        self._capacity = capacity
        self._free = capacity
        self._first_in_line = threading.Lock()
        self._changed = threading.Condition()

    def admits(self, key: bytes) -> bool:
        return hmac.compare_digest(key, self._key)

    def acquire(self, tokens: int) -> int:
        """Wait until the tokens are free and take them; returns what was taken."""
        tokens = min(tokens, self._capacity)
        with self._first_in_line, self._changed:
            self._changed.wait_for(lambda: self._free >= tokens)
            self._free -= tokens
        return tokens

    def release(self, tokens: int) -> None:
        with self._changed:
            self._free += tokens
            self._changed.notify_all()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or a stranger, is no event."""


class _Reservation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        gate = cast(Gate, self.server)
        self.connection.settimeout(10)
        key, _, tokens = self.rfile.readline(200).rstrip(b"\n").partition(b" ")
        if not gate.admits(key):
            return
        self.connection.settimeout(None)
        taken = gate.acquire(int(tokens))
        try:
            self.wfile.write(b"\n")
            self.rfile.read(1)
        finally:
            gate.release(taken)


def serve(settings: dict[str, Any]) -> tuple[object, dict[str, Any]]:
    """Load the model and start serving; returns the server, which must be kept, and its addresses."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [settings["key"]]
    params.cors_origins = ""
    params.cors_credentials = False
    params.endpoint_slots = False
    params.ui = False
    params.n_parallel = settings["n_parallel"]
    # Slots that wait to share the prompt of an n > 1 request still hold what they read before. That was
    # admitted by the gate in its time, so the memory for it is what the gate admits, once more.
    params.n_ctx = 2 * settings["context"]
    params.kv_unified = True
    # Without all keys and values of its sliding window a model reads every prompt again from the beginning.
    params.swa_full = True
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    params.n_threads_http = _HTTP_THREADS
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.verbosity = 1
    params.warmup = False
    # Fitting the layers into a graphics card loads the model's header twice; without a card it is wasted.
    cpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_CPU
    params.fit_params = any(device["type"] != cpu for device in xllamacpp.get_device_info())
    server = xllamacpp.Server(params)

    # llama.cpp lowers what a request may have to what the model was trained with.
    context = min(settings["context"], _tokens_per_request(server.listening_address, settings["key"]))
    gate = Gate(settings["key"], context)
    threading.Thread(target=gate.serve_forever, daemon=True).start()
    return server, {"url": server.listening_address, "gate": gate.server_address[1], "context": context}


def _tokens_per_request(url: str, key: str) -> int:
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    try:
        connection.request("GET", "/props", headers={"Authorization": f"Bearer {key}"})
        return int(json.load(connection.getresponse())["default_generation_settings"]["n_ctx"])
    finally:
        connection.close()


def _watch(parent: int) -> None:
    """End with the parent even if a process that it forked still holds our standard input open."""
    while os.getppid() == parent:
        if os.fstat(2).st_size > _LOG_LIMIT:
            os.ftruncate(2, 0)
        time.sleep(0.5)
    os._exit(0)


def main() -> None:
    # Ctrl-C reaches the whole foreground group; the parent decides when the model ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    settings = json.loads(sys.stdin.buffer.readline())
    # Whatever llama.cpp prints must not be taken for the line with the addresses.
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        server, addresses = serve(settings)
    except RuntimeError as error:
        sys.exit(f"{error}")
    os.write(answer, json.dumps(addresses).encode() + b"\n")
    os.close(answer)
    sys.stdin.buffer.read()
    # The server cannot be stopped, and its threads would keep the interpreter from ending.
    del server
    os._exit(0)


if __name__ == "__main__":
    main()
