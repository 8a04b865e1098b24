"""What a run did, as plain values that can be compared and sent to another process."""

from __future__ import annotations

from typing import Any

from llmopt.result import OptimizeResult

Trace = list[list[Any]]
"""Of each evaluation: the solution as JSON has it, the loss as text, the status and the step."""


def trace(result: OptimizeResult) -> Trace:
    """Return what a run did."""
    history = result.history
    solutions = history.space.rows_to_json(history.columns)
    # As text, since NaN is not equal to itself.
    losses = map(repr, history.losses.tolist())
    rows = zip(solutions, losses, history.status.tolist(), history.steps.tolist(), strict=True)
    return [list(row) for row in rows]


def difference(one: Trace, other: Trace) -> str | None:
    """Say where two runs part; None where they do not.

    Examples
    --------
    >>> difference([[{"x": 1}, "2.0", 0, 0]], [[{"x": 3}, "2.0", 0, 0]])
    "evaluation 1 is of {'x': 3} instead of {'x': 1}"
    """
    for number, (first, second) in enumerate(zip(one, other, strict=False), 1):
        if first[0] != second[0]:
            return f"evaluation {number} is of {second[0]} instead of {first[0]}"
        if first != second:
            names = ("loss", "status", "step")
            name, was, now = next(
                (name, a, b) for name, a, b in zip(names, first[1:], second[1:], strict=True) if a != b
            )
            return f"evaluation {number}, of {first[0]}, has the {name} {now} instead of {was}"
    if len(one) != len(other):
        return f"there are {len(other)} evaluations instead of {len(one)}"
    return None
