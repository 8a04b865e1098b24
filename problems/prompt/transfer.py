"""A found instruction elsewhere: on another data set, or with another scorer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmopt.items import ItemScores
from llmopt.llm.ledger import Ledger
from llmopt.llm.terms import Models, Terms
from llmopt.problems.prompt.assessment import score
from llmopt.problems.prompt.hand_written import COMPARED
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.significance import mcnemar, wilson


def transfer(problem: PromptProblem, instructions: Sequence[str], terms: Terms) -> list[dict[str, Any]]:
    """Score instructions, and those they are compared with, on the test examples of another problem.

    Returns
    -------
    list of dict
        For each instruction its ``test_accuracy``, ``test_interval`` (Wilson, 95 %), ``test_examples``, and
        ``compared`` as :func:`llmopt.problems.prompt.assessment.assess` has it.
    """
    with Models(terms, Ledger()) as models:
        scores = ItemScores(problem.bound(models.bind_scorer))
        test = problem.test_items
        scores.score([(text, item) for text in dict.fromkeys([*instructions, *COMPARED]) for item in test])
        found = []
        for text in instructions:
            own = score(scores, text, test)
            compared = []
            for other in COMPARED:
                others = score(scores, other, test)
                compared.append(
                    {"instruction": other, "test_accuracy": float(others.mean()), "p_value": mcnemar(own, others)}
                )
            found.append(
                {
                    "instruction": text,
                    "test_accuracy": float(own.mean()),
                    "test_interval": list(wilson(float(own.sum()), len(own))),
                    "test_examples": len(own),
                    "compared": compared,
                }
            )
        return found
