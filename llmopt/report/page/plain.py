"""The report without a page: its tables as Markdown, its runs as CSV."""

from __future__ import annotations

import csv as comma
import io

from llmopt.benchmarks.record import FIELDS
from llmopt.benchmarks.results import Results
from llmopt.report import table
from llmopt.report.instructions import found_instructions
from llmopt.report.page.beside import beside
from llmopt.report.page.overview import totals
from llmopt.report.page.source import parts
from llmopt.report.safe import cell, portable
from llmopt.report.table import Table


def markdown(results: Results) -> str:
    """Return the tables as Markdown."""
    return "\n".join(map(table.markdown, tables(results)))


def tables(results: Results) -> list[Table]:
    """Return the totals of several problems, what is beside the paper's figures, and the table of each problem."""
    problems = parts(results)
    found = [totals(problems)] if len(problems) > 1 else []
    found += [compared for compared, _ in beside([(part.name, part.problem, part.summaries) for part in problems])]
    for part in problems:
        found.append(part.table)
        instructions = found_instructions([trace.record for trace in part.traces])
        found += [] if instructions is None else [instructions]
    return found


def csv(results: Results) -> str:
    """Return one line for each run, as ``runs.csv`` has it."""
    text = io.StringIO(newline="")
    writer = comma.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    for trace in results.traces:
        fields = trace.record.as_json()
        fields["llm"] = None if trace.record.llm is None else portable(trace.record.llm)
        writer.writerow([cell(value) for value in fields.values()])
    return text.getvalue()
