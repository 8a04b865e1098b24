"""Steps that find nothing better, and the temperature that they raise."""

from __future__ import annotations

from llmopt.history import History

HOTTEST = 2.0
"""What stagnation raises a temperature to, at most."""
_RISE = 1 / 8


def stagnation(history: History, step: int) -> int:
    """Return how many steps before the one that is asked for found nothing better than was known."""
    incumbent = history.incumbent
    return 0 if incumbent is None else max(0, step - incumbent.step - 1)


def warmed(temperature: float, steps: int) -> float:
    """Return a temperature that so many steps without a better solution have raised, each by an eighth of it.

    A model that is sure of itself says the same where another answer is needed.
    """
    return max(temperature, min(HOTTEST, temperature * (1 + _RISE * steps)))
