"""What is written down about one run: the same fields in JSON, in ``runs.csv`` and behind every table."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from llmopt.errors import InvalidInput
from llmopt.history import History
from llmopt.items import ItemProblem
from llmopt.llm.ledger import Entry, total
from llmopt.objective import Objective
from llmopt.problem import Problem
from llmopt.result import OptimizeResult
from llmopt.solver import Access, Solver


@dataclass(frozen=True)
class Identity:
    """What a run is a run of."""

    solver: str
    problem: str
    instance: int
    repeat: int
    seed: int


@dataclass(frozen=True, slots=True)
class Record:
    """One run.

    Attributes
    ----------
    solver
        The solver with its settings, as it was asked for.
    access
        ``"scores"`` for a black-box method, ``"structure"`` for one that looks into the problem.
    llm
        The language model; None where the solver uses none.
    problem, instance, repeat, seed
        What was solved; repeat r has the instance and the seed r above the first ones.
    success
        Whether the target was reached within the budget.
    evaluations, steps
        Up to and including the evaluation (the step) that reached the target. Where ``success`` is false: all
        that was spent, which is a lower bound.
    unique_pairs
        Different solutions evaluated, start points and the whole last step included, as the paper counts.
    proposals, duplicates, invalid
        Candidates put forward, and those among them that were known already or no solution.
    repaired
        Proposals of a model that had to be repaired to be solutions, without a look at the problem.
    move_evaluations
        Moves whose change of the score a solver computed from the problem's structure, beside its evaluations.
    failed, infeasible
        Evaluations without a score.
    best_score, optimum
        In the problem's own sign; None where there is none, or it is not known.
    gap
        How much worse the best score is than the optimum: its distance in the minimized direction, never
        relative; None where either is unknown.
    relative_gap
        The same as a share of the optimum's distance from zero; None too where that is zero.
    llm_calls, llm_retries
        Calls that were sent to models, and those among them that repeated a failed one.
    llm_cached
        Replies that came from the reply cache and cost nothing.
    prompt_tokens, cached_tokens, completion_tokens
        What models read and wrote, as they report it; ``cached_tokens`` is a part of ``prompt_tokens``.
    cost_usd
        0.0 without a model and for a local one; None where a price is not known. Calls whose outcome is unknown
        count with the most that they can have cost.
    seconds
        Wall-clock time of the run.
    stop_reason, message
        Why the run ended, as a word and as a sentence.
    dropped
        Evaluations that a race ended before every item was scored.
    scorer_calls
        Pairs of an instruction and an example that the search scored; None where there are no items, as all that
        follows.
    scorer
        The model that answers, and the judge of its answers where there is one.
    instruction
        What was found: the best on training and validation examples.
    train_accuracy, validation_accuracy, test_accuracy
        Its share of right answers; on the test, of examples that the search has not seen.
    train_low, train_high, validation_low, validation_high, test_low, test_high
        Wilson's intervals of these at 95 %; those of training and validation are of what was chosen by them.
    test_examples
        How many these are.
    empty_accuracy, step_accuracy
        Test accuracies of the empty instruction and of "Let's think step by step.".
    p_empty, p_step
        McNemar's exact p-values of the difference to them, on the same examples.
    empty_answers
        How many of the answers to what was found, and to those, were empty.
    flags
        What should be looked at before the instruction is used.
    evaluation_seconds
        The part of ``seconds`` inside the problem, with a log that of the last session; None of a run that an error
        ended.
    """

    solver: str
    access: Access
    llm: str | None
    problem: str
    instance: int
    repeat: int
    seed: int
    success: bool
    evaluations: int
    steps: int
    unique_pairs: int
    proposals: int
    duplicates: int
    invalid: int
    repaired: int
    move_evaluations: int
    failed: int
    infeasible: int
    best_score: float | None
    optimum: float | None
    gap: float | None
    relative_gap: float | None
    llm_calls: int
    llm_retries: int
    llm_cached: int
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    cost_usd: float | None
    seconds: float
    stop_reason: str
    message: str
    dropped: int = 0
    scorer_calls: int | None = None
    scorer: str | None = None
    instruction: str | None = None
    train_accuracy: float | None = None
    train_low: float | None = None
    train_high: float | None = None
    validation_accuracy: float | None = None
    validation_low: float | None = None
    validation_high: float | None = None
    test_accuracy: float | None = None
    test_low: float | None = None
    test_high: float | None = None
    test_examples: int | None = None
    empty_accuracy: float | None = None
    step_accuracy: float | None = None
    p_empty: float | None = None
    p_step: float | None = None
    empty_answers: int | None = None
    flags: str | None = None
    evaluation_seconds: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the fields as JSON has them: None in place of NaN and infinity."""
        return {name: finite(getattr(self, name)) for name in FIELDS}


FIELDS = tuple(field.name for field in fields(Record))


def known(stored: Mapping[str, Any]) -> Record:
    """Return a record that a log holds; fields of another version are left out.

    Raises
    ------
    InvalidInput
        It lacks a field that this version needs.
    """
    try:
        return Record(**{name: stored[name] for name in FIELDS if name in stored})
    except TypeError as error:
        raise InvalidInput(f"a record of another version of llmopt cannot be read: {error}") from None


