"""Sequences: words in order (word sorting) and brackets that close what is open (Dyck languages)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics.base import Metric
from llmopt.problems.prompt.metrics.final import first_sentence, plain, statements
from llmopt.problems.prompt.metrics.negation import Stance, before

_LIST_MARK = re.compile(r"\(?[0-9]{1,4}[.):-]|\([a-z]\)|[-*\u2022>|&]+|\u2192")
_LINE_MARK = re.compile(r"^[ \t]*+(?:[0-9]{1,4}|[a-z])[.):-][ \t]++", re.IGNORECASE | re.MULTILINE)
_IS = re.compile(r"\b(?:is|are)\b", re.IGNORECASE)
_PARAGRAPH = re.compile(r"\n[ \t]*+\n")
_SEPARATORS = re.compile(r"[\s,;|]+")
_AROUND = ".,;:!?\"'()[]*"
_COLON = re.compile(r":(?=\s|$)")
_BRACKETS = re.compile(r"[\[\](){}<>]+")
_BOXED_BRACKETS = re.compile(r"[\[\](){}<> \t.,'\"$\\*]*+")
_NOT_BRACKETS = re.compile(r"[^\[\](){}<>\s.,'\"$\\*]")


class Words(Metric):
    """Compares a sequence of words.

    Words may be separated by white space, commas, semicolons or arrows, or be the lines of a list, numbered, lettered
    or not, with "and" before the last one; case does not matter. The sequence must be the whole final answer: what
    follows the last answer statement, else what follows the last colon or the last "is" or "are", the last paragraph,
    a last line after a full sentence, or the whole reply. After an answer statement its first line will do too. A last
    paragraph that is a sentence with none of the words is left out ("Let me know if you need more.").

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> Words().score("Sorted:\\n1. Apple\\n2. pear", Example("Sort: pear apple", "apple pear"))
    1.0
    """

    def score(self, reply: str, example: Example) -> float:
        wanted = _words(plain(example.target))
        texts = dict.fromkeys(_sequences(plain(reply), wanted)) if wanted else {}
        return float(any(_same_words(_words(text), wanted) for text in texts))

    def parses(self, target: str) -> bool:
        return bool(_words(plain(target)))

    def names(self, text: str, target: str) -> bool:
        """Whether a text holds the sequence, however it is separated."""
        said, wanted = _words(plain(text)), _words(plain(target))
        parts = (said[i : i + len(wanted) + more] for i in range(len(said)) for more in (0, 1))
        return bool(wanted) and any(_same_words(part, wanted) for part in parts)


class Brackets(Metric):
    """Compares a sequence of brackets; white space between them does not matter.

    Right is the completion alone, or the input's brackets followed by the completion. The brackets must be the
    whole final answer: what follows the last answer statement, else the last colon, else the last line; a reply of
    nothing but brackets counts as a whole. Of a box the last brace closes it, for others may belong to the answer.

    Examples
    --------
    >>> from llmopt.problems.prompt.examples import Example
    >>> Brackets().score("[ < > ]", Example("Complete the sequence. Input: [ <", "> ]"))
    1.0
    """

    def score(self, reply: str, example: Example) -> float:
        wanted = _brackets(plain(example.target))
        if not wanted:
            return 0.0
        asked = "".join(_BRACKETS.findall(example.input[len(example.input.rstrip("[](){}<> \n\t")) :]))
        text = plain(reply)
        whole = _brackets(text)
        texts = [text] if whole else [*(_boxed(text) or _final_texts(text)), text.rpartition("\n")[2]]
        given = next(filter(None, map(_brackets, texts)), "")
        return float(given in (wanted, asked + wanted))

    def parses(self, target: str) -> bool:
        return bool(_brackets(plain(target)))


def _final_texts(text: str) -> list[str]:
    """Return what can be the final answer of a reply."""
    if stated := statements(text):
        last = stated[-1].text
        return [last, last.partition("\n")[0], first_sentence(last), text]
    colons = list(_COLON.finditer(text))
    return [text[colons[-1].end() :], text] if colons else [text]


def _sequences(text: str, wanted: Sequence[str]) -> Iterator[str]:
    """Return what of a reply can be the sequence of words that is its answer."""
    for listed in (text, _LINE_MARK.sub("", text)):
        for said in (listed, _without_remark(listed, wanted)):
            yield from _final_texts(said)
            # One word at the end may be the last one of a longer list.
            if len(wanted) > 1 and not statements(said):
                yield from _endings(said)


def _endings(text: str) -> Iterator[str]:
    """Return ends of a text that begin where something may be presented."""
    yield _PARAGRAPH.split(text)[-1]
    above, _, last = text.rpartition("\n")
    if above.rstrip().endswith((".", "!", "?")):
        yield last
    verbs = list(_IS.finditer(text))
    if verbs and before(text, verbs[-1].end()) is Stance.AFFIRMED:
        yield text[verbs[-1].end() :]


def _without_remark(text: str, wanted: Sequence[str]) -> str:
    """Return a text without a last paragraph that is a sentence on something else, and no other answer."""
    *paragraphs, last = _PARAGRAPH.split(text)
    words = _words(last)
    is_sentence = len(words) > 2 and last.endswith((".", "!", "?")) and ":" not in last
    remark = is_sentence and not set(words) & set(wanted) and not statements(last)
    return "\n\n".join(paragraphs) if paragraphs and remark else text


def _words(text: str) -> list[str]:
    parts = [part for part in _SEPARATORS.split(text.casefold()) if not _LIST_MARK.fullmatch(part)]
    return [word for part in parts if (word := part.strip(_AROUND))]


def _same_words(given: list[str], wanted: list[str]) -> bool:
    return given == wanted or (given[-2:-1] == ["and"] and given[:-2] + given[-1:] == wanted)


def _boxed(text: str) -> list[str]:
    """Return the brackets that a last answer statement boxes; its last brace closes the box, the others are theirs."""
    stated = statements(text)[-1:]
    runs = [_BOXED_BRACKETS.match(statement.body.lstrip()) for statement in stated if statement.mark == "boxed"]
    return [run[0].rpartition("}")[0] or run[0] for run in runs if run]


def _brackets(text: str) -> str:
    """Return the brackets of a text of nothing else, or an empty text."""
    return "" if _NOT_BRACKETS.search(text) else "".join(_BRACKETS.findall(text))
