"""A comparison that is ready is run, shown and saved, whatever ends it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.cli import output
from llmopt.cli.order import Order
from llmopt.cli.progress import Progress, progress
from llmopt.cli.ready import Ready
from llmopt.cli.transfer import transferred
from llmopt.errors import LogError
from llmopt.report.folder import Folder, NotWritten
from llmopt.report.safe import one_line

Show = Callable[[Order, Comparison, Sequence[Run], Sequence[Mapping[str, Any]]], None]
"""Shows the outcome of a comparison, the last argument being what was transferred."""


@dataclass(frozen=True)
class Ending:
    """How a comparison ended: its exit code, and whether somebody ended it."""

    code: int
    interrupted: bool


def carry_out(ready: Ready, show: Show = output.show) -> Ending:
    """Run, print and save.

    Raises
    ------
    NotWritten, LogError
        The folder could not be written on the way; what was done is printed.
    """
    order, comparison, folder = ready.order, ready.comparison, ready.folder
    runs: list[Run] = []
    rows: list[dict[str, Any]] = []
    trouble: NotWritten | LogError | None = None
    interrupted = False
    display = progress(comparison, quiet=order.quiet)
    try:
        with display:
            _run_all(comparison, runs, folder, display)
        if ready.others and not _ended(runs):
            rows.extend(transferred(ready.others, comparison, runs))
    except KeyboardInterrupt:
        interrupted = True
    except (NotWritten, LogError) as error:
        trouble = error
    interrupted = interrupted or _ended(runs) or any(row.get("stop_reason") == "interrupted" for row in rows)
    show(order, comparison, runs, rows)
    sys.stdout.flush()
    if folder is not None and trouble is None:
        try:
            output.save(order, comparison, runs, rows, folder, display)
        except KeyboardInterrupt:
            interrupted = True
        except NotWritten as error:
            trouble = error
    failed = _say_errors(runs, rows)
    if interrupted:
        planned = comparison.repeats * len(comparison.solvers)
        whole = sum(run.record.stop_reason != "interrupted" for run in runs)
        print(f"llmopt: interrupted; {whole} of {planned} runs had ended; what was done is kept", file=sys.stderr)
    if trouble is not None:
        raise trouble
    return Ending(int(interrupted or failed), interrupted)


def _run_all(comparison: Comparison, runs: list[Run], folder: Folder | None, display: Progress) -> None:
    try:
        for run in comparison.runs(display):
            runs.append(run)
            if folder is not None:
                folder.add(run)
            display.end(run)
    finally:
        # Ctrl-C may have come between the end of a run and its last byte on the disk.
        if folder is not None:
            folder.complete(runs)


def _ended(runs: Sequence[Run]) -> bool:
    """Return whether somebody ended the last run."""
    return any(run.record.stop_reason == "interrupted" for run in runs)


def _say_errors(runs: Sequence[Run], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Print what went wrong in runs and transfers, and return whether anything did."""
    errors = [
        f"{run.record.solver}, repeat {run.record.repeat + 1}: {run.record.message}"
        for run in runs
        if run.record.stop_reason == "error"
    ]
    errors += [
        f"--transfer: {row['solver']}, repeat {row['repeat'] + 1}: {row['message']}"
        for row in rows
        if row.get("stop_reason") == "error"
    ]
    for error in errors:
        print(f"llmopt: {one_line(error)}", file=sys.stderr)
    return bool(errors)
