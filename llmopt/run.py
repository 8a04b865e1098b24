"""One run: a solver on a problem within a budget."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from llmopt.budget import Budget
from llmopt.errors import InvalidInput, LlmoptError, LogError, ReplayDiverged
from llmopt.evaluate import Workers
from llmopt.items import ItemProblem
from llmopt.llm.ledger import BudgetSpent, Ledger
from llmopt.llm.terms import Models, Terms
from llmopt.objective import Objective, Stopped, StopReason
from llmopt.problem import Direction, Optimum, Problem
from llmopt.racing import Race
from llmopt.result import OptimizeResult
from llmopt.runlog import Slot
from llmopt.runlog.journal import Journal
from llmopt.solver import Solver, Task
from llmopt.space import Permutation, Space

DEFAULT_RACE = Race()

_MESSAGES: dict[StopReason, str] = {
    "target": "the target was reached",
    "evaluations": "the budget of evaluations is spent",
    "steps": "the budget of steps is spent",
    "seconds": "the budget of seconds is spent",
    "tokens": "the budget of tokens is spent",
    "cost": "the budget of dollars is spent",
    "calls": "the budget of calls is spent",
    "scorer_calls": "the budget of scorer calls is spent",
    "stalled": "the solver stalled: it proposed little but what was known or not legal",
    "exhausted": "every solution of the space was evaluated",
    "finished": "the solver has nothing more to propose",
    "callback": "the callback ended the run",
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


def race_on(problem: Problem, race: Race | None) -> Race | None:
    """Return the race as it takes place on a problem: none where there are no items."""
    return race if isinstance(problem, ItemProblem) else None


def run(
    problem: Problem,
    solver: Solver,
    budget: Budget,
    *,
    seed: int = 0,
    starts: Sequence[Any] | None = None,
    target: float | None = None,
    on_start: Callable[[Objective], None] | None = None,
    on_step: Callable[[Objective], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
    raise_failures: bool = False,
    terms: Terms | None = None,
    log: Slot | None = None,
    workers: int | Executor | None = None,
    race: Race | None = DEFAULT_RACE,
    earlier: Sequence[tuple[Any, float]] = (),
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
    on_start
        Called with the objective before the first evaluation: it holds what a run has evaluated and spent, even where
        an error ends it.
    on_step, clock, raise_failures
        See :class:`llmopt.objective.Objective`.
    terms
        Prices and the cache of replies for the solver's language models; by default none.
    log
        Where every evaluation and every model reply is kept. If the run is there already, it goes on where its log
        ends: what is logged is neither evaluated nor asked for again.
    workers
        How many solutions of a step are evaluated at the same time, by threads of this process; or an executor of
        ``concurrent.futures``, such as one of processes. The outcome is the same.
    race
        On a problem whose score is a mean over items: ends the scoring of candidates that cannot beat the incumbent;
        None: every candidate is scored on every item.
    earlier
        Pairs of a solution and its score in the user's own sign, which are taken as evaluated: part of step 0, and
        charged. Start points are then only those that are given.

    Raises
    ------
    InvalidInput
        An argument is not legal, or the log is that of another run; nothing was evaluated.
    ReplayDiverged
        The run proposes something else than its log holds; nothing was evaluated.
    """
    if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0:
        raise InvalidInput(f"seed must be a whole number of at least 0, not {seed!r}")
    if not isinstance(solver, Solver):
        raise InvalidInput(f"solver must be a name or a Solver object, not {solver!r}")
    _check(problem)
    if target is not None and not (isinstance(target, int | float | np.number) and np.isfinite(target)):
        raise InvalidInput(f"target must be a finite number, not {target!r}")
    if budget.evaluations is budget.steps is budget.seconds is None and not isinstance(problem, ItemProblem):
        raise InvalidInput(
            f"a budget of scorer calls ends nothing on {type(problem).__name__}, whose score is no mean over items; "
            "give one of evaluations, steps or seconds"
        )
    _check_earlier(problem, earlier, budget)
    solver.check_problem(problem, budget)
    race = race_on(problem, race)
    with ExitStack() as stack:
        journal = None
        if log is not None:
            journal = log.open(problem, solver, budget, seed, starts=starts, target=target, race=race,
                               earlier=earlier)  # fmt: skip
        models = stack.enter_context(Models(terms, _ledger(budget, journal), journal))
        bound = {role: models.bind(llm, role) for role, llm in solver.models.items()}
        if isinstance(problem, ItemProblem):
            # What scores leaves its answers with the items; a log needs no other place for them.
            problem = problem.bound(models.bind_scorer)
        objective = Objective(
            problem,
            budget,
            target=problem_target(problem) if target is None else target,
            on_step=on_step,
            clock=clock,
            raise_failures=raise_failures,
            models=models,
            journal=journal,
            workers=_workers(workers, stack),
            race=race,
            item_order=_item_order(problem, seed),
        )
        start_rng, solver_rng = (np.random.default_rng([seed, stream]) for stream in (0, 1))
        if journal is not None and journal.forked:
            starts, earlier = journal.told, ()
        elif starts is None:
            starts = () if earlier else problem.starts(start_rng)
        structure = None if solver.structure is None else problem.structure
        task = Task(
            objective.history,
            problem.describe(),
            int(seed),
            bound,
            problem.labels,
            problem.examples,
            structure,
            problem.exemplars if isinstance(problem, ItemProblem) else (),
            objective.item_scores,
        )
        began = time.perf_counter()
        if on_start is not None:
            on_start(objective)
        try:
            reason, message = _propose(objective, solver, task, earlier, starts, solver_rng)
            message = message or _message(reason, objective)
            assessment: Mapping[str, Any] = {}
            if isinstance(problem, ItemProblem):
                reason, message, assessment = _assessed(problem, objective, reason, message)
        except ReplayDiverged:
            raise
        except BaseException as error:
            if journal is not None:
                with suppress(LogError):
                    journal.keep_cached(objective.models.hits)
                    journal.end("error", f"{type(error).__name__}: {error}", len(objective.history))
            raise
        if journal is not None:
            reason, message = _closed(journal, objective, reason, message)
        seconds = time.perf_counter() - began if journal is None else journal.seconds
        return _result(objective, reason, message, seconds, assessment)


