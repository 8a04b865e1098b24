"""Texts as text: a JSON string on one line, so that no character of a solution can end it early."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Any

from llmopt.errors import DecodeError
from llmopt.opro.codec import READ_LIMIT, Codec, Decoded, bracketed, no_solution
from llmopt.space import Text

_JSON_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')


@cache
def _every_digit() -> str:
    """Return the decimal digits of all scripts as ranges of a character class."""
    zeros = (chr(i) for i in range(sys.maxunicode) if unicodedata.decimal(chr(i), None) == 0)
    return "".join(f"{zero}-{chr(ord(zero) + 9)}" for zero in zeros)


class TextCodec(Codec[str]):
    """The text form of texts.

    ``decode`` reads the last JSON string of a reply, else the last pair of square brackets, else the whole
    reply as one line.

    Examples
    --------
    >>> from llmopt import Text
    >>> codec = TextCodec(Text(max_length=60))
    >>> codec.encode('Say "yes".')
    '"Say \\\\"yes\\\\"."'
    >>> codec.decode('My instruction: "Think first."').solution
    'Think first.'
    """

    lead = '"'

    def __init__(self, space: Text) -> None:
        self.space = space
        self.longest = 2 * space.max_length + 2

    def encode(self, solution: str) -> str:
        return json.dumps(solution, ensure_ascii=False)

    def form(self) -> str:
        return "the text"

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        digits = "" if self.space.digits else _every_digit()
        plain = rf'[^"\\\x00-\x1F\x7F-\x9F{digits}]'
        first = "" if opening else '"\\"" '
        bounds = f"{{{self.space.min_length},{self.space.max_length}}}"
        return f'root ::= {first}character{bounds} "\\""\ncharacter ::= {plain} | "\\\\" ["\\\\nt]\n'

    def schema(self) -> dict[str, Any]:
        return {"type": "string", "minLength": self.space.min_length, "maxLength": self.space.max_length}

    def decode(self, text: str) -> Decoded[str]:
        text = text[-READ_LIMIT:]
        reason: str | None = None
        for candidate in self._candidates(text):
            reason = self.space.violation(candidate)
            if reason is None:
                return Decoded(candidate)
        if reason is None:
            raise no_solution()
        raise DecodeError("the text is not legal: its length, or a character that may not occur")

    def _candidates(self, text: str) -> Iterable[str]:
        strings = _JSON_STRING.findall(text)
        for found in strings[::-1]:
            try:
                yield str(json.loads(found))
            except ValueError:
                continue
        if not strings:
            yield from (content.strip() for content in bracketed(text))
            if line := " ".join(text.split()):
                yield line
