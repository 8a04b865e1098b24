"""Letters that are English words: A and I are no answers where a sentence goes on with them ("A dog", "I think")."""

from __future__ import annotations

import re

# Only these go on with a letter, as in "A because ...", and another letter of its case, as in "A B C", but not "a B".
_GOES_ON = re.compile(
    r"[ \t]++(?!(?i:because|since|as|is|which|and|or|given|due|but)\b|[A-Za-z](?![\w-]))[^\W\d_]"
    r"|(?<=a)[ \t]++[A-Z](?![\w-])"
)


def is_word(text: str, start: int, end: int) -> bool:
    """Whether a part of a text is an article or a pronoun, and no letter."""
    return text[start:end] in ("A", "a", "I", "i") and _GOES_ON.match(text, end) is not None