def finite(value: Any) -> Any:
    """Return a value as it is, but None for a float that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def of_result(identity: Identity, problem: Problem, solver: Solver, result: OptimizeResult) -> Record:
    """Return the record of a run that gave a result."""
    evaluations = result.nfev if result.evaluations_to_target is None else result.evaluations_to_target
    steps = result.nit if result.steps_to_target is None else result.steps_to_target
    return _record(
        identity,
        problem,
        solver,
        result.history,
        success=result.success,
        evaluations=evaluations,
        steps=steps,
        proposals=result.proposals,
        duplicates=result.duplicates,
        invalid=result.invalid.total(),
        repaired=result.repaired,
        move_evaluations=result.move_evaluations,
        seconds=result.seconds,
        evaluation_seconds=result.evaluation_seconds,
        spent=total(result.spent),
        llm_cached=result.cached_replies,
        stop_reason=result.stop_reason,
        message=result.message,
        scorer_calls=result.scorer_calls if isinstance(problem, ItemProblem) else None,
        **_assessed(result.assessment),
    )


def of_error(
    identity: Identity, problem: Problem, solver: Solver, objective: Objective | None, message: str, seconds: float
) -> Record:
    """Return the record of a run that an error ended; ``objective`` is as it was after its last step."""
    history = History(problem.space) if objective is None else objective.history
    return _record(
        identity,
        problem,
        solver,
        history,
        success=False,
        evaluations=len(history),
        steps=0 if objective is None else objective.step_count,
        proposals=0 if objective is None else objective.proposals,
        duplicates=0 if objective is None else objective.duplicates,
        invalid=0 if objective is None else objective.invalid.total(),
        repaired=0 if objective is None else objective.repaired,
        move_evaluations=0 if objective is None else objective.move_evaluations,
        seconds=seconds,
        spent=Entry() if objective is None else objective.models.ledger.total(),
        llm_cached=0 if objective is None else objective.models.hits,
        stop_reason="error",
        message=message,
        scorer_calls=objective.scorer_calls if objective and isinstance(problem, ItemProblem) else None,
    )


def _record(
    identity: Identity, problem: Problem, solver: Solver, history: History, *, spent: Entry, **outcome: Any
) -> Record:
    incumbent, optimum = history.incumbent, problem.optimum
    best = None if incumbent is None else incumbent.score
    gap = None
    if best is not None and optimum is not None:
        # Adding 0.0 turns -0.0 into 0.0.
        gap = (best - optimum.score) * (-1.0 if problem.direction == "maximize" else 1.0) + 0.0
    return Record(
        solver=identity.solver,
        access=solver.sees(problem),
        llm=", ".join(model.info.spec for model in solver.models.values()) or None,
        problem=identity.problem,
        instance=identity.instance,
        repeat=identity.repeat,
        seed=identity.seed,
        unique_pairs=_unique(history) if problem.noisy else len(history),
        failed=history.count("failed"),
        infeasible=history.count("infeasible"),
        dropped=history.count("dropped"),
        scorer=", ".join(model.info.spec for model in problem.models.values()) or None,
        best_score=best,
        optimum=None if optimum is None else optimum.score,
        gap=gap,
        relative_gap=gap / abs(optimum.score) if gap is not None and optimum is not None and optimum.score else None,
        llm_calls=spent.calls,
        llm_retries=spent.retries,
        prompt_tokens=spent.prompt_tokens,
        cached_tokens=spent.cached_tokens,
        completion_tokens=spent.completion_tokens,
        cost_usd=spent.dollars,
        **outcome,
    )


def _assessed(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that come from what :mod:`llmopt.problems.prompt.assessment` says; none without it."""
    if "test_accuracy" not in found:
        return {}
    names = (
        *("instruction", "train_accuracy", "validation_accuracy", "test_accuracy", "test_examples"),
        "empty_answers",
    )
    empty, step = found["compared"]
    return {
        **{name: found[name] for name in names},
        **_ends(found, "train"),
        **_ends(found, "validation"),
        **_ends(found, "test"),
        "empty_accuracy": empty["test_accuracy"],
        "step_accuracy": step["test_accuracy"],
        "p_empty": empty["p_value"],
        "p_step": step["p_value"],
        "flags": "; ".join(found["flags"]),
    }


def _ends(found: Mapping[str, Any], part: str) -> dict[str, float | None]:
    # A log of before may lack it, and validation is optional.
    low, high = found.get(f"{part}_interval") or (None, None)
    return {f"{part}_low": low, f"{part}_high": high}


def _unique(history: History) -> int:
    keys = history.space.keys(history.columns)
    return len(np.unique(keys)) if isinstance(keys, np.ndarray) else len(set(keys))


def of_nothing(identity: Identity, message: str) -> Record:
    """Return the record of a run that did not come about."""
    zeros = ("evaluations", "steps", "unique_pairs", "proposals", "duplicates", "invalid", "repaired")
    more = ("move_evaluations", "failed", "infeasible", "llm_calls", "llm_retries", "llm_cached")
    tokens = ("prompt_tokens", "cached_tokens", "completion_tokens")
    unknown = ("llm", "best_score", "optimum", "gap", "relative_gap", "cost_usd")
    nothing: dict[str, Any] = {**dict.fromkeys((*zeros, *more, *tokens), 0), **dict.fromkeys(unknown)}
    return Record(
        **asdict(identity), access="scores", success=False, seconds=0.0, stop_reason="error", message=message, **nothing
    )
