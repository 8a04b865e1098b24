"""Exact match: the answer is the target, but for case, white space and decoration."""

from __future__ import annotations

from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.final import plain, statements

# Not signs, brackets, currencies and per cent: they tell answers apart.
_AROUND = " \t\n.,;:!?\"'*"


class Exact(Metric):
    """Compares the final answer with the target after normalisation.

    The last answer statement of a reply counts ("the answer is ...", "Answer: ..."), as its first sentence or to
    its end; without one, the whole reply. Normalisation is Unicode NFKC, case, runs of white space, markdown, and
    punctuation and quotes around the answer.

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> Exact().score("I think the answer is **Paris**.", Example("The capital of France?", "paris"))
    1.0
    """

    def score(self, reply: str, example: Example) -> float:
        return float(same_text(reply, example.target))


def same_text(reply: str, target: str) -> bool:
    """Whether a reply's final answer is the target, as :class:`Exact` compares them."""
    wanted = normalise(target)
    if normalise(reply) == wanted:
        return True
    stated = statements(plain(reply))
    return bool(stated) and wanted in (normalise(stated[-1].text), normalise(stated[-1].sentence))


def normalise(text: str) -> str:
    """Return a text without what does not tell answers apart; punctuation alone stays."""
    folded = " ".join(plain(text).casefold().split())
    return folded.strip(_AROUND) or folded
