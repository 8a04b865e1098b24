"""A server on real sockets that answers like OpenAI's and Anthropic's, and fails as it is told to.

For tests only. Each request is met by the next fault of the schedule, and by a good answer when it is used up. The
server keeps its own account of what it reported, so that a client's can be compared with it.
"""

from __future__ import annotations

import json
import random
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

STATUSES = {
    "400": 400,
    "401": 401,
    "403": 403,
    "404": 404,
    "429": 429,
    "429-seconds": 429,
    "429-date": 429,
    "quota": 429,
    "500": 500,
    "503": 503,
    "529": 529,
}
PERMANENT = ("400", "401", "403", "404", "quota")
PASSING = (
    *("429", "429-seconds", "429-date", "500", "503", "529"),
    *("reset", "early-reset", "drip", "drip-header", "half", "empty", "fewer", "utf8", "big", "hang", "no-json"),
    *("no-usage", "text-usage"),
)
FAULTS = (*PASSING, *PERMANENT)
# What is done, or may be, without the client being told its cost.
SILENT = ("reset", "early-reset", "drip", "drip-header", "half", "utf8", "big", "hang", "no-json")
UNPRICED = ("no-usage", "text-usage")
# Answers that a client can read.
TOLD = ("ok", "empty", "fewer", "wrong-usage")
BIG = 50 * 2**20


@dataclass
class Counts:
    """What answers cost."""

    calls: int = 0
    prompt: int = 0
    completion: int = 0

    def add(self, prompt: int, completion: int) -> None:
        self.calls += 1
        self.prompt += prompt
        self.completion += completion


