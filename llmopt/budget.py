"""What a run may spend."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from llmopt.errors import InvalidInput

Limit = Literal["evaluations", "steps", "seconds", "tokens", "cost", "calls", "scorer_calls"]
"""What a budget is of."""


@dataclass(frozen=True)
class Budget:
    """What a run may spend; None means without limit.

    Parameters
    ----------
    evaluations
        Calls of ``Problem.evaluate``, start points included.
    steps
        Sets of proposals that do not depend on each other's results; the start points are step 0 and free.
    seconds
        Wall-clock time since the first evaluation.
    tokens, cost, calls
        What all language models of the run may cost together: tokens read and written, dollars, calls sent. They
        are checked before a call with the most that it can take, see :class:`llmopt.llm.ledger.Ledger`.
    scorer_calls
        Pairs of a solution and an item that a search may score, on a problem whose score is a mean over items
        (:class:`llmopt.items.ItemProblem`); those that a cache answers count too.
    """

    evaluations: int | None = None
    steps: int | None = None
    seconds: float | None = None
    tokens: int | None = None
    cost: float | None = None
    calls: int | None = None
    scorer_calls: int | None = None

    def __post_init__(self) -> None:
        for name in ("evaluations", "steps", "tokens", "calls", "scorer_calls"):
            value = getattr(self, name)
            if value is not None and (isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1):
                raise InvalidInput(
                    f"the budget of {name.replace('_', ' ')} must be a whole number of at least 1, not {value!r}"
                )
        for name, unit in (("seconds", "seconds"), ("cost", "dollars")):
            value = getattr(self, name)
            if value is not None and (
                isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf
            ):
                raise InvalidInput(
                    f"the budget of {unit} must be a positive number that is finite, not {value!r}; leave it out to "
                    "have no limit"
                )
        if self.evaluations is self.steps is self.seconds is self.scorer_calls is None:
            raise InvalidInput("give a budget: of evaluations, steps, seconds or scorer calls")


def limits(
    evaluations: int | None = None,
    steps: int | None = None,
    seconds: float | None = None,
    tokens: int | None = None,
    cost: float | None = None,
    calls: int | None = None,
    scorer_calls: int | None = None,
) -> dict[str, Any]:
    """Return the limits that are given, by the names that a :class:`Budget` has for them."""
    named = {
        "evaluations": evaluations,
        "steps": steps,
        "seconds": seconds,
        "tokens": tokens,
        "cost": cost,
        "calls": calls,
        "scorer_calls": scorer_calls,
    }
    return {name: value for name, value in named.items() if value is not None}


def exceeded(budget: Budget, spent: Mapping[Limit, int]) -> Limit | None:
    """Return the first of some counts that is beyond a budget; None: none is.

    Examples
    --------
    >>> from llmopt.budget import Budget, exceeded
    >>> exceeded(Budget(evaluations=20), {"evaluations": 20, "steps": 300})
    >>> exceeded(Budget(evaluations=20, steps=100), {"evaluations": 20, "steps": 300})
    'steps'
    """
    limits = {name: getattr(budget, name) for name in spent}
    return next((name for name, count in spent.items() if limits[name] is not None and count > limits[name]), None)


def larger(limit: int | None, than: int | None) -> bool:
    """Return whether a limit is larger than another one; None is none, and the largest.

    Examples
    --------
    >>> from llmopt.budget import larger
    >>> larger(20, than=10), larger(None, than=10), larger(None, than=None)
    (True, True, False)
    """
    return than is not None and (limit is None or limit > than)
