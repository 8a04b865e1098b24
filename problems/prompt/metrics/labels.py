"""Answers from a small closed set, such as yes and no: as whole words, and only where a reply commits to one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.final import conclusion, plain, statements
from llmopt.problems.prompt.metrics.negation import Stance, before

# After a label that stands for itself: "no because", "no it is not", but not "no evidence" or "valid arguments".
_GOES_ON = re.compile(
    r"[ \t]++(?!(?:because|since|as|for|it|he|she|they|you|we|i|the|this|that|there|these|but|so|or|and)\b)\w",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?:[^\w]|\b(?:or|and|maybe|perhaps|possibly|both|either|also)\b)*+", re.IGNORECASE)
_JOINED = re.compile(r"\b(?:and|or)\b", re.IGNORECASE)
# What stands between an expression and its value.
_EQUALS = re.compile(r"=>|->|[=\u2192\u21d2]|\b(?:is|equals|evaluates to)\b", re.IGNORECASE)


class Labels(Metric):
    """Says which of two labels a reply commits to.

    Labels count as whole words, whatever their case; "not valid" counts as "invalid", and a label after a negation of
    something else in its clause ("I do not see that it is valid") as both. A reply that does nothing but repeat an
    expression ("True and not False") names none. The first of these that names a label decides, and if it names both,
    the reply is wrong:

    1. the last answer statement ("so the answer is no", "Answer: No"),
    2. a last sentence that draws a conclusion ("Therefore, the argument is invalid."), or a last line that is
       nothing but a label, where no other line begins with one,
    3. the value of an expression that the last line repeats ("True and False is False"),
    4. the label that the reply starts with ("No, because otherwise yes would ..."),
    5. the right side of an equation at the end ("so not True = False"),
    6. the whole reply.

    Parameters
    ----------
    first, second
        The labels, each the negation of the other.

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> Labels("valid", "invalid").score("The argument is invalid.", Example("Is it?", "valid"))
    0.0
    """

    def __init__(self, first: str, second: str) -> None:
        self._labels = (first, second)
        self._opposite = {first.casefold(): second.casefold(), second.casefold(): first.casefold()}
        words = f"(?:{re.escape(first)}|{re.escape(second)})"
        # A single quote may stand around a label, but not where it joins two parts of a word.
        self._word = re.compile(rf"(?<![\w-])(?<!\w'){words}(?![\w-]|'\w)", re.IGNORECASE)
        self._alone = re.compile(rf"\W*({words})\W*", re.IGNORECASE)
        self._expression = re.compile(rf"(?:[\s()]|\b(?:{words}|and|or|not)\b)*+", re.IGNORECASE)
        self._result = re.compile(rf"=[ \t]*+({words})\W*$", re.IGNORECASE)

    def identity(self) -> str:
        return "/".join(self._labels)

    def score(self, reply: str, example: Example) -> float:
        wanted = plain(example.target).casefold().strip(" .")
        return float(wanted in self._opposite and self.decide(plain(reply)) == {wanted})

    def parses(self, target: str) -> bool:
        return plain(target).casefold().strip(" .") in self._opposite

    def options(self, example: Example) -> Sequence[str]:
        return self._labels

    def decide(self, text: str) -> set[str]:
        """Return the labels that the reply's final answer names; one of them is a commitment."""
        if _JOINED.search(text) and all(map(self._echoes, filter(str.strip, text.split("\n")))):
            return set()
        for statement in reversed(statements(text)):
            if named := self._named(statement.sentence):
                return named
        if len(named := self._named(conclusion(text))) == 1:
            return named
        for named in (self._last_line(text), self._value(text), self.leading(text), self._equation(text)):
            if named:
                return named
        return set(self._mentions(text))

    def leading(self, text: str) -> set[str]:
        """Return the label that a text starts with, or several if it starts with a list of them."""
        found = set()
        position = _end(_BETWEEN, text, 0)
        while (match := self._word.match(text, position)) and not _GOES_ON.match(text, match.end()):
            found.add(match[0].casefold())
            position = _end(_BETWEEN, text, match.end())
        return found

    def _named(self, sentence: str) -> set[str]:
        return self._value(sentence) or self.leading(sentence) or set(self._mentions(sentence))

    def _mentions(self, text: str) -> Iterator[str]:
        for match in self._word.finditer(text):
            label = match[0].casefold()
            if label == "no" and _GOES_ON.match(text, match.end()):
                continue
            stance = before(text, match.start())
            if stance is not Stance.DENIED:
                yield label
            if stance is not Stance.AFFIRMED:
                yield self._opposite[label]

    def _last_line(self, text: str) -> set[str]:
        *lines, last = text.strip().split("\n")
        match = self._word.search(last)
        alone = match is not None and not re.search(r"\w", last[: match.start()] + last[match.end() :])
        said = [line for line in lines if not self._echoes(line)]
        return set() if not alone or any(map(self.leading, said)) else self.leading(last)

    def _echoes(self, line: str) -> bool:
        """Return whether a line repeats an expression, which says nothing of its value."""
        expression = line.strip().rstrip(" =\u2192")
        return bool(self._expression.fullmatch(expression)) and not self._alone.fullmatch(expression)

    def _value(self, text: str) -> set[str]:
        *expressions, value = _EQUALS.split(text.strip().rpartition("\n")[2])
        match = self._alone.fullmatch(value)
        repeats = bool(expressions) and all(map(self._expression.fullmatch, expressions))
        return {match[1].casefold()} if match and repeats else set()

    def _equation(self, text: str) -> set[str]:
        # Only the end is searched, for a pattern that ends a text is tried at every equals sign.
        match = self._result.search(text[-100:])
        return {match[1].casefold()} if match else set()


def _end(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position
