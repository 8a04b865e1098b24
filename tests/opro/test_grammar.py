"""Grammars of finite languages, with known texts taken out."""

import random
from collections.abc import Iterable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from llmopt.opro.grammar import Language, SequenceGrammar, enclosed, fixed_decimal, literal, quote, whole_numbers
from support.gbnf import Grammar


def sequence_grammar(parts: Sequence[str | Language], known: Iterable[str] = ()) -> str | None:
    return SequenceGrammar(parts).without(known)


def parsed(text: str | None) -> Grammar:
    assert text is not None
    return Grammar(text)


@given(st.integers(-2_000, 2_000), st.integers(0, 300), st.integers(0, 3))
def test_a_range_of_numbers_allows_its_members_and_nothing_else(low: int, more: int, decimals: int) -> None:
    grammar = parsed(sequence_grammar([whole_numbers(low, low + more, decimals)]))
    for number in range(low - 3, low + more + 4):
        assert grammar.allows(fixed_decimal(number, decimals)) == (low <= number <= low + more)
    assert not grammar.allows("-0") and not grammar.allows("00") and not grammar.allows("")


@given(st.integers(-(10**9), 10**9), st.integers(0, 10**9))
def test_a_grammar_of_many_numbers_is_short(low: int, more: int) -> None:
    text = sequence_grammar([whole_numbers(low, low + more)])
    assert text is not None
    assert len(text.splitlines()) < 120


pairs = st.tuples(st.integers(-12, 12), st.integers(-12, 12))


@given(st.sets(pairs, max_size=80))
def test_exactly_the_known_texts_are_taken_out(known: set[tuple[int, int]]) -> None:
    numbers = whole_numbers(-12, 12)
    grammar = parsed(sequence_grammar(["w=", numbers, " b=", numbers], [f"w={w} b={b}" for w, b in known]))
    for w in range(-12, 13):
        for b in range(-12, 13):
            assert grammar.allows(f"w={w} b={b}") == ((w, b) not in known)


def test_where_every_text_is_known_there_is_no_grammar() -> None:
    assert sequence_grammar([whole_numbers(0, 2)], ["0", "1", "2"]) is None


def test_a_known_text_outside_the_language_changes_nothing() -> None:
    free = sequence_grammar(["w=", whole_numbers(0, 9)])
    grammar = parsed(sequence_grammar(["w=", whole_numbers(0, 9)], ["w=77", "b=3", ""]))
    assert all(grammar.allows(f"w={i}") == parsed(free).allows(f"w={i}") for i in range(12))


@given(st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=5, unique=True), st.integers(0, 9))
def test_any_text_can_be_a_literal(texts: list[str], seed: int) -> None:
    grammar = parsed(sequence_grammar([frozenset(map(literal, texts))]))
    assert all(grammar.allows(text) for text in texts)
    assert grammar.draw(random.Random(seed)) in texts


def test_enclosing_puts_fixed_texts_around() -> None:
    grammar = parsed(enclosed("root ::= [0-9]\n", "[", "]\n"))
    assert grammar.allows("[7]\n") and not grammar.allows("7")
    assert parsed(enclosed("root ::= [0-9]\n", "", "!")).allows("7!")


@given(st.text(max_size=10))
def test_a_quoted_text_stays_on_one_line(text: str) -> None:
    assert "\n" not in quote(text)
