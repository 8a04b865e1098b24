"""The control that repeats what a prompt shows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import Budget, InvalidInput
from llmopt.llm.base import Message, Reply, Request
from llmopt.llm.connect import connect
from llmopt.llm.copier import Copier
from llmopt.llm.prices import FREE, find
from llmopt.opro import OPRO
from llmopt.problems.regression import regression
from llmopt.run import run

PROMPT = "gain=1 at w=-2 b=11\ngain=3 at w=1 b=-2\ngain=9 at w=2 b=-8\ngain=18 at w="
LINES = {("-2", "11"), ("1", "-2"), ("2", "-8")}


def replies(whole: bool, seed: int, n: int = 40) -> list[tuple[str, ...]]:
    [response] = Copier(whole=whole).generate([Request(PROMPT, n=n, seed=seed)])
    return [tuple(reply.text.split(" b=")) for reply in response.replies]


@given(st.integers(0, 999))
def test_it_says_numbers_of_the_prompt_from_one_line_or_from_several(seed: int) -> None:
    assert set(replies(True, seed)) == LINES
    mixed = set(replies(False, seed))
    assert mixed - LINES and {w for w, _ in mixed} <= {"-2", "1", "2"} and {b for _, b in mixed} <= {"11", "-2", "-8"}


def test_a_choice_that_begins_with_a_digit_is_no_number_and_a_decimal_is_one() -> None:
    prompt = "loss=9 at size=3x3 x=0.5 w=1\nloss=3 at size=5x5 x=-2e-05 w=4\nloss=0 at size="
    [response] = Copier().generate([Request(prompt, n=40, seed=1)])
    found = [reply.text.replace("=", " ").split() for reply in response.replies]
    assert {tuple(words[1::2]) for words in found} == {("x", "w")}
    assert [{words[i] for words in found} for i in (0, 2, 4)] == [{"3x3", "5x5"}, {"0.5", "-2e-05"}, {"1", "4"}]


def test_it_reads_no_hint() -> None:
    [response] = Copier().generate([Request(f"# the answer is w=41 b=-37\n{PROMPT}", n=40, seed=1)])
    assert [tuple(reply.text.split(" b=")) for reply in response.replies] == replies(False, 1)
    [response] = Copier().generate([Request("# near w = 1 and b=2\nw=18 b=15\n# the answer is b=3\nw", n=40, seed=1)])
    assert {reply.text for reply in response.replies} == {"=18 b=15"}


@pytest.mark.parametrize("worth", ["gain=3 at ", "loss=1e+300 at ", ""])
@pytest.mark.parametrize("move", ['c="look at me" w=5', 'w=5 c="look at me"', 'gain="3 at 4" w=5', "at=5 w=2"])
def test_a_choice_may_hold_the_word_that_stands_before_a_move(worth: str, move: str) -> None:
    lead, _, rest = move.partition("=")
    [response] = Copier().generate([Request(f"{worth}{move}\n{worth}{lead}=")])
    assert response.replies[0].text == rest


def test_its_replies_follow_from_the_seed() -> None:
    assert replies(False, 7) == replies(False, 7) != replies(False, 70)


def test_it_goes_on_where_the_prompt_ends() -> None:
    [response] = Copier(whole=True).generate([Request("# near w = 18\nw=18 b=15\nw")])
    assert response.replies[0].text == "=18 b=15"


def test_of_a_prompt_without_moves_it_repeats_the_last_line_up_to_a_stop() -> None:
    [response] = Copier().generate([Request("a\n1,1 -> 2,1 ->", stop=("2",), max_tokens=3)])
    assert response.replies == (Reply("1,1", "length"),)


def test_it_holds_no_conversation() -> None:
    with pytest.raises(InvalidInput, match="serializer=moves"):
        Copier().generate([Request((Message("user", "hello"),))])


@pytest.mark.parametrize("spec", ["copier", "copier:lines"])
def test_its_spec_names_it_and_it_is_free(spec: str) -> None:
    llm = connect(spec)
    assert isinstance(llm, Copier) and llm.info.spec == spec and find(spec) == FREE
    with pytest.raises(InvalidInput, match="copier:lines"):
        connect("copier:words")


def test_a_search_of_copies_finds_a_line() -> None:
    result = run(
        regression(w_true=-7, b_true=22),
        OPRO(Copier(whole=True), serializer="moves"),
        Budget(evaluations=805, steps=200),
        seed=0,
    )
    assert result.success and not result.invalid


def test_it_does_not_say_how_likely_a_reply_is() -> None:
    with pytest.raises(InvalidInput, match="copier does not say how likely a given reply is; use a local model"):
        Copier().generate([Request("a", given="b")])
