"""What a model contributes to a local search, of a problem in a folder."""

from __future__ import annotations

from dataclasses import replace

from llmopt.benchmarks.credit import credited, of_hybrid
from llmopt.benchmarks.rebuilt import rebuilt
from llmopt.benchmarks.summary import summarize
from llmopt.report.page.source import Part
from llmopt.report.table import Table, measured

# A page must not take minutes: to build a problem anew may take a second, and the controls evaluate about as many moves
# as the runs have, all together.
_RUNS = 100
_MOVES = 50_000_000


def credit(part: Part) -> Table | None:
    """Return the table of the hybrid and its controls; None where it did not run, or its controls cannot.

    The controls are not in the log, but with its seeds, instances and evaluations they are the same whenever they run.
    """
    hybrids = [trace for trace in part.traces if of_hybrid(trace.record) and len(trace.losses)]
    moves = sum(trace.record.move_evaluations for trace in hybrids)
    if not hybrids or len(hybrids) > _RUNS or moves > _MOVES:
        return None
    problems = [(trace.record, problem) for trace in hybrids if (problem := rebuilt(trace)) is not None]
    if len(problems) < len(hybrids):
        return None
    relative = problems[0][1].gap == "relative"
    table = measured(summarize(credited(problems)), f"{part.name}: credit, hybrid without its model", relative=relative)
    # The seconds of the controls are those of whoever makes the report.
    return replace(table, columns=table.columns[:-1], rows=[row[:-1] for row in table.rows])
