"""The table of the runs of one problem; each leads to the page of the run."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from llmopt.benchmarks.results import Trace
from llmopt.report.page.markup import Markup
from llmopt.report.page.sheet import sheet
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table

ROWS = 4_000
"""Rows of all tables of runs together; every run is in ``--format csv``."""


def index(traces: Sequence[Trace], total: int, pages: Collection[int]) -> Markup:
    """Return the table.

    Parameters
    ----------
    traces
        The runs that are listed.
    total
        How many there are.
    pages
        Numbers of the runs that have a page.
    """
    with_tokens = any(trace.record.llm is not None or trace.record.scorer is not None for trace in traces)
    columns = [
        Column("run", number=False),
        Column("instance"),
        Column("seed"),
        Column("solved", number=False),
        Column("evaluations"),
        Column("steps"),
        Column("best", "score"),
        Column("gap"),
        *([Column("LLM calls"), Column("LLM tokens")] if with_tokens else []),
        Column("time", "seconds"),
        Column("ended by", number=False),
    ]
    notes = ["evaluations and steps: up to and including the one that reached the target, or all that were spent"]
    if total > len(traces):
        notes.append(f"{total - len(traces):,} more runs are not listed; llmopt report --format csv lists all")
    without = sum(trace.run.id not in pages for trace in traces)
    if without:
        notes.append(f"{without:,} of these runs have no page of their own here, for its size; see llmopt export")
    links = [f"#run-{trace.run.id}" if trace.run.id in pages else None for trace in traces]
    table = Table("Runs", columns, [_row(trace, with_tokens) for trace in traces], notes)
    return sheet(table, links=links)


def _row(trace: Trace, with_tokens: bool) -> list[str]:
    record = trace.record
    tokens = [f"{record.llm_calls:,}", f"{record.prompt_tokens + record.completion_tokens:,}"] if with_tokens else []
    return [
        one_line(f"{record.solver}, repeat {record.repeat}"),
        str(record.instance),
        str(record.seed),
        "yes" if record.success else "no",
        f"{record.evaluations:,}",
        f"{record.steps:,}",
        "-" if record.best_score is None else f"{record.best_score:.6g}",
        "-" if record.gap is None else f"{record.gap:.4g}",
        *tokens,
        f"{record.seconds:.2f}",
        record.stop_reason,
    ]
