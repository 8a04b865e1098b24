"""Every codec: round trips, grammar and schema against the parser, free and hostile text."""

import json
import random
import re
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llmopt import Categorical, DecodeError, Float, Int, Permutation, Space, Text, Vector
from llmopt.opro import codec_for
from llmopt.opro.permutation_codec import PermutationCodec
from llmopt.opro.vector_codec import VectorCodec
from support.gbnf import Grammar
from support.strategies import members, permutations, spaces, texts, vectors

WB = Vector(w=Int(-50, 50), b=Int(-50, 50))


def key(space: Space[Any], solution: Any) -> Any:
    return space.key(solution)


@given(spaces, st.integers(0, 99))
def test_a_text_decodes_to_the_solution_it_shows(space: Space[Any], seed: int) -> None:
    codec = codec_for(space)
    for solution in members(space, 4, seed):
        text = codec.encode(solution)
        shown = codec.decode(text).solution
        assert space.violation(shown) is None
        assert text.startswith(codec.lead) and len(text) <= codec.longest
        # What is shown lies on the lattice, where nothing more is lost.
        assert codec.encode(shown) == text
        assert space.key(codec.decode(codec.encode(shown)).solution) == space.key(shown)


@given(st.one_of(permutations, texts, vectors().filter(lambda v: v.size is not None)), st.integers(0, 99))
def test_a_solution_of_finitely_many_values_is_shown_exactly(space: Space[Any], seed: int) -> None:
    codec = codec_for(space)
    if isinstance(space, Vector) and any(
        isinstance(v, Float) and (v.size or 0) > 4_096 for v in space.variables.values()
    ):
        return
    for solution in members(space, 4, seed):
        decoded = codec.decode(codec.encode(solution))
        assert np.array_equal(decoded.solution, solution) if isinstance(space, Permutation) else True
        assert space.key(decoded.solution) == space.key(solution)
        assert decoded.repairs == 0


@given(vectors(), st.integers(0, 99))
def test_the_shown_number_is_near_the_true_one(space: Vector, seed: int) -> None:
    codec = VectorCodec(space)
    for solution in members(space, 3, seed):
        shown = codec.decode(codec.encode(solution)).solution
        for name, variable in space.variables.items():
            if isinstance(variable, Float) and not variable.log:
                assert abs(shown[name] - solution[name]) <= (variable.high - variable.low) / 1_000 + 1e-9
            elif isinstance(variable, Float):
                assert abs(np.log(shown[name] / solution[name])) <= max(0.01, np.log(variable.high / variable.low) / 50)


@given(spaces, st.integers(0, 10**6))
def test_every_text_of_the_grammar_is_a_member(space: Space[Any], seed: int) -> None:
    codec, rng = codec_for(space), random.Random(seed)
    whole, tail = codec.grammar(), codec.grammar(opening=codec.lead)
    assert whole is not None and tail is not None
    for text in (Grammar(whole).draw(rng), codec.lead + Grammar(tail).draw(rng)):
        assert space.violation(codec.decode(text).solution) is None
        assert Grammar(whole).allows(text)


@given(spaces, st.integers(0, 99))
def test_the_grammar_allows_every_encoded_solution(space: Space[Any], seed: int) -> None:
    codec = codec_for(space)
    grammar = Grammar(codec.grammar() or "")
    for solution in members(space, 3, seed):
        assert grammar.allows(codec.encode(solution))


@given(vectors(), st.integers(0, 99))
def test_known_solutions_are_taken_out_of_the_grammar_and_no_others(space: Vector, seed: int) -> None:
    codec = VectorCodec(space)
    written = [codec.encode(s) for s in members(space, 12, seed)]
    known = set(written[:6])
    text = codec.grammar(known=known)
    if text is None:
        assert space.size is not None and space.size <= len(known)
        return
    grammar = Grammar(text)
    assert all(grammar.allows(w) == (w not in known) for w in written)
    assert grammar.draw(random.Random(seed)) not in known


@given(spaces, st.integers(0, 99))
def test_the_schema_accepts_every_solution_and_decode_reads_its_json(space: Space[Any], seed: int) -> None:
    codec = codec_for(space)
    validator = jsonschema.Draft202012Validator(codec.schema())
    for solution in members(space, 3, seed):
        value = space.to_json(solution)
        validator.validate(value)
        if isinstance(space, Text):
            assert codec.decode(json.dumps(value)).solution == solution
        elif isinstance(space, Vector):
            assert space.violation(codec.decode(json.dumps(value, ensure_ascii=False)).solution) is None


@given(spaces, st.text(max_size=200))
@example(WB, "[w=1, b=2")
@example(WB, "w=" + "9" * 5000 + " b=1")
@example(WB, "w=1e9999 b=-1e-9999")
@example(WB, "[" * 5000)
@example(WB, "w=nan b=inf")
@example(WB, "w=\u0663 b=\u0664")
@example(Permutation(4), "99999999999999999999 1 2 3")
def test_any_reply_gives_a_member_or_a_reason_without_the_models_words(space: Space[Any], reply: str) -> None:
    try:
        decoded = codec_for(space).decode(reply)
    except DecodeError as error:
        assert len(str(error)) < 100 and "\n" not in str(error)
        return
    assert space.violation(decoded.solution) is None


