"""``llmopt report``: one page of everything that a folder holds, or its tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from llmopt.cli import options
from llmopt.errors import InvalidInput

Format = Literal["html", "markdown", "csv"]
FILE = "report.html"


def report(
    folder: options.Folder,
    format: Annotated[
        Format,
        typer.Option("--format", metavar="html|markdown|csv", help="A page with plots, the tables, or one line a run."),
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Default: DIR/report.html for html; the others are printed."),
    ] = None,
    as_json: options.Json = False,
) -> int:
    """Make a report of a folder: one HTML file that opens from disk, without network.

    Example: llmopt report results
    """
    from llmopt.benchmarks.perf.measurements import FILE as MEASUREMENTS
    from llmopt.files import write_whole
    from llmopt.report.safe import one_line
    from llmopt.runlog.reader import FILE as LOG

    if as_json and out is None and format != "html":
        raise InvalidInput(f"--json with --format {format} needs --out FILE: only one of them can be printed")
    of_speed = (folder / MEASUREMENTS).exists() and not (folder / LOG).exists()
    text, count, what = _of_speed(folder, format) if of_speed else _of_runs(folder, format)
    if out is None and format != "html":
        print(text, end="")
        return 0
    path = folder / FILE if out is None else out
    try:
        write_whole(path, text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}") from None
    if as_json:
        print(json.dumps({f"{what}s": count, "format": format, "written": str(path)}, indent=2))
    else:
        print(one_line(f"report of {count:,} {what}{'' if count == 1 else 's'} written to {path}"))
    return 0


def _of_runs(folder: Path, format: Format) -> tuple[str, int, str]:
    """Return the report of what solvers did, and how much of what it holds."""
    from llmopt.benchmarks.results import Results
    from llmopt.report.page import plain
    from llmopt.report.page.page import render
    from llmopt.report.safe import one_line
    from llmopt.runlog import LogReader

    results = Results.read(folder)
    with LogReader(folder) as reader:
        if format == "html":
            text = render(results, reader)
        else:
            text = plain.markdown(results, reader) if format == "markdown" else plain.csv(results)
        for sentence in reader.damage:
            print(f"llmopt: {one_line(str(folder))}: {one_line(sentence)}", file=sys.stderr)
    return text, len(results.traces), "run"


def _of_speed(folder: Path, format: Format) -> tuple[str, int, str]:
    """Return the report of the framework's own speed, and how much of what it holds."""
    from llmopt.benchmarks.perf.measurements import Measurements
    from llmopt.report.page import speed

    found = Measurements.read(folder)
    made = {"html": speed.render, "markdown": speed.markdown, "csv": speed.csv}[format]
    return made(found), len(found.rows), "measurement"
