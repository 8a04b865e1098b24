"""A file by its URL, however often the connection is lost on the way."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from llmopt.errors import LlmoptError

if TYPE_CHECKING:
    import httpx2

_ATTEMPTS = 4
_CONNECT_SECONDS = 10.0
_SILENCE_SECONDS = 60.0


class SourceError(LlmoptError, RuntimeError):
    """A source of files does not give what was asked for; the message is the reason. Exit code 1."""


class _Lost(Exception):
    """The connection was lost, or the server is in trouble: it may work the next time."""


def download(
    url: str, size: int, target: Path, progress: Callable[[int], None] = lambda _: None, *, pause: float = 1.0
) -> None:
    """Bring a file from a URL to ``target``; go on where an earlier call was interrupted.

    Beside the target a small file says where its bytes come from and which version they are of (the server's
    strong ETag). Without one, or if the server has another version by now, the file is fetched from its start.
    Neither the target nor that file is removed here, so that the next call can go on. The content is for the
    caller to check.

    Parameters
    ----------
    url
        Where the file is.
    size
        Its size in bytes.
    target
        Where it is written.
    progress
        Called with the number of bytes that are there.
    pause
        Seconds before another attempt, twice as many after each that brought no further than those before it;
        the fourth of them in a row is the last.

    Raises
    ------
    SourceError
        The server cannot be reached, does not have the file, has one of another size, or loses the connection
        several times in a row.
    OSError
        The target cannot be written.
    """
    import httpx2

    timeout = httpx2.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS)
    # Bytes as they are: a compressed answer could not be continued in the middle of the file.
    headers = {"Accept-Encoding": "identity"}
    failed = 0
    with httpx2.Client(timeout=timeout, headers=headers, follow_redirects=True) as client:
        partial = _Partial(url, size, target, progress)
        most = partial.length
        while partial.length < size:
            try:
                partial.fetch(client)
            except _Lost as lost:
                # A file that always starts again, and is lost earlier or later, must not go on for ever.
                failed = 0 if partial.length > most else failed + 1
                most = max(most, partial.length)
                if failed == _ATTEMPTS:
                    raise SourceError(f"{lost} ({_ATTEMPTS} times)") from None
                time.sleep(pause * 2 ** max(failed - 1, 0))


class _Partial:
    """The first bytes of a file."""

    def __init__(self, url: str, size: int, target: Path, progress: Callable[[int], None]) -> None:
        self._url, self._size, self._target, self._progress = url, size, target, progress
        self._note = target.with_name(target.name + ".json")
        self._etag: str | None = None
        self._reached = False
        self.length = 0
        with suppress(OSError, ValueError, LookupError, TypeError):
            origin = json.loads(self._note.read_text())
            if origin["url"] == url and target.stat().st_size <= size:
                self._etag, self.length = str(origin["etag"]), target.stat().st_size
        progress(self.length)

    def fetch(self, client: httpx2.Client) -> None:
        """Ask for what is missing, and write what comes."""
        import httpx2

        # Without a version there is no telling whether the rest would fit.
        goes_on = {"Range": f"bytes={self.length}-", "If-Range": self._etag} if self.length and self._etag else {}
        try:
            with client.stream("GET", self._url, headers=goes_on) as response:
                self._reached = True
                self._check(response)
                if response.status_code != 206:
                    self._restart(response.headers.get("ETag"))
                self._append(response)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError) as error:
            if self._reached:
                raise _Lost(f"the connection was lost: {error}") from None
            raise SourceError(f"cannot be reached ({_reason(error)})") from None
        except httpx2.TimeoutException:
            raise _Lost(f"nothing came for {_SILENCE_SECONDS:g} s") from None
        except httpx2.TransportError as error:
            raise _Lost(f"the connection was lost: {_reason(error)}") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SourceError(_reason(error)) from None

    def _check(self, response: httpx2.Response) -> None:
        """Refuse an answer that is not the file, or not the part of it that is missing."""
        status, headers = response.status_code, response.headers
        if status == 206 and self.length:
            found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("Content-Range", ""))
            if found is None or int(found[1]) != self.length or headers.get("ETag", self._etag) != self._etag:
                self._forget()
                raise _Lost("the server sent another part of the file than it was asked for")
            total = found[3]
        elif status == 200:
            total = headers.get("Content-Length", "*")
        elif status == 416:
            self._forget()
            raise _Lost("the server has fewer bytes of the file than are here")
        elif status >= 500 or status in (408, 429):
            raise _Lost(f"the server answered {status} {response.reason_phrase}")
        else:
            raise SourceError(f"the server answered {status} {response.reason_phrase}")
        if total.isdecimal() and int(total) != self._size:
            self._forget()
            raise SourceError(f"the file there has {int(total):,} bytes, not {self._size:,}")

    def _restart(self, etag: str | None) -> None:
        self._forget()
        self._target.write_bytes(b"")
        # A weak one promises the same meaning, not the same bytes.
        self._etag = None if etag is None or etag.startswith("W/") else etag
        if self._etag is not None:
            self._note.write_text(json.dumps({"url": self._url, "etag": self._etag}))

    def _append(self, response: httpx2.Response) -> None:
        with self._target.open("r+b") as file:
            file.seek(self.length)
            for block in response.iter_raw():
                if self.length + len(block) > self._size:
                    self._forget()
                    raise SourceError(f"the file there has more than {self._size:,} bytes")
                file.write(block)
                self.length += len(block)
                self._progress(self.length)
        if self.length < self._size:
            raise _Lost(f"the answer ended after {self.length:,} of {self._size:,} bytes")

    def _forget(self) -> None:
        self._note.unlink(missing_ok=True)
        self._etag, self.length = None, 0


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
