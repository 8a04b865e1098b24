"""Where the answer is in a reply: the text without its decoration, and the sentences that state an answer.

Replies are hostile text. Only the last part of a long one is read, and every pattern here takes linear time: what
repeats without a bound is possessive or is followed by what it cannot contain.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal, NamedTuple

from llmopt.problems.prompt.metrics.negation import Stance, before

LIMIT = 20_000

_THIN_SPACE_IN_NUMBER = re.compile(r"(?<=[0-9])[\u00a0\u2009\u202f](?=[0-9]{3}(?![0-9]))")
_DIGIT_BEFORE_VULGAR_FRACTION = re.compile(r"(?<=[0-9])(?=[\u00bc-\u00be\u2150-\u215e])")
_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
        **dict.fromkeys("\u2018\u2019\u201b\u2032", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u00ab\u00bb", '"'),
        "\u2044": "/",
        "\r": "\n",
        "`": "",
    }
)
_FENCE = re.compile(r"^[ \t]*+```\w*+", re.MULTILINE)
# Two stars between digits are a power, and a line below between letters belongs to a name.
_EMPHASIS = re.compile(r"(?<![0-9])\*\*|\*\*(?![0-9])|(?<![^\W_])_++|_+(?![^\W_])")
_LATEX = [
    # A mixed number has a space before its fraction: 1\frac{1}{2} is not 11/2.
    (re.compile(r"(?<=[0-9])(?=\\[dt]?frac)"), " "),
    (re.compile(r"\\[dt]?frac(?:\{(-?[0-9]{1,20})\}|([0-9]))(?:\{([0-9]{1,20})\}|([0-9]))(?![0-9])"), r"\1\2/\3\4"),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf)\{([^{}\\]{0,500})\}"), r"\1"),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\\[,!]"), ""),
    (re.compile(r"\\(?=[$%&])"), ""),
    # A formula within a line; brackets alone may be an answer.
    (re.compile(r"\\\((?=[^\w\\]{0,20}\w)([^()\[\]{}<>\\]{0,500})\\\)"), r"$\1$"),
]

_MARK = re.compile(
    r"""
    (?P<hash>\#{4}(?!\#))
    | (?P<boxed>\\boxed[ ]?\{)
    | <answer>
    | ^[ \t]*+\#{0,3}[ \t]*+(?:the[ ]|my[ ])?(?:final[ ]|correct[ ])?answer[ \t]*+\n
    | \b(?:answers?|(?:correct|right|best|final|my)[ \t](?:option|choice|result|one|label|number|value))
      (?: (?:[ \t]++[^\W\d]++){0,5}?[ \t]++(?:is|are|was|be|equals)\b(?:[ \t]as[ \t]follows)?[ \t]*+:?+
        | (?:[ \t](?:choice|option))?[ \t]*+[:=] )
    | \b(?:option|choice)[ \t]*+[:=]
    | ^[ \t]*+(?:final[ ])?result[ \t]*+:
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_VERB = re.compile(r"\b(?:is|are|was|be|equals)(?: as follows)?$", re.IGNORECASE)
# In LaTeX a brace after a backslash is a character.
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_END = re.compile(r"[.!?](?=\s|$)|\n|</answer>", re.IGNORECASE)
_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_CONCLUDES = re.compile(
    r"(?:so|therefore|thus|hence|consequently|overall|finally|in conclusion|to conclude|in summary)\b", re.IGNORECASE
)


class Statement(NamedTuple):
    """What follows a mark such as "the answer is" or "####", up to the next mark."""

    start: int
    mark: Literal["hash", "boxed", "phrase"]
    text: str
    body: str  # without an end at the brace that closes a box, which may be an answer's own

    @property
    def sentence(self) -> str:
        """Its first sentence or line."""
        return first_sentence(self.text)


def bounded(reply: str) -> str:
    """Return the last :data:`LIMIT` characters, from a whole word on: a cut "invalid" must not become "valid"."""
    if len(reply) <= LIMIT:
        return reply
    tail = reply[-LIMIT:]
    if reply[-LIMIT - 1].isspace() or tail[0].isspace():
        return tail
    words = tail.split(maxsplit=1)
    return words[1] if len(words) == 2 else ""


def plain(reply: str) -> str:
    """Return a reply without what only decorates it: NFKC, plain dashes and quotes, no markdown, no LaTeX text."""
    text = _DIGIT_BEFORE_VULGAR_FRACTION.sub(" ", _THIN_SPACE_IN_NUMBER.sub("", bounded(reply)))
    text = unicodedata.normalize("NFKC", _FENCE.sub("", text)).translate(_CHARACTERS)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    # NFKC writes some characters out, as up to 18 of them.
    return bounded(_EMPHASIS.sub("", text)).strip()


def statements(text: str) -> list[Statement]:
    """Return the answer statements of a plain text in their order; none of them reaches into the next.

    Marks are "the answer is", "Answer:", "the correct option is", a heading "Final answer", ``<answer>``,
    ``\\boxed{...}`` and GSM8K's ``####``. A negated one is none: "I do not think the answer is ...", "the answer
    cannot be ...".
    """
    marks = [mark for mark in _MARK.finditer(text) if mark["hash"] or mark["boxed"] or not _denied(text, mark)]
    starts = [*(mark.start() for mark in marks), len(text)]
    found = []
    for i, mark in enumerate(marks):
        body = text[mark.end() : starts[i + 1]]
        if mark["boxed"]:
            found.append(Statement(mark.start(), "boxed", _until_brace_closes(body).strip(), body))
        else:
            found.append(Statement(mark.start(), "hash" if mark["hash"] else "phrase", body.strip(), body))
    return found


def conclusion(text: str) -> str:
    """Return the last sentence where it draws a conclusion ("Therefore, ..."), else an empty text."""
    last = last_sentence(text)
    return last if _CONCLUDES.match(last) else ""


def last_sentence(text: str) -> str:
    """Return a text from its last sentence or line on."""
    return _BETWEEN_SENTENCES.split(text.strip())[-1]


def first_sentence(text: str) -> str:
    """Return a text up to the end of its first sentence or line."""
    end = _END.search(text)
    return text[: end.start()] if end else text


def _denied(text: str, mark: re.Match[str]) -> bool:
    said = mark[0].rstrip(" \t:")
    # "Answer:" and "<answer>" begin anew; a verb has a sentence before it.
    start = 0 if _VERB.search(said) else mark.start()
    return before(text, mark.start() + len(said), start) is not Stance.AFFIRMED


def _until_brace_closes(text: str) -> str:
    depth = 1
    for brace in _BRACE.finditer(text):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return text[: brace.start()]
    return text
