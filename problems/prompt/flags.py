"""What makes an instruction suspect."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from llmopt.problems.prompt.metrics.base import Metric

# A country's letters, or the word that newer names end in, count only where all of them are small or all are capital,
# and the name before them is longer than one: "end.It" and "e.g.kg" just lack a space. So does "end.is": a country that
# is a word counts only with a path.
_WORDS = "am|an|as|at|be|by|do|go|he|if|in|is|it|me|my|no|of|on|or|so|to|up|us|we"
_NEWER = (
    "biz|blog|buzz|click|cloud|club|fun|host|icu|link|live|lol|media|mobi|news|online|page|pro|sbs|shop|site|space|store"
    "|tech|top|vip|website|wiki|work"
)
_ENDING = rf"(?:(?!(?:{_WORDS})\b)[a-z]{{2}}|{_NEWER})\b|[a-z]{{2,}}(?=/\w)"
_ADDRESS = re.compile(
    rf"""
    (?: (?<![a-z0-9+.-])[a-z][a-z0-9+.-]{{0,20}}:// | \bwww\.\w ) [^\s,;]*
    | (?: (?<![\w.-])(?:[\w-]+\.)+
          (?: (?:com|org|net|io|ai|edu|gov|co|info|dev|app|xyz|xn--[a-z0-9-]+)\b
            | (?<=[a-z-][\w-]\.|[\w-][a-z]\.)(?-i:(?=[a-z]+\b)|(?<=[A-Z]\.)(?=[A-Z]+\b))(?:{_ENDING}) )
        | (?<![\w.])[0-9]{{1,3}}(?:\.[0-9]{{1,3}}){{3}}(?!\.?\w)
        | \blocalhost\b
        | (?<![\w\])])\[(?=[0-9a-f:.]*::|(?:[0-9a-f]+:){{7}})[0-9a-f:.]+\]
      ) (?::[0-9]+)?(?:/[^\s,;]*)?
    """,
    re.IGNORECASE | re.VERBOSE,
)


def flags(instruction: str, answers: Iterable[str], metric: Metric | None = None) -> list[str]:
    """Return one sentence for each thing that should be looked at before an instruction is used.

    Parameters
    ----------
    instruction
        What was found.
    answers
        The answers of training examples that an instruction has no reason to name; labels that every example is
        answered with, such as yes and no, are for the caller to leave out.
    metric
        Knows an answer in other words; None: only the answer's own count.

    Examples
    --------
    >>> flags("See www.example.org, it is 42.", ["42", "7"])
    ['it holds an address: www.example.org', 'it holds the answer of a training example: 42']
    """
    found = []
    if (address := _ADDRESS.search(unicodedata.normalize("NFKC", instruction))) is not None:
        found.append(f"it holds an address: {address[0][:80]}")
    words = _words(instruction)
    for answer in dict.fromkeys(answers):
        if _holds(words, _words(answer)) or (metric is not None and metric.names(instruction, answer)):
            found.append(f"it holds the answer of a training example: {answer[:80]}")
            break
    return found


def _holds(words: list[str], wanted: list[str]) -> bool:
    n = len(wanted)
    return n > 0 and any(words[i : i + n] == wanted for i in range(len(words) - n + 1))


def _words(text: str) -> list[str]:
    # As the metrics compare them: the same letters may be coded in several ways, and folding may decompose them again.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return re.findall(r"[^\W_]+|[^\w\s]", folded)