def _item_order(problem: Problem, seed: int) -> NDArray[np.int64] | None:
    """Return the order in which a run scores items: by its seed, the same for every solver."""
    return np.random.default_rng([seed, 2]).permutation(problem.items) if isinstance(problem, ItemProblem) else None


def _assessed(
    problem: ItemProblem, objective: Objective, reason: StopReason, message: str
) -> tuple[StopReason, str, Mapping[str, Any]]:
    """Score what was found on items that the search has not seen; what keeps that from being done is said."""
    assert objective.item_scores is not None
    if reason in ("interrupted", "error") or objective.history.incumbent is None:
        return reason, message, {}
    # The time is the search's; models that have none left would not answer.
    objective.models.ledger.until = float("inf")
    try:
        return reason, message, problem.assess(objective.history, objective.item_scores)
    except KeyboardInterrupt:
        return "interrupted", _MESSAGES["interrupted"], {}
    except BudgetSpent as spent:
        return spent.reason, f"{message}; what was found could not be assessed: {spent}", {}
    except LlmoptError as error:
        return "error", f"what was found could not be assessed: {error}", {}


def _propose(
    objective: Objective,
    solver: Solver,
    task: Task,
    earlier: Sequence[tuple[Any, float]],
    starts: Sequence[Any],
    rng: np.random.Generator,
) -> tuple[StopReason, str]:
    """Run a solver to its end; return why it ended, and more about it where there is more to say."""
    try:
        if earlier:
            objective.recall(earlier)
        objective.start(starts)
        solver.run(objective, task, rng)
        return "finished", ""
    except Stopped as stopped:
        return stopped.reason, ""
    except KeyboardInterrupt:
        return "interrupted", ""
    except BudgetSpent as spent:
        return spent.reason, str(spent)
    except ReplayDiverged:
        raise
    except LlmoptError as error:
        # A model that cannot go on ends the run, not the evaluations that were made before.
        if len(objective.history) == 0:
            raise
        # One that had no time left to answer is not at fault.
        return ("seconds", "") if objective.out_of_time else ("error", str(error))


def _closed(journal: Journal, objective: Objective, reason: StopReason, message: str) -> tuple[StopReason, str]:
    """Write the end of a run; return how it ended, which is an error where that cannot be written."""
    if reason != "interrupted":
        journal.check_whole(len(objective.history))
    try:
        journal.keep_cached(objective.models.hits)
        journal.end(reason, message, len(objective.history))
    except LogError as error:
        return "error", str(error)
    return reason, message


def _workers(workers: int | Executor | None, stack: ExitStack) -> Workers | None:
    if workers is None or isinstance(workers, Executor):
        return None if workers is None else Workers(workers)
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise InvalidInput(
            f"workers must be a whole number of at least 1, or an executor of concurrent.futures, not {workers!r}"
        )
    if workers == 1:
        return None
    pool = ThreadPoolExecutor(workers, thread_name_prefix="llmopt-worker")
    # After Ctrl-C nobody waits for the evaluations that are running.
    stack.callback(pool.shutdown, wait=False, cancel_futures=True)
    return Workers(pool, workers)


