"""Other text forms of vectors than the default's ``w=15 b=14``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from llmopt.opro import OPRO
from llmopt.opro.codec import Codec, Decoded
from llmopt.opro.grammar import DIGIT, Language, Range, SequenceGrammar
from llmopt.opro.lattice import TextForm
from llmopt.opro.vector_codec import VectorCodec
from llmopt.space import Space, Vector

_BETWEEN_DIGITS = re.compile(rf"(?<=[{DIGIT}0-9])(?=[{DIGIT}0-9])")
_SPACE_BETWEEN_DIGITS = re.compile(r"(?<=\d) (?=\d)")


class BareCodec(VectorCodec):
    """Values without their names: ``(15 14)``. The bracket opens the text, since no prompt should end with a space."""

    def __init__(self, space: Vector, *, order: Sequence[str] | None = None) -> None:
        super().__init__(space, order=order)
        self.lead = "("

    def reversed(self) -> BareCodec:
        return BareCodec(self.space, order=self.order[::-1])

    def encode(self, solution: dict[str, Any]) -> str:
        return f"({super().encode(solution)})"

    def written(self, name: str, value: Any) -> str:
        return super().written(name, value).removeprefix(f"{name}=")

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        values = text.rpartition("(")[2].partition(")")[0].split()
        return super().decode(" ".join(f"{name}={value}" for name, value in zip(self.order, values, strict=False)))

    def _grammar(self, opening: str) -> SequenceGrammar:
        languages = [form.language for form in self._forms.values()]
        between: list[str | Language] = [part for language in languages for part in (" ", language)][1:]
        return SequenceGrammar(["(".removeprefix(opening), *between, ")"])


class DigitsApartCodec(VectorCodec):
    """The digits of values apart, so that each is a token of its own: ``w=1 5, b=1 4``."""

    def __init__(self, space: Vector, *, order: Sequence[str] | None = None) -> None:
        super().__init__(space, order=order)
        self._forms = {name: _apart(form) for name, form in self._forms.items()}
        self.longest = sum(len(name) + 3 + form.longest for name, form in self._forms.items())

    def reversed(self) -> DigitsApartCodec:
        return DigitsApartCodec(self.space, order=self.order[::-1])

    def encode(self, solution: dict[str, Any]) -> str:
        return ", ".join(self.written(name, solution[name]) for name in self.order)

    def decode(self, text: str) -> Decoded[dict[str, Any]]:
        return super().decode(_SPACE_BETWEEN_DIGITS.sub("", text))

    def _grammar(self, opening: str) -> SequenceGrammar:
        # Not a space: it would go on with the digits before it.
        parts = [part for name, form in self._forms.items() for part in (f", {name}=", form.language)]
        return SequenceGrammar([self.lead.removeprefix(opening), *parts[1:]])


def _apart(form: TextForm) -> TextForm:
    return replace(
        form,
        language=frozenset(Range(*(_BETWEEN_DIGITS.sub(" ", text) for text in texts)) for texts in form.language),
        encode=lambda value: _BETWEEN_DIGITS.sub(" ", form.encode(value)),
    )


class Bare(OPRO):
    """Solutions as values without names."""

    def codecs(self, space: Space[Any]) -> list[Codec[Any]]:
        assert isinstance(space, Vector)
        codec = BareCodec(space)
        return [codec, codec.reversed()]


class DigitsApart(OPRO):
    """Solutions whose digits stand apart."""

    def codecs(self, space: Space[Any]) -> list[Codec[Any]]:
        assert isinstance(space, Vector)
        codec = DigitsApartCodec(space)
        return [codec, codec.reversed()]
