"""What was measured beside what the paper publishes: one row for each figure, the paper's methods in marked columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from llmopt.benchmarks.published import (
    SOURCE,
    TOURS_SOURCE,
    Published,
    PublishedTours,
    published,
    published_tours,
)
from llmopt.benchmarks.summary import Summary
from llmopt.problem import Problem
from llmopt.report.safe import one_line
from llmopt.report.table import Column, Table, mean_std, percent


def beside(problems: Sequence[tuple[str, Problem | None, Sequence[Summary]]]) -> list[tuple[Table, list[int]]]:
    """Return a table for each table of the paper that has figures for these problems, and its columns of the paper.

    Parameters
    ----------
    problems
        Each with its name, itself (None where it could not be built) and what was measured on it.
    """
    lines: list[tuple[str, Sequence[Summary], Sequence[Published]]] = []
    tours: list[tuple[str, Sequence[Summary], Sequence[PublishedTours]]] = []
    for name, problem, summaries in problems:
        if problem is not None and (figures := published(problem)):
            lines.append((name, summaries, figures))
        if problem is not None and (lengths := published_tours(problem)):
            tours.append((name, summaries, lengths))
    found = []
    if lines:
        figures_of = [(name, summaries, {row.model: row for row in rows}) for name, summaries, rows in lines]
        cells = [row for problem in figures_of for row in _regression(*problem)]
        note = "published: not measured here, other models and other random data of the same setting"
        found.append(_table(f"Beside the paper ({SOURCE}): mean (standard deviation)", figures_of, cells, note))
    if tours:
        lengths_of = [(name, summaries, {row.method: row for row in rows}) for name, summaries, rows in tours]
        cells = [row for problem in lengths_of for row in _tours(*problem)]
        note = "published: not measured here, on other instances of the same size, with the standard error in brackets"
        found.append(_table(f"Beside the paper ({TOURS_SOURCE}): mean (standard deviation)", lengths_of, cells, note))
    return found


_Row = tuple[str, str, Mapping[str, str], Mapping[str, str]]
"""A problem, the name of a figure, its cells by solver, and those of the paper by method."""


def _regression(name: str, summaries: Sequence[Summary], paper: Mapping[str, Published]) -> list[_Row]:
    return [
        (
            name,
            "steps",
            {each.solver: mean_std(each.steps, bounded=each.bounded) for each in summaries},
            {model: f"{row.steps} ({row.steps_std})" for model, row in paper.items()},
        ),
        (
            name,
            "unique solutions",
            {each.solver: mean_std(each.unique_pairs, bounded=each.bounded) for each in summaries},
            {model: f"{row.unique_pairs} ({row.unique_pairs_std})" for model, row in paper.items()},
        ),
    ]


def _tours(name: str, summaries: Sequence[Summary], paper: Mapping[str, PublishedTours]) -> list[_Row]:
    return [
        (
            name,
            "gap to the optimum, %",
            {each.solver: percent(each.relative_gap) for each in summaries},
            {method: f"{row.gap} ({row.gap_error})" for method, row in paper.items()},
        ),
        (
            name,
            "steps",
            {each.solver: mean_std(each.steps, bounded=each.bounded) for each in summaries},
            {method: "-" if row.steps is None else str(row.steps) for method, row in paper.items()},
        ),
        (
            name,
            "solved",
            {each.solver: f"{each.successes}/{each.repeats}" for each in summaries},
            {method: "-" if row.solved is None else f"{row.solved}/5" for method, row in paper.items()},
        ),
    ]


def _table(
    title: str,
    problems: Sequence[tuple[str, Sequence[Summary], Mapping[str, object]]],
    rows: Sequence[_Row],
    note: str,
) -> tuple[Table, list[int]]:
    solvers = list(dict.fromkeys(each.solver for _, summaries, _ in problems for each in summaries))
    methods = list(dict.fromkeys(method for *_, paper in problems for method in paper))
    columns = [
        Column("problem", number=False),
        Column("figure", number=False),
        *(Column(one_line(solver)) for solver in solvers),
        *(Column(method) for method in methods),
    ]
    cells = [
        [
            one_line(name),
            what,
            *(measured.get(solver, "-") for solver in solvers),
            *(paper.get(method, "-") for method in methods),
        ]
        for name, what, measured, paper in rows
    ]
    marked = list(range(2 + len(solvers), len(columns)))
    notes = [note, ">= lower bound: some repeats did not reach the target"]
    return Table(title, columns, cells, notes), marked