def _ledger(budget: Budget, journal: Journal | None) -> Ledger:
    seconds = budget.seconds
    if journal is not None and seconds is not None:
        seconds = max(seconds - journal.before, 1e-9)
    return Ledger(
        max_tokens=budget.tokens,
        max_cost=budget.cost,
        max_calls=budget.calls,
        seconds=seconds,
        spent=None if journal is None else journal.spent,
        on_entry=None if journal is None else journal.keep_charge,
    )


def _check(problem: Problem) -> None:
    """Raise InvalidInput where a problem lacks something, before any of it is used."""
    name = type(problem).__name__
    if not isinstance(problem, Problem):
        raise InvalidInput(f"the problem must be an object of a subclass of Problem, not {problem!r}")
    if not isinstance(getattr(problem, "space", None), Space):
        raise InvalidInput(f"{name}.space must be a Vector, Permutation or Text")
    if problem.direction not in get_args(Direction):
        raise InvalidInput(f"{name}.direction must be 'minimize' or 'maximize', not {problem.direction!r}")
    if problem.optimum is not None and not isinstance(problem.optimum, Optimum):
        raise InvalidInput(f"{name}.optimum must be an Optimum, such as Optimum(score=0.0), not {problem.optimum!r}")
    if not isinstance(problem.describe(), str):
        raise InvalidInput(f"{name}.describe() must return a text")
    if problem.labels is not None:
        if not isinstance(problem.space, Permutation):
            raise InvalidInput(f"{name}.labels are for the entries of a Permutation; leave them out")
        if len(problem.labels) != problem.space.n or not all(
            isinstance(label, str) and label.strip() for label in problem.labels
        ):
            raise InvalidInput(f"{name}.labels must be {problem.space.n} texts, one for each entry, none empty")


def _check_earlier(problem: Problem, earlier: Sequence[tuple[Any, float]], budget: Budget) -> None:
    if not earlier:
        return
    if isinstance(problem, ItemProblem):
        raise InvalidInput("earlier scores are means over items that nobody can see; give the solutions as starts")
    for number, pair in enumerate(earlier):
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise InvalidInput(f"earlier[{number}] must be a pair of a solution and its score, not {pair!r}")
        solution, score = pair
        if reason := problem.space.violation(solution):
            raise InvalidInput(f"earlier[{number}]: {solution!r} is not legal: {reason}")
        if isinstance(score, bool) or not isinstance(score, int | float | np.number):
            raise InvalidInput(f"earlier[{number}]: the score must be a number (NaN: it failed), not {score!r}")
    if budget.evaluations is not None and len(earlier) > budget.evaluations:
        raise InvalidInput(
            f"earlier holds {len(earlier):,} evaluations, which are charged, and the budget is {budget.evaluations:,}; "
            "give a larger one"
        )


def _message(reason: StopReason, objective: Objective) -> str:
    history = objective.history
    if len(history) and history.incumbent is None:
        first = history[0]
        return f"{_MESSAGES[reason]}; no evaluation has a score, the first {first.status}: {first.reason}"
    return _MESSAGES[reason]


def so_far(objective: Objective) -> OptimizeResult:
    """Return the result of a run that goes on, as it is after its last step."""
    return _result(objective, "callback", "the run goes on", 0.0, {})


def _result(
    objective: Objective, reason: StopReason, message: str, seconds: float, assessment: Mapping[str, Any]
) -> OptimizeResult:
    history, row = objective.history, objective.target_row
    incumbent = history.incumbent
    return OptimizeResult(
        x=incumbent.solution if incumbent else None,
        fun=incumbent.score if incumbent else float("nan"),
        nfev=len(history),
        nit=objective.step_count,
        # Without a target, a space that was evaluated whole has shown its optimum.
        success=row is not None or (reason == "exhausted" and objective.target_loss is None and incumbent is not None),
        message=message,
        history=history,
        stop_reason=reason,
        evaluations_to_target=None if row is None else row + 1,
        steps_to_target=None if row is None else int(history.steps[row]),
        proposals=objective.proposals,
        duplicates=objective.duplicates,
        invalid=objective.invalid,
        repaired=objective.repaired,
        move_evaluations=objective.move_evaluations,
        spent=objective.models.ledger.roles(),
        cached_replies=objective.models.hits,
        seconds=seconds,
        evaluation_seconds=objective.evaluation_seconds,
        scorer_calls=objective.scorer_calls,
        assessment=assessment,
    )
