"""``llmopt export``: runs in the forms of other programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmopt.cli import options
from llmopt.errors import InvalidInput

if TYPE_CHECKING:
    from llmopt.runlog import LoggedRun, LogReader

_SHOWN = 5

Format = Literal["csv", "parquet", "ioh", "optuna"]


def export(
    folder: options.Folder,
    format: Annotated[
        Format, typer.Option("--format", metavar="csv|parquet|ioh|optuna", help="What to write; see docs/runs.md.")
    ],
    to: Annotated[
        str,
        typer.Option("--to", metavar="DIR|URL", help="A new folder; for optuna a storage, such as sqlite:///runs.db."),
    ],
    run: Annotated[int | None, typer.Option("--run", metavar="N", help="This run alone; see 'llmopt runs'.")] = None,
    as_json: options.Json = False,
) -> int:
    """Write the runs of a folder as CSV, Parquet, IOHprofiler files, or studies of Optuna.

    Example: llmopt export report --format csv --to tables
    """
    from llmopt.report.safe import one_line
    from llmopt.runlog import LogReader

    with LogReader(folder) as reader:
        chosen = _chosen(reader, run)
        written = _write(reader, chosen, format, to)
        for sentence in reader.damage:
            print(f"llmopt: {one_line(str(folder))}: {one_line(sentence)}", file=sys.stderr)
    if as_json:
        print(json.dumps({"runs": [each.id for each in chosen], "to": to, "written": written}, indent=2))
    else:
        count = "1 run" if len(chosen) == 1 else f"{len(chosen)} runs"
        print(one_line(f"{count} written to {to}:"))
        # A line each: there are commas in the names of studies.
        for name in written[:_SHOWN]:
            print(one_line(f"  {name}"))
        if len(written) > _SHOWN:
            print(f"  and {len(written) - _SHOWN} more")
    return 0


def _chosen(reader: LogReader, number: int | None) -> list[LoggedRun]:
    runs = reader.runs()
    chosen = runs if number is None else [run for run in runs if run.id == number]
    if not chosen:
        damage = f" ({'; '.join(reader.damage)})" if reader.damage else ""
        legal = ", ".join(str(run.id) for run in runs) or "there is none"
        what = "holds no run" if number is None else f"holds no run {number}; legal: {legal}"
        raise InvalidInput(f"{reader.folder} {what}{damage}")
    return chosen


def _write(reader: LogReader, runs: Sequence[LoggedRun], format: Format, to: str) -> list[str]:
    if format == "optuna":
        from llmopt.report.export import optuna

        return optuna.export(reader, runs, to)
    target = Path(to)
    try:
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise InvalidInput(f"--to {to} exists and is not empty; give a new folder")
        target.mkdir(parents=True, exist_ok=True)
        if format == "csv":
            from llmopt.report.export import csv

            return csv.export(reader, runs, target)
        if format == "parquet":
            from llmopt.report.export import parquet

            return parquet.export(reader, runs, target)
        from llmopt.report.export import ioh

        return ioh.export(reader, runs, target)
    except OSError as error:
        raise InvalidInput(f"--to {to} cannot be written: {error.strerror or error}") from None