@pytest.mark.parametrize(
    ("reply", "solution"),
    [
        ("[w=-3, b=4]", (-3, 4)),
        ("First I thought of [w=1, b=1], but [w=2, b=2] is better.", (2, 2)),
        ("w = 4, b = -7.", (4, -7)),
        ("**w**: 4 and b: 5", (4, 5)),
        ("w: 4\nb: 5", (4, 5)),
        ("The answer is [15, 14]", (15, 14)),
        ('{"w": 3, "b": -2}', (3, -2)),
        ('```json\n{"b": 2, "w": 1}\n```', (1, 2)),
        ("w=1e1, b=2.0", (10, 2)),
        ("[w=\u22123, b=4]", (-3, 4)),
        ("w=99, b=1", None),
        ("w=1.5, b=1", None),
        ("w=1", None),
        ("", None),
        ("`w=3`, `b`=**-4**", (3, -4)),
        ("$w=3$ and $b=4$", (3, 4)),
        ("w=1,5 b=2", None),
        ("__import__('os').system('true')", None),
        ("new=3 b=4", None),
        ("[w=60, b=1] or rather w=6, b=1", (6, 1)),
    ],
)
def test_free_text_is_read_as_a_person_would(reply: str, solution: tuple[int, int] | None) -> None:
    codec = codec_for(WB)
    if solution is None:
        with pytest.raises(DecodeError):
            codec.decode(reply)
    else:
        assert codec.decode(reply).solution == dict(zip("wb", solution, strict=True))


def test_an_unreadable_reply_says_why() -> None:
    codec = codec_for(WB)
    for reply, reason in [("w=99 b=1", "outside -50 .. 50"), ("w=x b=1", "not a number"), ("?", "no solution")]:
        with pytest.raises(DecodeError, match=reason):
            codec.decode(reply)


def test_choices_are_read_whatever_their_case_and_quotes_but_never_mixed_up() -> None:
    codec = codec_for(Vector(c=Categorical("Adam", "SGD with momentum", "a,b")))
    assert codec.decode('c="sgd with momentum"').solution == {"c": "SGD with momentum"}
    assert codec.decode('c="a,b"').solution == {"c": "a,b"}
    mixed = codec_for(Vector(c=Categorical("true", True, None)))
    assert mixed.decode("c=true").solution == {"c": True}
    assert mixed.decode('c="true"').solution == {"c": "true"}


def test_bare_values_are_read_in_the_order_of_the_form_that_was_shown() -> None:
    assert codec_for(WB).decode("[5, 3]").solution == {"w": 5, "b": 3}
    assert VectorCodec(WB).reversed().decode("[5, 3]").solution == {"w": 3, "b": 5}


@pytest.mark.parametrize("choice", ["a\u2013b", "5\u00a0km", "two\u2028lines", "\u2212"])
def test_a_choice_may_be_set_in_type(choice: str) -> None:
    codec = codec_for(Vector(c=Categorical(choice, "other"), w=Int(0, 9)))
    for solution in ({"c": choice, "w": 3}, {"c": "other", "w": 3}):
        assert codec.decode(codec.encode(solution)).solution == solution


def test_a_choice_may_end_in_a_full_stop() -> None:
    space = Vector(c=Categorical("Inc", "Inc.", "a b"), k=Int(0, 9))
    codec = codec_for(space)
    for choice in ("Inc", "Inc.", "a b"):
        solution = {"c": choice, "k": 3}
        assert codec.decode(codec.encode(solution)).solution == solution
    assert codec.decode("c='a b', k=3").solution == {"c": "a b", "k": 3}


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        ('[Explain "why" step by step]', 'Explain "why" step by step'),
        ('["Think first."]', "Think first."),
        ("[Use [brackets] too]", "Use [brackets] too"),
        ('"Think first.', "Think first."),
        ('"', None),
        ('I suggest: "Think first."', "Think first."),
    ],
)
def test_a_text_is_read_from_brackets_quotes_or_the_line(reply: str, text: str | None) -> None:
    codec = codec_for(Text(60))
    if text is None:
        with pytest.raises(DecodeError):
            codec.decode(reply)
    else:
        assert codec.decode(reply).solution == text


def test_a_whole_order_is_meant_rather_than_a_broken_one_after_it() -> None:
    order, repairs = codec_for(Permutation(6)).decode("0 1 2 3 5 4\nlength 3 of 3 and 2")
    assert order.tolist() == [0, 1, 2, 3, 5, 4] and repairs == 0


def test_a_permutation_is_repaired_without_knowledge_of_the_problem_and_repairs_are_counted() -> None:
    codec = codec_for(Permutation(6))
    order, repairs = codec.decode("tour: 5 3 3 1 0")
    assert order.tolist() == [5, 3, 1, 0, 2, 4] and repairs == 3
    with pytest.raises(DecodeError):
        codec.decode("5 3")


@given(permutations, st.integers(0, 99))
def test_letters_stand_for_entries_where_there_are_enough_of_them(space: Permutation, seed: int) -> None:
    codec = PermutationCodec(space, letters=True)
    for solution in members(space, 3, seed):
        text = codec.encode(solution)
        assert re.fullmatch(r"[A-Za-z]( [A-Za-z])*", text)
        decoded = codec.decode(f"a better one is [{text}]")
        assert decoded.repairs == 0 and np.array_equal(decoded.solution, solution)
    grammar = codec.grammar()
    assert grammar is not None
    drawn = codec.decode(Grammar(grammar).draw(random.Random(seed))).solution
    assert space.violation(drawn) is None
    assert PermutationCodec(Permutation(53), letters=True).encode(np.arange(53)).startswith("0 1 2")


def test_the_order_of_writing_does_not_change_what_is_meant() -> None:
    codec = VectorCodec(WB)
    assert codec.reversed().encode({"w": 1, "b": 2}) == "b=2 w=1"
    assert codec.reversed().decode("b=2 w=1").solution == codec.decode("w=1 b=2").solution
    assert list(codec.reversed().decode("b=2 w=1").solution) == ["w", "b"]
