"""What a run may spend."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.budget import Budget, larger
from llmopt.errors import InvalidInput

LIMITS = st.none() | st.integers(1, 10)


@pytest.mark.parametrize(
    "spent",
    [
        {},
        {"evaluations": 0},
        {"steps": -1},
        {"evaluations": 2.5},
        {"seconds": 0},
        {"evaluations": True},
        {"seconds": math.nan},
        {"seconds": math.inf},
        {"evaluations": 1, "cost": math.nan},
        {"evaluations": 1, "cost": math.inf},
    ],
)
def test_a_budget_of_nothing_is_refused(spent: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="budget"):
        Budget(**spent)


@given(LIMITS, LIMITS)
def test_no_limit_is_the_largest(one: int | None, other: int | None) -> None:
    evaluations = [float("inf") if limit is None else limit for limit in (one, other)]
    assert larger(one, than=other) == (evaluations[0] > evaluations[1])
