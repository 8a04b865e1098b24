"""``llmopt report``: one page of everything that a folder holds, or its tables."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from llmopt.cli import options
from llmopt.errors import InvalidInput

if TYPE_CHECKING:
    from llmopt.benchmarks.results import Results
    from llmopt.runlog import LogReader

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
    from llmopt.benchmarks.results import Results
    from llmopt.report.files import write_whole
    from llmopt.report.safe import one_line
    from llmopt.runlog import LogReader

    if as_json and out is None and format != "html":
        raise InvalidInput(f"--json with --format {format} needs --out FILE: only one of them can be printed")
    results = Results.read(folder)
    with LogReader(folder) as reader:
        text = _made(results, reader, format)
        for sentence in reader.damage:
            print(f"llmopt: {one_line(str(folder))}: {one_line(sentence)}", file=sys.stderr)
    if out is None and format != "html":
        print(text, end="")
        return 0
    path = folder / FILE if out is None else out
    try:
        write_whole(path, text)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror or error}") from None
    if as_json:
        print(json.dumps({"runs": len(results.traces), "format": format, "written": str(path)}, indent=2))
    else:
        count = "1 run" if len(results.traces) == 1 else f"{len(results.traces):,} runs"
        print(one_line(f"report of {count} written to {path}"))
    return 0


def _made(results: Results, reader: LogReader, format: Format) -> str:
    if format == "html":
        from llmopt.report.page.page import render

        return render(results, reader)
    from llmopt.report.page import plain

    return plain.markdown(results) if format == "markdown" else plain.csv(results)
