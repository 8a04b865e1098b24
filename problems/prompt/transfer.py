"""A found instruction elsewhere: on another data set, or with another scorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmopt.budget import Budget
from llmopt.errors import LlmoptError
from llmopt.items import ItemScores
from llmopt.llm.ledger import BudgetSpent, Entry, Ledger, total
from llmopt.llm.terms import Models, Terms
from llmopt.problems.prompt.hand_written import COMPARED
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.significance import mcnemar, wilson

_BEFORE = "before"
"""What the search has spent, in the account of a transfer."""


class Transfer:
    """Scores instructions, and those they are compared with, on the test examples of another problem.

    Each text is scored once, however many searches have found it.

    Parameters
    ----------
    problem
        The other problem.
    terms
        Prices and the reply cache.
    budget
        What a search and its transfer may spend together on models. The time is the search's alone.
    """

    def __init__(self, problem: PromptProblem, terms: Terms, budget: Budget) -> None:
        self._problem = problem
        self._terms = terms
        self._budget = budget
        self._known: dict[str, NDArray[np.float64]] = {}

    def score(self, instruction: str, spent: Entry, earlier: Entry | None = None) -> dict[str, Any]:
        """Score what a search has found.

        Parameters
        ----------
        instruction
            What was found.
        spent
            What the search took of the budget.
        earlier
            What an attempt at this transfer took that was not finished.

        Returns
        -------
        dict
            ``instruction``; ``test_accuracy``, ``test_interval`` (Wilson, 95 %), ``test_examples``, and ``compared`` as
            :func:`llmopt.problems.prompt.assessment.assess` has it; or, where that did not come about, ``stop_reason``
            and ``message``. What it took: ``llm_calls``, ``prompt_tokens``, ``completion_tokens``, ``cost_usd``.
        """
        budget = self._budget
        before = {_BEFORE: spent, **({} if earlier is None else {"earlier": earlier})}
        ledger = Ledger(max_tokens=budget.tokens, max_cost=budget.cost, max_calls=budget.calls, spent=before)
        found = self._outcome(instruction, ledger)
        took = total({role: entry for role, entry in ledger.roles().items() if role != _BEFORE})
        return {
            "instruction": instruction,
            **found,
            "llm_calls": took.calls,
            "prompt_tokens": took.prompt_tokens,
            "completion_tokens": took.completion_tokens,
            "cost_usd": took.dollars,
        }

    def _outcome(self, instruction: str, ledger: Ledger) -> dict[str, Any]:
        """Return what came of it; whatever ends it must not take along what it has cost."""
        try:
            self._ask([instruction, *COMPARED], ledger)
        except KeyboardInterrupt:
            return {"stop_reason": "interrupted", "message": "interrupted"}
        except BudgetSpent as error:
            return {"stop_reason": error.reason, "message": str(error)}
        except LlmoptError as error:
            return {"stop_reason": "error", "message": str(error)}
        except Exception as error:
            return {"stop_reason": "error", "message": f"{type(error).__name__}: {error}"}
        own = self._known[instruction]
        return {
            "test_accuracy": float(own.mean()),
            "test_interval": list(wilson(float(own.sum()), len(own))),
            "test_examples": len(own),
            "compared": [
                {
                    "instruction": other,
                    "test_accuracy": float(self._known[other].mean()),
                    "p_value": mcnemar(own, self._known[other]),
                }
                for other in COMPARED
            ],
        }

    def _ask(self, instructions: Sequence[str], ledger: Ledger) -> None:
        missing = [text for text in dict.fromkeys(instructions) if text not in self._known]
        test = self._problem.test_items
        with Models(self._terms, ledger) as models:
            scores = ItemScores(self._problem.bound(models.bind_scorer))
            found = scores.score([(text, item) for text in missing for item in test])
        self._known.update(zip(missing, found.reshape(len(missing), len(test)), strict=True))
