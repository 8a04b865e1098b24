"""What a metric is: it says whether a reply gives the answer that an example asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from llmopt.problems.prompt.examples import Example


class Metric(ABC):
    """Scores replies. It has no state, and never raises on a reply, whatever is in it.

    A user's own function is the exception: what it raises is an error of the user's, never a wrong answer
    (:mod:`llmopt.problems.prompt.metrics.function`).
    """

    @abstractmethod
    def score(self, reply: str, example: Example) -> float:
        """Return 1.0 for a right reply, 0.0 for a wrong one, or what lies between."""

    def identity(self) -> str:
        """Return what tells this metric from others: a run is resumed only with the same."""
        return type(self).__name__

    def parses(self, target: str) -> bool:
        """Whether a target has the form that this metric compares."""
        return bool(target.strip())

    def fits(self, example: Example) -> bool:
        """Whether the metric can tell right from wrong here: the target has its form, or the input explains it."""
        return self.parses(example.target)

    def names(self, text: str, target: str) -> bool:
        """Whether a text holds a target in other words, such as "sixteen" for 16; its own words are for the caller."""
        return False

    def options(self, example: Example) -> Sequence[str]:
        """Return the answers among which an example's is to be chosen, such as ``("(A)", "(B)")``; empty: any text."""
        return ()
