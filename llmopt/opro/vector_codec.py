"""Vectors as text: ``w=15 b=14``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from llmopt.errors import DecodeError
from llmopt.opro.codec import Codec, Decoded, bracketed, cleaned, json_objects, no_solution
from llmopt.opro.grammar import Language, SequenceGrammar
from llmopt.opro.lattice import text_form
from llmopt.space import Vector

# Marks of emphasis and code before a value are passed over. No number is cut at a decimal comma.
_VALUE = r"""[*`$]*("(?:[^"\\]|\\.)*"|'[^']*'|[^\s,;\[\]{}()"'*`$]++(?!,\d))"""


class VectorCodec(Codec[dict[str, Any]]):
    """The text form of vectors.

    Parameters
    ----------
    space
        The vectors.
    order
        The variables in the order in which they are written; by default as declared.
    resolution
        See :func:`llmopt.opro.codec.codec_for`.

    Examples
    --------
    >>> from llmopt import Float, Int, Vector
    >>> codec = VectorCodec(Vector(w=Int(-50, 50), x=Float(0, 1)))
    >>> codec.encode({"w": 15, "x": 0.12345})
    'w=15 x=0.123'
    >>> codec.decode("I would try [w = -3, x: 1e-1] next.").solution
    {'w': -3, 'x': 0.1}
    """

    def __init__(self, space: Vector, *, order: Sequence[str] | None = None, resolution: int = 1_000) -> None:
        self.space = space
        self.resolution = resolution
        self.order = tuple(order or space.variables)
        self._forms = {name: text_form(space.variables[name], resolution) for name in self.order}
        self.lead = f"{self.order[0]}="
        self.longest = sum(len(name) + 2 + form.longest for name, form in self._forms.items())
        self._grammars: dict[str, SequenceGrammar] = {}
        # A name counts only where it is not the end of a longer word.
        self._pairs = {
            name: re.compile(rf"(?<![\w.\-])[\"'*`]*{re.escape(name)}[\"'*`]*\s*[=:][*`]*\s*{_VALUE}")
            for name in self.order
        }

    def reversed(self) -> VectorCodec:
        """Return the codec that writes the variables in the opposite order."""
        return VectorCodec(self.space, order=self.order[::-1], resolution=self.resolution)

    def encode(self, solution: dict[str, Any]) -> str:
        return " ".join(self.written(name, solution[name]) for name in self.order)

    def written(self, name: str, value: Any) -> str:
        """Return the text of one variable."""
        return f"{name}={self._forms[name].encode(value)}"

    def form(self) -> str:
        return ", ".join(f"{name}=..." for name in self.order)

    def grammar(self, *, opening: str = "", known: Iterable[str] = ()) -> str | None:
        if opening not in self._grammars:
            self._grammars[opening] = self._grammar(opening)
        return self._grammars[opening].without(text.removeprefix(opening) for text in known)

    def _grammar(self, opening: str) -> SequenceGrammar:
        parts: list[str | Language] = []
        for i, (name, form) in enumerate(self._forms.items()):
            parts += [f"{' ' if i else ''}{name}=", form.language]
        first = parts[0]
        assert isinstance(first, str)
        return SequenceGrammar([first.removeprefix(opening), *parts[1:]])

    def schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {name: form.schema for name, form in self._forms.items()},
            "required": list(self.order),
            "additionalProperties": False,
        }

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        text = cleaned(text)
        reason: DecodeError | None = None
        for candidate in self._candidates(text):
            try:
                values = {name: self._forms[name].decode(value) for name, value in candidate.items()}
            except DecodeError as error:
                reason = reason or error
                continue
            return Decoded({name: values[name] for name in self.space.variables})
        raise reason or no_solution()

    def _candidates(self, text: str) -> Iterable[dict[str, str]]:
        """Yield texts of all values in the order of trust: brackets, JSON, pairs, the last of each first."""
        for content in bracketed(text):
            if pairs := self._named(content):
                yield pairs
            elif len(values := [v.strip() for v in content.split(",")]) == len(self.order) and all(values):
                yield dict(zip(self.order, values, strict=True))
        for found in json_objects(text):
            if set(found) == set(self.order):
                yield {name: _json_text(value) for name, value in found.items()}
        # The last line that names every variable, then the last mention of each anywhere.
        for line in reversed(text.splitlines()):
            if pairs := self._named(line):
                yield pairs
        if pairs := self._named(text):
            yield pairs

    def _named(self, text: str) -> dict[str, str] | None:
        values = {}
        for name, pattern in self._pairs.items():
            found = pattern.findall(text)
            if not found:
                return None
            # A full stop or closing mark after a value belongs to the sentence.
            values[name] = found[-1] if found[-1].startswith('"') else found[-1].rstrip(".:!?'*`")
        return values


def _json_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
