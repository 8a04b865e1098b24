"""The report of the framework's own speed and memory: a page, Markdown or CSV."""

from __future__ import annotations

import csv as comma
import io
from dataclasses import astuple, fields

from llmopt.benchmarks.perf.measurements import HEADINGS, Measurements, cells
from llmopt.benchmarks.perf.row import Row
from llmopt.report import table
from llmopt.report.page.environment import origin, pairs
from llmopt.report.page.frame import counted, frame, notices, top
from llmopt.report.page.markup import element, joined
from llmopt.report.page.sheet import sheet
from llmopt.report.safe import cell, one_line
from llmopt.report.table import Column, Table

_TITLE = "Speed and memory"
_NUMBERS = ("measured", "ratio")
_AGAIN = (
    "The folder it wrote to is left out of it. Other machines, and other programs that run meanwhile, change figures."
)


def render(found: Measurements) -> str:
    """Return the page."""
    links = [("summary", "Summary"), ("environment", "Environment")]
    header = top(_TITLE, _facts(found), links, badge="quick" if found.quick else None)
    summary = element(
        "section", element("h2", "Summary", id="summary"), sheet(_measured(found)), aria_labelledby="summary"
    )
    sections = joined([notices(_sentences(found)), summary, origin(found.command, _AGAIN, _machine(found))])
    return frame(_TITLE, header, sections, plots=False)


def markdown(found: Measurements) -> str:
    """Return the tables as Markdown."""
    tables = "\n".join(map(table.markdown, [_measured(found), _machine(found)]))
    return "\n".join([tables, *(f"{sentence}\n" for sentence in map(one_line, _sentences(found)))])


def csv(found: Measurements) -> str:
    """Return one line for each figure."""
    text = io.StringIO(newline="")
    writer = comma.writer(text, lineterminator="\n")
    writer.writerow([*(each.name for each in fields(Row)), "value", "holds"])
    for row in found.rows:
        values = [*astuple(row), row.value, row.holds]
        writer.writerow([cell(one_line(value) if isinstance(value, str) else value) for value in values])
    return text.getvalue()


def _measured(found: Measurements) -> Table:
    columns = [Column(heading, number=heading in _NUMBERS) for heading in HEADINGS]
    rows = [[one_line(text) or "-" for text in cells(row)] for row in found.rows]
    notes = [
        "beside: what the figure is compared with, measured in the same run; ratio: to it, or the difference from it",
        "holds: whether the target does, which limits the ratio or the difference, or the figure where it is alone",
    ]
    return Table("The framework's own speed and memory", columns, rows, notes)


def _machine(found: Measurements) -> Table:
    rows = [(one_line(name), one_line(value) or "-") for name, value in found.machine.items()]
    return pairs("What it was measured with", rows)


def _facts(found: Measurements) -> list[str]:
    limited = [row.holds for row in found.rows if row.holds is not None]
    facts = [counted(len(found.rows), "measurement")]
    return facts if found.quick else [*facts, f"{sum(limited)} of {counted(len(limited), 'target')} hold"]


def _sentences(found: Measurements) -> list[str]:
    sentences = ["Sizes are small: everything was measured, but the targets do not apply."] if found.quick else []
    if found.pending:
        sentences.append(f"The program was ended, or is still running; not measured: {', '.join(found.pending)}.")
    return sentences + [f"{name} was not measured: {reason}" for name, reason in found.missing.items()]
