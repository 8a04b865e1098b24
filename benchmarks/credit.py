"""What a model contributes to a local search: the same search without it, with the same number of evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import Identity, Record, of_result
from llmopt.budget import Budget
from llmopt.problem import Problem
from llmopt.registry import create_solver
from llmopt.run import run

HYBRID = "hybrid"
CONTROLS = ("2-opt", "iterated-2-opt")
"""The same local search from random tours, and from good tours that are changed at random."""


def controls(comparison: Comparison, runs: Sequence[Run]) -> list[Record]:
    """Return what :func:`credited` does for the hybrid's runs of a comparison."""
    return credited([(each.record, comparison.problems[each.record.repeat]) for each in runs if of_hybrid(each.record)])


def of_hybrid(record: Record) -> bool:
    """Return whether a run is one of the hybrid with a local search; on vectors it has none, and sees scores only."""
    return record.solver.partition(":")[0] == HYBRID and record.access == "structure"


def credited(hybrids: Sequence[tuple[Record, Problem]]) -> list[Record]:
    """Return the records of the hybrid's runs, each given with its problem, and after them those of its controls with
    as many evaluations each, on the same repeats.

    The controls look at the distances and ask no model, so they take fractions of a second; they are run again here
    since each repeat has its own budget.
    """
    found = [record for record, _ in hybrids]
    for name in CONTROLS:
        for record, problem in hybrids:
            solver = create_solver(name)
            spent = Budget(evaluations=max(1, record.evaluations))
            result = run(problem, solver, spent, seed=record.seed)
            identity = Identity(name, record.problem, record.instance, record.repeat, record.seed)
            found.append(replace(of_result(identity, problem, solver, result), solver=f"{name}, as many evaluations"))
    return found