class FaultServer(ThreadingHTTPServer):
    """Serves until it is closed.

    Parameters
    ----------
    schedule
        Faults for the requests, in the order in which they arrive.
    reply
        Text of a reply, given the request's body and the reply's number.
    delay
        Seconds before a good answer.
    """

    daemon_threads = True
    block_on_close = True
    request_queue_size = 256

    def __init__(
        self,
        schedule: Iterable[str] = (),
        reply: Callable[[dict[str, Any], int], str] | None = None,
        delay: float = 0.0,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.schedule = list(schedule)
        self.reply = reply or (lambda body, number: f"reply {number}")
        self.delay = delay
        self.bodies: list[dict[str, Any]] = []
        self.keys: set[str] = set()
        self.met: list[str] = []
        self.most_at_once = 0
        self.reported = Counts()
        self.done = Counts()
        self.over = threading.Event()
        self.lock = threading.Lock()
        self._running = 0
        self._replies = 0
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def arrived(self, body: dict[str, Any], key: str) -> str:
        with self.lock:
            self.bodies.append(body)
            self.keys.add(key)
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
            self.met.append(self.schedule.pop(0) if self.schedule else "ok")
            return self.met[-1]

    def left(self) -> None:
        with self.lock:
            self._running -= 1

    def numbers(self, n: int) -> range:
        with self.lock:
            self._replies += n
            return range(self._replies - n, self._replies)

    def book(self, fault: str, prompt: int, completion: int) -> None:
        """Note what was done, and what of it the client is told."""
        with self.lock:
            self.done.add(prompt, completion)
            if fault in UNPRICED:
                self.reported.add(0, 0)
            elif fault in TOLD:
                self.reported.add(prompt, completion)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the game."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Head and body of an answer in one packet; otherwise the second waits for an acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        server = cast(FaultServer, self.server)
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers.get("x-api-key") or self.headers.get("Authorization", "").removeprefix("Bearer ")
        fault = server.arrived(body, key)
        try:
            self._meet(server, fault, body, key)
        finally:
            server.left()

    def _meet(self, server: FaultServer, fault: str, body: dict[str, Any], key: str) -> None:
        if fault == "hang":
            server.over.wait(30)
            self.close_connection = True
        elif fault in ("reset", "early-reset"):
            if fault == "reset":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
                self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif fault.startswith("to "):
            self._write(307, b"", {"Location": f"{fault.removeprefix('to ')}{self.path}"})
        elif fault in STATUSES:
            self._refuse(fault, key)
        else:
            server.over.wait(server.delay)
            self._answer(server, fault, body)

    def _refuse(self, fault: str, key: str) -> None:
        headers = {}
        if fault == "429-seconds":
            headers["Retry-After"] = "0.02"
        if fault == "429-date":
            headers["Retry-After"] = format_datetime(datetime.now(UTC) + timedelta(seconds=0.2), usegmt=True)
        code = "insufficient_quota" if fault == "quota" else "injected"
        # Servers quote keys in their errors.
        error = {"message": f"injected {fault} for {key}\nand more", "code": code, "type": "injected_error"}
        self._write(STATUSES[fault], json.dumps({"type": "error", "error": error}).encode(), headers)

    def _answer(self, server: FaultServer, fault: str, body: dict[str, Any]) -> None:
        answer, prompt, completion = answer_to(server, fault, body, messages=self.path.endswith("/messages"))
        server.book(fault, prompt, completion)
        content = json.dumps(answer).encode()
        if fault == "utf8":
            content = content.replace(b"reply", b"r\xff\xfe", 1) + b"\xff"
        elif fault == "no-json":
            content = b"<html>all is well</html>"
        elif fault == "big":
            self._write_big()
            return
        elif fault == "half":
            content = content[: len(content) // 2]
        elif fault in ("drip", "drip-header"):
            self._drip(server, content, head=fault == "drip-header")
            return
        self._write(200, content, {})

    def _write(self, status: int, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def _write_big(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(BIG))
        self.end_headers()
        self.close_connection = True
        for _ in range(BIG // 2**16):
            self.wfile.write(b" " * 2**16)

    def _drip(self, server: FaultServer, content: bytes, *, head: bool) -> None:
        start = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
        if not head:
            self.wfile.write(start)
        for byte in start + content if head else content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            if server.over.wait(0.05):
                break
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def answer_to(
    server: FaultServer, fault: str, body: dict[str, Any], *, messages: bool
) -> tuple[dict[str, Any], int, int]:
    """Return an answer, to Anthropic's messages or in OpenAI's form, and the tokens that it reports."""
    wanted = body.get("n", 1)
    n = {"empty": 0, "fewer": max(1, wanted - 1)}.get(fault, wanted)
    texts = [server.reply(body, number) for number in server.numbers(n)]
    prompt = len(json.dumps(body.get("messages", body.get("prompt"))).split())
    completion = sum(len(text.split()) for text in texts)
    if messages:
        usage: Any = {"input_tokens": prompt - 2, "cache_read_input_tokens": 2, "output_tokens": completion}
        blocks = [{"type": "thinking", "thinking": "hm"}, *({"type": "text", "text": text} for text in texts)]
        answer = {"type": "message", "content": blocks if texts else [], "stop_reason": "end_turn"}
    else:
        usage = {"prompt_tokens": prompt, "completion_tokens": completion}
        usage["prompt_tokens_details"] = {"cached_tokens": 2}
        raw = "prompt" in body
        choices = [{"text": text} if raw else {"message": {"content": text}} for text in texts]
        answer = {"choices": [{"index": i, "finish_reason": "stop", **choice} for i, choice in enumerate(choices)]}
    if fault == "wrong-usage":
        usage = {name: 10**9 if isinstance(value, int) else value for name, value in usage.items()}
        prompt = completion = 10**9
    if fault == "text-usage":
        usage = "a lot"
    if fault != "no-usage":
        answer["usage"] = usage
    return answer, prompt, completion


def solution(body: dict[str, Any], number: int) -> str:
    """Return a reply that solves a problem with two numbers, now and then in a wrong form."""
    draw = random.Random(number)
    if number % 7 == 3:
        return "I cannot say."
    return json.dumps({"w": draw.randint(-50, 50), "b": draw.randint(-50, 50)})
