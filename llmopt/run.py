"""One run: a solver on a problem within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput, LlmoptError
from llmopt.objective import Budget, Objective, Stopped, StopReason
from llmopt.problem import Problem
from llmopt.result import OptimizeResult
from llmopt.solver import Solver, Task

_MESSAGES: dict[StopReason, str] = {
    "target": "the target was reached",
    "evaluations": "the budget of evaluations is spent",
    "steps": "the budget of steps is spent",
    "seconds": "the budget of seconds is spent",
    "stalled": "the solver stalled: it proposed little but what was known or not legal",
    "exhausted": "every solution of the space was evaluated",
    "finished": "the solver has nothing more to propose",
    "interrupted": "interrupted; the result holds what was done",
    "error": "an error ended the run",
}


def problem_target(problem: Problem) -> float | None:
    """Return the score that counts as success: the known optimum within its tolerance, in the user's sign."""
    optimum = problem.optimum
    if optimum is None:
        return None
    sign = 1.0 if problem.direction == "minimize" else -1.0
    return optimum.score + sign * optimum.tolerance


def run(
    problem: Problem,
    solver: Solver,
    budget: Budget,
    *,
    seed: int = 0,
    starts: Sequence[Any] | None = None,
    target: float | None = None,
    on_step: Callable[[Objective], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    raise_failures: bool = False,
) -> OptimizeResult:
    """Run a solver on a problem; a function of its arguments (and of what a model replies) alone.

    Parameters
    ----------
    problem, solver, budget
        What, how, and how much.
    seed
        Gives the start points (the same for every solver) and the solver's own randomness.
    starts
        Start points in place of the problem's own; evaluated first and charged.
    target
        The score that ends the run as a success, in the user's own sign; by default the problem's known
        optimum within its tolerance.
    on_step, clock, raise_failures
        See :class:`llmopt.objective.Objective`.

    Raises
    ------
    InvalidInput
        An argument is not legal; nothing was evaluated.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InvalidInput(f"seed must be a whole number of at least 0, not {seed!r}")
    solver.check(problem.space, budget)
    objective = Objective(
        problem,
        budget,
        target=problem_target(problem) if target is None else target,
        on_step=on_step,
        clock=clock,
        raise_failures=raise_failures,
    )
    start_rng, solver_rng = (np.random.default_rng([seed, stream]) for stream in (0, 1))
    starts = problem.starts(start_rng) if starts is None else starts
    task = Task(objective.history, problem.describe(), seed)
    began = time.perf_counter()
    reason: StopReason = "finished"
    message = ""
    try:
        objective.start(starts)
        solver.run(objective, task, solver_rng)
    except Stopped as stopped:
        reason = stopped.reason
    except KeyboardInterrupt:
        reason = "interrupted"
    except LlmoptError as error:
        # A model that cannot go on ends the run, not the evaluations that were made before.
        if len(objective.history) == 0:
            raise
        reason, message = "error", str(error)
    return _result(objective, solver, reason, message or _MESSAGES[reason], time.perf_counter() - began)


def _result(objective: Objective, solver: Solver, reason: StopReason, message: str, seconds: float) -> OptimizeResult:
    history, row = objective.history, objective.target_row
    incumbent = history.incumbent
    return OptimizeResult(
        x=incumbent.solution if incumbent else None,
        fun=incumbent.score if incumbent else float("nan"),
        nfev=len(history),
        nit=objective.step_count,
        success=reason in ("target", "exhausted") or row is not None,
        message=message,
        history=history,
        stop_reason=reason,
        evaluations_to_target=None if row is None else row + 1,
        steps_to_target=None if row is None else int(history.steps[row]),
        proposals=objective.proposals,
        duplicates=objective.duplicates,
        invalid=objective.invalid,
        usage=solver.usage,
        seconds=seconds,
        evaluation_seconds=objective.evaluation_seconds,
    )
