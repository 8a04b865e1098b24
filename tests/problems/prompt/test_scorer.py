"""What a scorer is asked, and how its answers are scored."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput, ModelError
from llmopt.items import ItemScore
from llmopt.llm.base import Request, Response, Take
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.judge import Judge
from llmopt.problems.prompt.metrics import METRICS, by_name
from llmopt.problems.prompt.scorer import Pair, Scorer
from llmopt.problems.prompt.template import POSITIONS, Template
from support.gbnf import Grammar
from support.models import ABLE, FunctionLLM

BASE = replace(ABLE, chat=False)
MOVIE = Example("Which?\nOptions:\n(A) oak\n(B) pear\n(C) elm", "(B)")
SUM = Example("1 + 1?", "2")


def text_of(request: Request) -> str:
    return request.prompt if isinstance(request.prompt, str) else "\n".join(m.content for m in request.prompt)


def scorer(reply: Any = "", position: str = "Q_begin", metric: str = "exact", able: Any = ABLE, **more: Any) -> Scorer:
    llm = FunctionLLM(reply if callable(reply) else lambda request, i: reply, able)
    return Scorer(llm, Template.at(position), by_name(metric), **more)  # type: ignore[arg-type]


def scores(asked: Scorer, pairs: Sequence[Pair]) -> dict[int, ItemScore]:
    found: dict[int, ItemScore] = {}

    def keep(place: int, score: ItemScore) -> None:
        assert place not in found
        found[place] = score

    asked.score(pairs, keep)
    return found


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("able", [ABLE, BASE])
def test_one_greedy_reply_is_asked_for(position: str, able: Any) -> None:
    request = scorer(position=position, able=able, max_tokens=77).request("Think.", SUM)
    assert (request.sampling.temperature, request.n, request.seed, request.max_tokens) == (0.0, 1, None, 77)
    assert request.constraint is None
    assert isinstance(request.prompt, str) == (able is BASE)


def test_a_base_model_goes_on_with_the_text_until_it_asks_itself_a_question() -> None:
    request = scorer(able=BASE).request("Think.", SUM)
    assert request.prompt == "Think.\nQ: 1 + 1?\nA:" and request.stop == ("\nQ:",)
    assert scorer().request("Think.", SUM).stop == ()


@pytest.mark.parametrize("able", [ABLE, BASE])
def test_among_options_one_is_decoded(able: Any) -> None:
    request = scorer(metric="choice", answer="options", able=able).request("", MOVIE)
    assert request.constraint is not None and request.constraint.schema is not None
    assert request.constraint.schema == {"type": "string", "enum": ["(A)", "(B)", "(C)"]}
    assert request.constraint.grammar is not None
    grammar = Grammar(request.constraint.grammar.replace("?", "{0,1}"))
    assert all(grammar.allows(text) for text in ("(A)", "(B)", "(C)"))
    assert not any(grammar.allows(text) for text in ("", "(D)", "(A)(B)", "(A) ", "A"))
    # A base model's next token mostly begins with a space.
    assert grammar.allows(" (A)") == (able is BASE)
    assert request.max_tokens < 20 and request.stop == ()


def test_where_only_a_schema_is_known_there_is_room_for_the_object_around_an_option() -> None:
    able = replace(ABLE, grammar=False)
    request = scorer(metric="choice", answer="options", able=able).request("", MOVIE)
    # No token is shorter than a character.
    assert request.max_tokens >= len(json.dumps({"answer": "(A)"}))


@pytest.mark.parametrize("name", [name for name in METRICS if by_name(name).options(SUM)])
def test_labels_may_be_written_small_or_large_and_each_of_them_is_the_answer(name: str) -> None:
    metric = by_name(name)
    request = scorer(metric=name, answer="options").request("", SUM)
    assert request.constraint is not None and request.constraint.schema is not None
    options = metric.options(SUM)
    spelled = request.constraint.schema["enum"]
    assert set(options) <= set(spelled) and {form.casefold() for form in spelled} == {o.casefold() for o in options}
    for form in spelled:
        right = [option for option in options if metric.score(form, Example("", option))]
        assert [option.casefold() for option in right] == [form.casefold()]


@pytest.mark.parametrize("metric", ["choice", "numeric"])
def test_a_question_without_options_is_an_error_and_no_free_answer(metric: str) -> None:
    asked = scorer(metric=metric, answer="options")
    with pytest.raises(InvalidInput, match=r"1 of 1 have none, such as the one that begins with '1 \+ 1\?'"):
        scores(asked, [("", SUM)])
    assert isinstance(asked.llm, FunctionLLM) and not asked.llm.requests
    assert scorer(metric=metric).request("", SUM).constraint is None


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"answer": "best"}, "answer=best is not legal; choose one of free, options"),
        ({"max_tokens": 0}, "max_tokens=0"),
        ({"max_tokens": True}, "max_tokens=True"),
        ({"answer": "options", "able": replace(ABLE, grammar=False, schema=False)}, "use answer=free"),
    ],
)
def test_an_illegal_setting_is_one_clear_error(more: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        scorer(**more)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("123")), max_size=12),
    st.sampled_from(POSITIONS),
)
def test_every_pair_gets_the_answer_to_its_own_request(pairs: list[tuple[str, str]], position: str) -> None:
    asked = scorer(lambda request, i: text_of(request), position=position)
    whole = [(instruction, Example(f"q{number}", "x")) for instruction, number in pairs]
    found = scores(asked, whole)
    assert [found[i].answer for i in range(len(whole))] == [text_of(asked.request(*pair)) for pair in whole]


@pytest.mark.parametrize("position", POSITIONS)
def test_what_is_read_twice_is_sent_together(position: str) -> None:
    asked = scorer("x", position=position)
    pairs = [(instruction, Example(f"q{i}", "x")) for instruction in "abc" for i in range(4)]
    scores(asked, pairs)
    assert isinstance(asked.llm, FunctionLLM)
    sent = [text_of(request) for request in asked.llm.requests]
    expected = [text_of(asked.request(*pair)) for pair in pairs]
    if position in ("Q_end", "A_begin"):
        expected = [text_of(asked.request(*pairs[4 * row + column])) for column in range(4) for row in range(3)]
    assert sent == expected


def test_an_answer_is_handed_over_as_soon_as_it_is_there() -> None:
    class Failing(FunctionLLM):
        def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
            for i, request in enumerate(requests[:2]):
                take(i, 0, super().generate([request])[0])
            raise ModelError("gone")

    asked = Scorer(Failing(lambda request, i: "2"), Template.at("Q_end"), by_name("exact"))
    found: dict[int, ItemScore] = {}
    with pytest.raises(ModelError, match="gone"):
        asked.score([("a", SUM), ("b", MOVIE), ("c", SUM)], found.__setitem__)
    # Question first: both instructions of the first question come before the second question.
    assert found == {0: ItemScore(1.0, "2"), 2: ItemScore(1.0, "2")}


@pytest.mark.parametrize(("reply", "score"), [("2", 1.0), (" 2 \n", 1.0), ("3", 0.0), ("", 0.0), (" \n", 0.0)])
def test_an_answer_is_kept_without_the_space_around_it(reply: str, score: float) -> None:
    assert scores(scorer(reply), [("", SUM)]) == {0: ItemScore(score, reply.strip())}


def test_a_scorer_that_says_nothing_is_an_error_and_not_a_search_among_zeros() -> None:
    pairs = [("Think.", Example(f"{i} + 1?", "2")) for i in range(20)]
    kept: dict[int, ItemScore] = {}
    with pytest.raises(ModelError, match="gave an empty answer to all of 20 questions"):
        scorer(" ").score(pairs, kept.__setitem__)
    assert kept == dict.fromkeys(range(20), ItemScore(0.0, ""))
    assert len(scores(scorer(" "), pairs[1:])) == 19
    once = iter(["2", *[""] * 19])
    assert len(scores(scorer(lambda request, i: next(once)), pairs)) == 20


def test_a_scorer_that_says_nothing_is_noticed_a_few_answers_at_a_time() -> None:
    asked = scorer("")
    examples = [Example(f"{i} + 1?", "2") for i in range(20)]
    for start in range(0, 15, 5):
        scores(asked, [("Think.", example) for example in examples[start : start + 5]])
    with pytest.raises(ModelError, match="gave an empty answer to all of 20 questions"):
        scores(asked, [("Think.", example) for example in examples[15:]])
    # Each run begins anew.
    assert len(scores(replace(asked, llm=asked.llm), [("Think.", examples[0])])) == 1


def test_what_was_judged_is_kept_when_the_scorer_fails_later() -> None:
    asked: list[Request] = []

    def fails_at_last(request: Request, i: int) -> str:
        asked.append(request)
        if len(asked) > 70:
            raise ModelError("out of order")
        return "two"

    judge = Judge(FunctionLLM(lambda request, i: "yes"))
    found: dict[int, ItemScore] = {}
    with pytest.raises(ModelError, match="out of order"):
        scorer(fails_at_last, judge=judge).score([(str(i), SUM) for i in range(200)], found.__setitem__)
    assert len(found) == 64 and {score.score for score in found.values()} == {1.0}
