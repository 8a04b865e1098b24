"""A server of one file on loopback, with the faults that downloads meet."""

import re
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Answer:
    """How one request is answered.

    ``drop`` closes the connection after so many bytes of the body; ``surplus`` bytes are sent after the file;
    ``sized`` says whether the length is announced; ``ranges`` whether Range is understood, ``conditions``
    whether If-Range is; ``shift`` moves the part that is sent.
    """

    status: int = 200
    drop: int | None = None
    surplus: int = 0
    sized: bool = True
    ranges: bool = True
    conditions: bool = True
    shift: int = 0
    redirect: str | None = None


class FileServer:
    """Serves ``content`` under the version ``etag``; ``plan`` holds the answers to the next requests."""

    def __init__(self, content: bytes, etag: str | None = '"one"') -> None:
        self.content = content
        self.etag = etag
        self.plan: list[Answer] = []
        self.ranges: list[str | None] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,))
        self.url = f"http://127.0.0.1:{self._http.server_port}/model.gguf"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        answer = self.plan.pop(0) if self.plan else Answer()
        wanted = handler.headers.get("Range")
        self.ranges.append(wanted)
        if answer.redirect is not None:
            handler.send_response(302)
            handler.send_header("Location", answer.redirect)
            handler.end_headers()
            return
        if answer.status != 200:
            handler.send_error(answer.status)
            return
        start = 0
        current = not answer.conditions or handler.headers.get("If-Range", self.etag) == self.etag
        if wanted is not None and answer.ranges and current:
            found = re.fullmatch(r"bytes=(\d+)-", wanted)
            assert found is not None
            start = int(found[1]) + answer.shift
            if start >= len(self.content):
                handler.send_error(416)
                return
        total = len(self.content) + answer.surplus
        body = (self.content + bytes(answer.surplus))[start:]
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{total - 1}/{total if answer.sized else '*'}")
        if answer.sized:
            handler.send_header("Content-Length", str(len(body)))
        if self.etag is not None:
            handler.send_header("ETag", self.etag)
        handler.end_headers()
        handler.wfile.write(body if answer.drop is None else body[: answer.drop])
