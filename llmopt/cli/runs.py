"""``llmopt runs``: what a folder's log holds, and in what state its runs are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmopt.cli import options

if TYPE_CHECKING:
    from llmopt.report.table import Table
    from llmopt.runlog import LoggedRun

_HEADINGS = ("run", "solver", "repeat", "seed", "state", "evaluations", "best score", "time", "ended by")
_WORDS = ("solver", "state", "ended by")


def runs(folder: options.Folder, as_json: options.Json = False) -> int:
    """List the runs of a folder, or of the folders in it: running, done, interrupted or failed.

    Example: llmopt runs report
    """
    from llmopt.report.safe import one_line
    from llmopt.runlog import LogReader

    found: list[tuple[Path, list[LoggedRun]]] = []
    for path in _folders(folder):
        with LogReader(path) as reader:
            found.append((path, reader.runs()))
            for sentence in reader.damage:
                print(f"llmopt: {one_line(str(path))}: {one_line(sentence)}", file=sys.stderr)
    if as_json:
        listed = [{"folder": str(path), **_as_json(run)} for path, logged in found for run in logged]
        print(json.dumps({"runs": listed}, indent=2, allow_nan=False))
        return 0
    from llmopt.cli.table import print_table

    for i, (path, logged) in enumerate(found):
        print("\n" * bool(i), end="")
        print_table(_table(path, logged))
    return 0


def _folders(folder: Path) -> list[Path]:
    """Return the folder, or those in it that hold a log."""
    from llmopt.runlog.reader import FILE

    if not (folder / FILE).exists() and folder.is_dir() and (inside := sorted(folder.glob(f"*/{FILE}"))):
        return [file.parent for file in inside]
    return [folder]


def _table(path: Path, logged: Sequence[LoggedRun]) -> Table:
    from llmopt.report.safe import one_line
    from llmopt.report.table import Column, Table

    rows = [
        (
            str(run.id) if run.parent is None else f"{run.id} (of {run.parent})",
            one_line(run.solver),
            str(run.repeat),
            str(run.seed),
            run.state,
            f"{run.evaluations:,}",
            "-" if run.best_score is None else f"{run.best_score:.6g}",
            f"{run.seconds:.1f} s",
            run.stop_reason or "-",
        )
        for run in logged
    ]
    problems = ", ".join(dict.fromkeys(run.problem for run in logged)) or "no run"
    columns = [Column(name, number=name not in _WORDS) for name in _HEADINGS]
    return Table(one_line(f"{path}: {problems}"), columns, rows)


def _as_json(run: LoggedRun) -> dict[str, Any]:
    names = ("id", "parent", "solver", "problem", "repeat", "seed", "state", "evaluations", "best_score", "seconds")
    more = ("stop_reason", "message", "began", "ended")
    return {name: getattr(run, name) for name in (*names, *more)}
