"""A run with its record, whatever becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from llmopt.benchmarks import record
from llmopt.benchmarks.record import Identity, Record
from llmopt.budget import Budget
from llmopt.errors import LlmoptError
from llmopt.history import History
from llmopt.llm.terms import Terms
from llmopt.objective import Objective
from llmopt.problem import Problem
from llmopt.racing import Race
from llmopt.run import DEFAULT_RACE, run
from llmopt.runlog import Slot
from llmopt.solver import Solver


@dataclass(frozen=True)
class Run:
    """A run that has ended: its record, and everything it evaluated."""

    record: Record
    history: History


def execute(
    identity: Identity,
    problem: Problem,
    solver: Solver,
    budget: Budget,
    *,
    terms: Terms,
    log: Slot | None = None,
    workers: int = 1,
    race: Race | None = DEFAULT_RACE,
    on_step: Callable[[Objective], None] = lambda objective: None,
) -> Run:
    """Run a solver on a problem; an error that ends the run is in its record, with all that was done before.

    The arguments are those of :func:`llmopt.run.run`; ``identity`` goes into the record.
    """
    begun: list[Objective] = []
    began = time.perf_counter()
    try:
        result = run(
            problem,
            solver,
            budget,
            seed=identity.seed,
            on_start=begun.append,
            on_step=on_step,
            terms=terms,
            log=log,
            workers=workers,
            race=race,
        )
    except Exception as error:
        # Whatever ends one run must not take the others with it, nor what this one has evaluated.
        message = str(error) if isinstance(error, LlmoptError) else f"{type(error).__name__}: {error}"
        objective = begun[0] if begun else None
        failed = record.of_error(identity, problem, solver, objective, message, time.perf_counter() - began)
        return Run(failed, History(problem.space) if objective is None else objective.history)
    return Run(record.of_result(identity, problem, solver, result), result.history)
