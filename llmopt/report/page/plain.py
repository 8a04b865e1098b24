"""The report without a page: its tables as Markdown, its runs as CSV."""

from __future__ import annotations

import csv as comma
import io

from llmopt.benchmarks.record import FIELDS
from llmopt.benchmarks.results import Results
from llmopt.report import table
from llmopt.report.instructions import found_instructions
from llmopt.report.page.beside import beside
from llmopt.report.page.credit import credit
from llmopt.report.page.overview import totals
from llmopt.report.page.reach import reach_figures
from llmopt.report.page.source import parts, styles
from llmopt.report.safe import cell, portable
from llmopt.report.table import Table
from llmopt.runlog import LogReader


def markdown(results: Results, reader: LogReader) -> str:
    """Return the tables as Markdown, those of the figures about distances and spreads among them.

    Parameters
    ----------
    results
        What was measured.
    reader
        Of the same folder.
    """
    figures = reach_figures(results.traces, styles(results), lambda trace: reader.history(trace.run))
    numbers = [figure.table for figure in figures if figure.table is not None]
    return "\n".join(map(table.markdown, [*tables(results), *numbers]))


def tables(results: Results) -> list[Table]:
    """Return the totals of several problems, what is beside the paper's figures, and the tables of each problem."""
    problems = parts(results)
    found = [totals(problems)] if len(problems) > 1 else []
    found += [compared for compared, _ in beside([(part.name, part.problem, part.summaries) for part in problems])]
    for part in problems:
        found.append(part.table)
        more = credit(part), found_instructions([trace.record for trace in part.traces])
        found += [each for each in more if each is not None]
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
