"""Answers from the labels of a data set, such as positive, negative and neutral."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.exact import normalise
from llmopt.problems.prompt.metrics.final import conclusion, first_sentence, plain, statements
from llmopt.problems.prompt.metrics.letters import is_word

MOST = 50
"""Labels; more of them are no labels."""


class OneOf(Metric):
    """Says which of several labels a reply commits to, as whole words and whatever their case.

    The first of these that names a label decides, and if it names two, the reply is wrong: the last answer statement
    ("the answer is negative"), a last sentence that draws a conclusion, a first sentence that is nothing but a label,
    the whole reply. Of labels that contain each other the longer one counts. A negation is not understood: "not
    positive" names "positive". The labels A and I are not named by the words ("a dog", "I think").

    Parameters
    ----------
    labels
        At least 2 and at most :data:`MOST`, different after normalisation.

    Raises
    ------
    InvalidInput
        The labels are fewer or more.

    Examples
    --------
    >>> metric = OneOf(["positive", "negative", "very positive"])
    >>> metric.score("Very positive!", Example("Splendid.", "very positive"))
    1.0
    >>> metric.score("Positive or negative.", Example("Splendid.", "positive"))
    0.0
    """

    def __init__(self, labels: Iterable[str]) -> None:
        self._labels = {normalise(label): label.strip() for label in labels if label.strip()}
        if not 2 <= len(self._labels) <= MOST:
            raise InvalidInput(
                f"metric=labels needs 2 to {MOST} different targets, and the data has {len(self._labels)}; choose "
                "another metric"
            )
        words = "|".join(map(re.escape, sorted(self._labels, key=len, reverse=True)))
        self._word = re.compile(rf"(?<!\w)(?<!\w')(?:{words})(?!\w|'\w)")

    def identity(self) -> str:
        return "labels: " + ", ".join(sorted(self._labels))

    def score(self, reply: str, example: Example) -> float:
        return float(self._decide(plain(reply)) == {normalise(example.target)})

    def parses(self, target: str) -> bool:
        return normalise(target) in self._labels

    def options(self, example: Example) -> Sequence[str]:
        return list(self._labels.values())

    def _decide(self, text: str) -> set[str]:
        stated = statements(text)
        first = normalise(first_sentence(text))
        for part in (
            *([stated[-1].sentence, stated[-1].text] if stated else []),
            conclusion(text),
            first if first in self._labels else "",
            text,
        ):
            if named := self._named(" ".join(plain(part).split())):
                return named
        return set()

    def _named(self, text: str) -> set[str]:
        folded = text.casefold()
        # Their case tells an article from a letter; few characters are folded into more than one.
        cased = text if len(text) == len(folded) else folded
        return {match[0] for match in self._word.finditer(folded) if not is_word(cased, *match.span())}
