"""How a pull is going: a bar on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from llmopt.llm.catalog import Weights
from llmopt.llm.pull import Watcher
from llmopt.report.safe import one_line

if TYPE_CHECKING:
    from rich.console import Console

_SECONDS_BETWEEN_LINES = 10.0


class Display(Watcher):
    """Shows nothing; a context manager, as every other display is."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The pull is over."""


class Lines(Display):
    """A line for whatever is worth it, and one every ten seconds."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._shown = time.monotonic()

    def note(self, text: str) -> None:
        self._shown = time.monotonic()
        print(one_line(text), file=sys.stderr, flush=True)

    def progress(self, arrived: int) -> None:
        if time.monotonic() - self._shown >= _SECONDS_BETWEEN_LINES:
            share = min(arrived / self._size, 1.0)
            self.note(f"{share * self._size / 1e6:,.0f} of {self._size / 1e6:,.0f} MB ({share:.0%})")


class Bar(Display):
    """Notes as lines, and under them a bar with speed and remaining time."""

    def __init__(self, weights: Weights, console: Console) -> None:
        from rich import progress

        self._progress = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.DownloadColumn(),
            progress.TransferSpeedColumn(),
            progress.TimeRemainingColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(weights.name, total=weights.size)

    def note(self, text: str) -> None:
        from rich.text import Text

        self._progress.console.print(Text(one_line(text)), soft_wrap=True)

    def progress(self, arrived: int) -> None:
        self._progress.update(self._task, completed=arrived)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def display(weights: Weights, *, quiet: bool) -> Display:
    """Return the display that fits stderr."""
    if quiet:
        return Display()
    if not sys.stderr.isatty():
        return Lines(weights.size)
    from rich.console import Console

    return Bar(weights, Console(stderr=True, highlight=False, markup=False))
