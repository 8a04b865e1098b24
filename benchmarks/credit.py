"""What a model contributes to a local search: the same search without it, with the same number of evaluations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmopt.benchmarks.compare import Comparison
from llmopt.benchmarks.execution import Run
from llmopt.benchmarks.record import Identity, Record, of_result
from llmopt.objective import Budget
from llmopt.registry import create_solver
from llmopt.run import run

HYBRID = "hybrid"
CONTROLS = ("2-opt", "iterated-2-opt")
"""The same local search from random tours, and from good tours that are changed at random."""


def controls(comparison: Comparison, runs: Sequence[Run]) -> list[Record]:
    """Return the records of the hybrid's runs, and of its controls' with as many evaluations each, on the same repeats.

    The controls look at the distances and ask no model, so they take fractions of a second; they are run again here
    since each repeat has its own budget.
    """
    hybrids = [run for run in runs if run.record.solver.partition(":")[0] == HYBRID]
    found = [each.record for each in hybrids]
    for name in CONTROLS:
        for each in hybrids:
            record = each.record
            problem = comparison.problems[record.repeat]
            solver = create_solver(name)
            spent = Budget(evaluations=max(1, record.evaluations))
            result = run(problem, solver, spent, seed=record.seed)
            identity = Identity(name, record.problem, record.instance, record.repeat, record.seed)
            found.append(replace(of_result(identity, problem, solver, result), solver=f"{name}, as many evaluations"))
    return found
