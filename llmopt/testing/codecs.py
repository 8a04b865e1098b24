"""Checks of a codec: its texts, its grammar, its JSON schema and its reader agree."""

from __future__ import annotations

import json
import random
import string
from abc import abstractmethod
from typing import Any

import jsonschema
import pytest
from hypothesis import strategies as st

from llmopt.errors import DecodeError
from llmopt.opro.codec import Codec
from llmopt.space import Float, Space, Vector
from llmopt.testing.checks import Checks, brief, fault
from llmopt.testing.gbnf import Grammar
from llmopt.testing.schemas import values
from llmopt.testing.strategies import members

_SEEDS = st.integers(0, 10_000)
_CHARACTERS = string.ascii_letters + string.digits + " =.,-+\"'[]{}:;\n\u2212\u0663"
_CHANGES = st.lists(st.tuples(st.integers(0, 99), st.sampled_from(["", *_CHARACTERS])), max_size=3)
_HOSTILE = ("", "[" * 3_000, "9" * 5_000, "[1e9999, nan]", "{" * 999 + "}" * 999, "\x00\ud800", "\u0663 \u0664")


class CodecChecks(Checks):
    """What every codec keeps to.

    Examples
    --------
    >>> from llmopt import Int, Vector
    >>> from llmopt.opro import codec_for
    >>> class TestPairs(CodecChecks):
    ...     def space(self):
    ...         return Vector(w=Int(-5, 5), b=Int(-5, 5))
    ...     def make(self):
    ...         return codec_for(self.space())
    >>> TestPairs().test_no_grammar_text_that_is_not_read()
    """

    @abstractmethod
    def space(self) -> Space[Any]:
        """Return the space of the solutions."""

    @abstractmethod
    def make(self) -> Codec[Any]:
        """Return the codec."""

    def schema_value(self, solution: Any) -> Any:
        """Return the JSON value that the schema allows for a solution; by default its JSON form."""
        return self.space().to_json(solution)

    def test_no_loss_in_text(self) -> None:
        space, codec = self.space(), self.make()

        def check(solutions: list[Any]) -> None:
            for solution in solutions:
                text = codec.encode(solution)
                shown = self._read(text, f"the text {brief(text)} of {brief(solution)}")
                if codec.encode(shown) != text:
                    fault(f"{brief(text)} is read as {brief(shown)}, which is written {brief(codec.encode(shown))}")
                if _exact(space, shown) != _exact(space, solution):
                    fault(f"{brief(solution)} is written {brief(text)}, which is read as {brief(shown)}")

        self.for_all(check, solutions=members(space))

    def test_no_text_of_another_form(self) -> None:
        codec = self.make()

        def check(solutions: list[Any]) -> None:
            for text in map(codec.encode, solutions):
                if not text.startswith(codec.lead):
                    fault(f"{brief(text)} does not begin with the lead {codec.lead!r}")
                if len(text) > codec.longest:
                    fault(f"{brief(text)} has {len(text)} characters, and longest says {codec.longest}")

        self.for_all(check, solutions=members(self.space()))

    def test_no_grammar_text_that_is_not_read(self) -> None:
        codec, whole = self.make(), self._grammar()
        tail = self._grammar(codec.lead) if codec.lead else whole

        def check(seed: int, changes: list[tuple[int, str]]) -> None:
            for text in (whole.draw(random.Random(seed)), codec.lead + tail.draw(random.Random(seed))):
                self._read(text, f"the grammar allows {brief(text)}, which")
                if whole.allows(other := _mutated(text, changes)):
                    self._read(other, f"the grammar allows {brief(other)}, which")

        self.for_all(check, seed=_SEEDS, changes=_CHANGES)

    def test_no_solution_that_the_grammar_excludes(self) -> None:
        codec, grammar = self.make(), self._grammar()

        def check(solutions: list[Any]) -> None:
            for text in map(codec.encode, solutions):
                if not grammar.allows(text):
                    fault(f"the grammar does not allow {brief(text)}, the text of a solution")

        self.for_all(check, solutions=members(self.space()))

    def test_no_unknown_solution_that_goes_with_the_known(self) -> None:
        codec, free = self.make(), self._grammar()

        def check(solutions: list[Any]) -> None:
            texts = list(dict.fromkeys(map(codec.encode, solutions)))
            known, others = texts[: len(texts) // 2], texts[len(texts) // 2 :]
            # The nearest texts are the ones that are most likely to go too.
            near = [text[:end] + digit for text in known[:1] for end in (-1, None) for digit in string.digits]
            others += [text for text in near if text not in known]
            written = codec.grammar(known=known)
            if written is None:
                fault(f"with {brief(known)} known nothing is left, not even {brief(others)}")
            grammar = Grammar(written)
            for text in others:
                if free.allows(text) and not grammar.allows(text):
                    fault(f"with {brief(known)} known the grammar does not allow {brief(text)}")

        self.for_all(check, solutions=members(self.space(), most=8))

    def test_no_mutated_text_that_is_misread(self) -> None:
        codec, grammar = self.make(), self._grammar()

        def check(seed: int, changes: list[tuple[int, str]]) -> None:
            drawn = grammar.draw(random.Random(seed))
            # One digit more is what leads out of the space most easily.
            longer = [f"{drawn[:at]}9{drawn[at:]}" for at in range(min(len(drawn), 40) + 1)]
            for text in [_mutated(drawn, changes), *longer]:
                try:
                    solution = codec.decode(text).solution
                except Exception:
                    # That nothing but a DecodeError comes is another check.
                    continue
                if reason := self.space().violation(solution):
                    fault(f"{brief(text)} is read as {brief(solution)}, which is not legal: {reason}")

        self.for_all(check, seed=_SEEDS, changes=_CHANGES)

    def test_no_reply_that_decode_fails_on(self) -> None:
        codec, grammar = self.make(), self._grammar()

        def check(reply: str) -> None:
            try:
                codec.decode(reply)
            except DecodeError:
                return
            except Exception as error:
                raise AssertionError(f"decode fails on {brief(reply)}: {type(error).__name__}: {error}") from error

        def mutated(seed: int, changes: list[tuple[int, str]]) -> None:
            check(_mutated(grammar.draw(random.Random(seed)), changes))

        for reply in _HOSTILE:
            check(reply)
        self.for_all(check, reply=st.text(max_size=80))
        self.for_all(mutated, seed=_SEEDS, changes=_CHANGES)

    def test_no_words_of_the_reply_in_the_reason(self) -> None:
        codec = self.make()

        def check(word: str, solutions: list[Any]) -> None:
            for text in (word, f"[{word}]", f"{codec.lead}{word}", codec.encode(solutions[0]).replace("=", f"={word}")):
                try:
                    codec.decode(text)
                except DecodeError as error:
                    if word in str(error) or len(str(error)) > 100 or "\n" in str(error):
                        fault(f"the reason why {brief(text)} is not read holds the reply's words: {error}")
                except Exception:
                    # That nothing but a DecodeError comes is another check.
                    continue

        words = st.text("qxzjkv", min_size=6, max_size=8)
        self.for_all(check, word=words, solutions=members(self.space(), most=1))

    def test_no_solution_that_the_schema_refuses(self) -> None:
        codec = self.make()
        validator = jsonschema.Draft202012Validator(codec.schema())

        def check(solutions: list[Any]) -> None:
            for solution in solutions:
                value = self.schema_value(solution)
                if not validator.is_valid(value):
                    fault(f"the schema {brief(codec.schema())} does not allow {brief(value)}")
                # As a model writes it: one that obeys the schema writes JSON.
                text = json.dumps(value, ensure_ascii=False)
                self._read(text, f"the schema allows {text}, which")

        self.for_all(check, solutions=members(self.space()))

    def test_no_schema_text_that_is_not_read(self) -> None:
        codec = self.make()

        def check(value: Any) -> None:
            text = json.dumps(value, ensure_ascii=False)
            self._read(text, f"the schema allows {brief(text)}, which")

        try:
            drawn = values(codec.schema())
        except NotImplementedError as error:
            pytest.skip(str(error))
        self.for_all(check, value=drawn)

    def _grammar(self, opening: str = "") -> Grammar:
        text = self.make().grammar(opening=opening)
        if text is None:
            fault("the grammar allows nothing, though nothing is known")
        return Grammar(text)

    def _read(self, text: str, what: str) -> Any:
        """Return the solution in a text that holds one."""
        try:
            solution = self.make().decode(text).solution
        except DecodeError as error:
            fault(f"{what} cannot be read: {error}")
        if reason := self.space().violation(solution):
            fault(f"{what} is read as {brief(solution)}, which is not legal: {reason}")
        return solution


def _exact(space: Space[Any], solution: Any) -> Any:
    """Return the part of a solution that its text shows without loss: all but real numbers, which it may round."""
    if not isinstance(space, Vector):
        return space.key(solution)
    return [repr(solution[name]) for name, kind in space.variables.items() if not isinstance(kind, Float)]


def _mutated(text: str, changes: list[tuple[int, str]]) -> str:
    """Return a text in which characters were put in, replaced and left out."""
    for place, character in changes:
        at = place % (len(text) + 1)
        text = text[:at] + character + text[at + place % 2 :]
    return text
