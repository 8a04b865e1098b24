"""Texts as text: a JSON string on one line, so that no character of a solution can end it early."""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

from llmopt.errors import DecodeError
from llmopt.opro.codec import Codec, Decoded, no_solution
from llmopt.space import Text

_JSON_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')


@cache
def _every_digit() -> str:
    """Return the decimal digits of all scripts as ranges of a character class."""
    zeros = (chr(i) for i in range(sys.maxunicode) if unicodedata.decimal(chr(i), None) == 0)
    return "".join(f"{zero}-{chr(ord(zero) + 9)}" for zero in zeros)


class TextCodec(Codec[str]):
    """The text form of texts.

    ``decode`` reads a reply that is one JSON string, else what the last square brackets hold, else the last
    JSON string, else the whole reply as one line.

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
        # Enough for a solution and the words around it; the patterns below take quadratic time at worst.
        text = text[-(2 * self.longest + 500) :].strip()
        reason: str | None = None
        for candidate in self._candidates(text):
            reason = self.space.violation(candidate)
            if reason is None:
                return Decoded(candidate)
        if reason is None:
            raise no_solution()
        raise DecodeError("the text is not legal: its length, or a character that may not occur")

    def _candidates(self, text: str) -> Iterable[str]:
        if _JSON_STRING.fullmatch(text):
            yield from _read(text)
            return
        if (content := _last_bracket(text)) is not None:
            yield from _read(content) if _JSON_STRING.fullmatch(content) else [content]
            return
        if strings := _JSON_STRING.findall(text):
            for found in reversed(strings):
                yield from _read(found)
        # A reply that continues an opening quote and never closes it.
        elif line := " ".join(text.removeprefix('"').split()):
            yield line


def _read(text: str) -> Iterable[str]:
    with suppress(ValueError):
        yield str(json.loads(text))


def _last_bracket(text: str) -> str | None:
    """Return what the last outermost square brackets hold."""
    end, depth = text.rfind("]"), 0
    for i in range(end, -1, -1):
        depth += (text[i] == "]") - (text[i] == "[")
        if depth == 0:
            return text[i + 1 : end].strip()
    return None
