"""A browser for tests: headless Chromium, driven over two pipes by its DevTools protocol; no package is needed."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""The path of a Chromium; None where there is none."""

_FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--remote-debugging-pipe"),
)
_SECONDS = 60.0


class Browser:
    """One tab, and what it has complained of and asked the network for.

    Attributes
    ----------
    complaints
        Exceptions, errors and warnings of the console, violations of the page's policy.
    requests
        Addresses that were asked for, the page's own among them.
    """

    def __init__(self, write: int, read: int) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._write, self._read = write, read
        self._rest = b""
        self._number = 0
        self._loads = 0
        target = self._send("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session: str | None = None
        self._session = self._send("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._send(f"{domain}.enable")

    def open(self, page: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> Self:
        """Open a file in a window of that size, and forget what came before."""
        self.complaints.clear()
        self.requests.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._send("Emulation.setDeviceMetricsOverride", size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._send("Emulation.setEmulatedMedia", {"features": [scheme]})
        seen = self._loads
        self._send("Page.navigate", {"url": page.absolute().as_uri()})
        self._until(lambda: self._loads > seen, f"{page} to load")
        return self

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; one of a promise when it is there."""
        asked = {"expression": script, "returnByValue": True, "awaitPromise": True}
        answer = self._send("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, script: str) -> None:
        """Wait until an expression is true in the page."""
        self._until(lambda: bool(self.run(script)), script)

    def press(self, key: str, text: str = "") -> None:
        """Press a key, such as Tab, or Enter with the text that it types."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27}[key]
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self._send("Input.dispatchKeyEvent", {**event, "type": "keyDown", **({"text": text} if text else {})})
        self._send("Input.dispatchKeyEvent", {**event, "type": "keyUp"})

    def picture(self, path: Path) -> None:
        """Save what the window shows as a PNG file."""
        path.write_bytes(base64.b64decode(self._send("Page.captureScreenshot", {"format": "png"})["data"]))

    def _until(self, done: Any, what: str) -> None:
        end = time.monotonic() + _SECONDS
        while not done():
            if time.monotonic() > end:
                raise AssertionError(f"waited {_SECONDS:.0f} s for {what}; complaints: {self.complaints}")
            self._listen(0.05)

    def _send(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters or {}}
        if getattr(self, "_session", None) is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + _SECONDS
        while time.monotonic() < end:
            for answer in self._listen(0.5):
                if answer.get("id") == self._number:
                    if "error" in answer:
                        raise AssertionError(f"{method}: {answer['error']}")
                    found: dict[str, Any] = answer["result"]
                    return found
        raise AssertionError(f"{method}: no answer in {_SECONDS:.0f} s")

    def _listen(self, seconds: float) -> list[dict[str, Any]]:
        """Return the messages that come within some time, after a look at each."""
        if select.select([self._read], [], [], seconds)[0]:
            read = os.read(self._read, 1 << 20)
            if not read:
                raise AssertionError("the browser has ended")
            self._rest += read
        *whole, self._rest = self._rest.split(b"\0")
        messages = [json.loads(text) for text in whole]
        for message in messages:
            self._note(message.get("method"), message.get("params", {}))
        return messages

    def _note(self, event: str | None, told: dict[str, Any]) -> None:
        match event:
            case "Page.loadEventFired":
                self._loads += 1
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["exceptionDetails"])[:2_000])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(told["args"])[:2_000])
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(told["entry"]["text"])


@contextmanager
def browser() -> Iterator[Browser]:
    """Start a browser and end it again."""
    assert PROGRAM is not None
    their_read, write = os.pipe()
    read, their_write = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as home:
        # Chromium wants the pipes at the numbers 3 and 4; a shell moves them there.
        moves = f'exec "$0" "$@" 3<&{their_read} 4>&{their_write}'
        process = subprocess.Popen(
            ["bash", "-c", moves, PROGRAM, *_FLAGS, f"--user-data-dir={home}", "about:blank"],
            pass_fds=(their_read, their_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )
        os.close(their_read)
        os.close(their_write)
        try:
            yield Browser(write, read)
        finally:
            # At the end of its orders it ends, and its children with it.
            os.close(write)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            os.close(read)
