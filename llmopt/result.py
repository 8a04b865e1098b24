"""What a run gives back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llmopt.history import History
from llmopt.llm.ledger import Entry, total
from llmopt.objective import StopReason


@dataclass(frozen=True)
class OptimizeResult:
    """The outcome of a run, in the vocabulary of SciPy's ``OptimizeResult``.

    Attributes
    ----------
    x
        The best solution in the user's form, None where no evaluation has a score.
    fun
        Its score in the user's own sign, NaN where there is none.
    nfev, nit
        Evaluations (start points included) and steps that were spent.
    success
        Whether the target was reached; without a target, whether the whole space was evaluated.
    message
        Why the run ended, in a sentence.
    history
        Every evaluation.
    stop_reason
        The same in a word: target, evaluations, steps, seconds, tokens, cost, calls, stalled, exhausted, finished,
        interrupted, error.
    evaluations_to_target, steps_to_target
        Up to and including the evaluation, and its step, that reached the target; None where none did.
    proposals, duplicates, invalid
        Candidates put forward; those answered from the history; those that were no solution, by reason.
    repaired, move_evaluations
        See :class:`llmopt.objective.Proposals`; over the whole run.
    spent
        What language models cost, by role (see :class:`llmopt.llm.ledger.Entry`): tokens, calls, retries, dollars.
    cached_replies
        Replies that came from the cache and cost nothing.
    seconds, evaluation_seconds
        Wall-clock time of the run, and the part of it inside the problem.
    scorer_calls
        Pairs of a solution and an item that the search scored, on a problem with items.
    assessment
        What such a problem says of the outcome, see :meth:`llmopt.items.ItemProblem.assess`.
    """

    x: Any
    fun: float
    nfev: int
    nit: int
    success: bool
    message: str
    history: History = field(repr=False)
    stop_reason: StopReason
    evaluations_to_target: int | None
    steps_to_target: int | None
    proposals: int
    duplicates: int
    invalid: Counter[str]
    repaired: int
    move_evaluations: int
    spent: Mapping[str, Entry]
    cached_replies: int
    seconds: float
    evaluation_seconds: float
    scorer_calls: int = 0
    assessment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cost(self) -> float | None:
        """Dollars for all language models together; None where a price is not known."""
        return total(self.spent).dollars
