"""What a scorer is asked, and how its answers are scored."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput, ModelError
from llmopt.items import ItemScore
from llmopt.llm.base import Reply, Request, Response, Take
from llmopt.llm.local import LocalLLM
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


LIKELY = replace(ABLE, logprobs=True)


def told(logprobs: dict[str, float]) -> Any:
    """A model that finds given replies as likely as a table has it."""
    return lambda request, i: Reply(request.given, logprob=logprobs.get(request.given.strip(), -50.0))


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("able", [LIKELY, replace(LIKELY, chat=False)])
def test_for_likelihoods_each_spelling_of_each_option_is_given(position: str, able: Any) -> None:
    space = "" if able.chat else " "
    metric = by_name("labels", ["good", "bad", "OK"])
    asked = Scorer(FunctionLLM(told({}), able), Template.at(position), metric, "likelihood")  # type: ignore[arg-type]
    free, decoded = (replace(asked, answer=answer).request("Think.", SUM) for answer in ("free", "options"))
    requests = asked.requests("Think.", SUM)
    assert decoded.constraint is not None and decoded.constraint.schema is not None
    spelled = decoded.constraint.schema["enum"]
    assert {"good", "Good", "bad", "Bad", "OK"} <= set(spelled)
    assert [request.given for request in requests] == [space + form for form in spelled]
    for request in requests:
        assert (request.prompt, request.n, request.sampling) == (free.prompt, 1, free.sampling)
        assert request.constraint is None and request.stop == () and request.given is not None
        assert request.max_tokens >= len(request.given)
    lettered = scorer(told({}), metric="choice", answer="likelihood", able=able).requests("", MOVIE)
    assert [request.given for request in lettered] == [f"{space}({letter})" for letter in "ABC"]


def test_a_text_that_ends_with_space_goes_on_without() -> None:
    llm = FunctionLLM(told({}), replace(LIKELY, chat=False))
    asked = Scorer(llm, Template("{instruction} {input}\nA: "), by_name("choice"), "likelihood")
    assert asked.requests("", MOVIE)[0].given == "(A)"


@pytest.mark.parametrize(
    ("logprobs", "answer"),
    [
        ({"(A)": -3.0, "(B)": -1.0, "(C)": -2.0}, "(B)"),
        # The first of equals.
        ({"(A)": -3.0, "(B)": -2.0, "(C)": -2.0}, "(B)"),
        # No probability is so small that it counts as none.
        ({"(A)": -3000.0, "(B)": -2000.0, "(C)": -1999.0}, "(C)"),
    ],
)
def test_the_likeliest_option_is_the_answer(logprobs: dict[str, float], answer: str) -> None:
    asked = scorer(told(logprobs), metric="choice", answer="likelihood", able=LIKELY)
    assert scores(asked, [("", MOVIE)]) == {0: ItemScore(float(answer == "(B)"), answer)}


def test_an_option_is_as_likely_as_all_its_spellings_together() -> None:
    logprobs = {"bad": -0.8, "Bad": -9.0, "good": -1.0, "Good": -1.0}
    llm, metric = FunctionLLM(told(logprobs), LIKELY), by_name("labels", ["bad", "good"])
    asked = Scorer(llm, Template.at("Q_begin"), metric, "likelihood")
    assert scores(asked, [("", Example("How is it?", "good"))]) == {0: ItemScore(1.0, "good")}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=6), st.randoms(use_true_random=False))
def test_a_score_is_handed_over_once_when_all_options_of_its_pair_are_answered(
    numbers: list[tuple[str, int]], random: Any
) -> None:
    class Shuffled(FunctionLLM):
        def deliver(self, requests: Sequence[Request], take: Take) -> list[Response]:
            responses = self.generate(requests)
            for i in random.sample(range(len(requests)), len(requests)):
                take(i, 0, responses[i])
                answered[text_of(requests[i])] = answered.get(text_of(requests[i]), 0) + 1
            return responses

    def reply(request: Request, i: int) -> Reply:
        letter = "ABC"[int(text_of(request).split("number ")[1][0]) % 3]
        return Reply(request.given or "", logprob=-1.0 if request.given == f"({letter})" else -2.0)

    answered: dict[str, int] = {}
    examples = [Example(f"number {i}?\n(A) x\n(B) y\n(C) z", "(B)") for i in range(4)]
    pairs = [(instruction, examples[i]) for instruction, i in dict.fromkeys(numbers)]
    asked = Scorer(Shuffled(reply, LIKELY), Template.at("Q_begin"), by_name("choice"), "likelihood")
    found: dict[int, ItemScore] = {}

    def keep(place: int, score: ItemScore) -> None:
        assert place not in found
        # The third of its requests is being answered.
        assert answered[text_of(asked.requests(*pairs[place])[0])] == 2
        found[place] = score

    asked.score(pairs, keep)
    letters = ["ABC"[int(example.input[7]) % 3] for _, example in pairs]
    assert [found[i] for i in range(len(pairs))] == [ItemScore(float(x == "B"), f"({x})") for x in letters]


def test_a_judge_reads_the_likeliest_option() -> None:
    judge = Judge(FunctionLLM(lambda request, i: "yes" if "(C)" in text_of(request) else "no"))
    asked = scorer(told({"(C)": -1.0}), metric="choice", answer="likelihood", able=LIKELY, judge=judge)
    assert scores(asked, [("", MOVIE)])[0].answer == "(C)"


@pytest.mark.parametrize(
    ("metric", "example", "words"),
    [
        ("choice", SUM, "answer=likelihood needs the options of every example, and 1 of 1 have none"),
        ("labels", Example("How many?", "1"), "cannot choose '10', which begins with the option '1' and is never"),
    ],
)
def test_options_that_cannot_be_compared_are_one_clear_error(metric: str, example: Example, words: str) -> None:
    judged = by_name(metric, ["1", "2", "10"])
    llm = FunctionLLM(told({}), LIKELY)
    with pytest.raises(InvalidInput, match=words):
        scores(Scorer(llm, Template.at("Q_begin"), judged, "likelihood"), [("", example)])
    assert not llm.requests


def test_a_model_that_says_no_likelihood_is_refused_or_noticed() -> None:
    with pytest.raises(InvalidInput, match="which test:function does not; use answer=options, or a local model"):
        scorer(answer="likelihood", metric="choice", able=ABLE)
    silent = scorer(lambda request, i: request.given, answer="likelihood", metric="choice", able=LIKELY)
    with pytest.raises(ModelError, match="did not say how likely"):
        scores(silent, [("", MOVIE)])


@pytest.mark.model
def test_a_real_model_answers_with_the_option_that_it_finds_likeliest(local_llm: LocalLLM) -> None:
    labels = ["Yes", "No"]
    questions = ["Is the sky blue?", "Is fire cold?", "Is water dry?", "Do dogs bark?"]
    examples = [Example(f"{question} Answer yes or no.", "Yes") for question in questions]
    chosen, decoded = (
        Scorer(local_llm, Template.at("Q_begin"), by_name("labels", labels), answer)
        for answer in ("likelihood", "options")
    )
    found = scores(chosen, [("", example) for example in examples])
    greedy = scores(decoded, [("", example) for example in examples])
    for i, example in enumerate(examples):
        requests = chosen.requests("", example)
        assert [request.given for request in requests] == [" Yes", " No"]
        logprobs = [response.replies[0].logprob for response in local_llm.generate(requests)]
        shares = [math.exp(logprob) for logprob in logprobs if logprob is not None]
        assert len(shares) == 2 and sum(shares) <= 1.0
        # Each option is one token, so that nothing but its likelihood decides under a grammar either.
        assert found[i].answer == labels[shares.index(max(shares))] == greedy[i].answer
