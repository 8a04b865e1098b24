"""The reply cache: what is kept, what is asked for, and what it costs."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import Constraint, Message, ModelInfo, Request, Response, Sampling, Usage
from llmopt.llm.base import Reply
from llmopt.llm.cache import Cached
from support.counting import REQUEST, CountingLLM, texts
from support.models import FunctionLLM


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "replies.sqlite"


def test_a_repeated_request_is_free(path: Path) -> None:
    with Cached(CountingLLM(), path) as llm:
        [first] = llm.generate([REQUEST])
        assert first.usage == Usage(1, 10, 0, 3)
        assert llm.hits == 0
        [second] = llm.generate([REQUEST])
        assert second == Response(first.replies, Usage())
        assert llm.hits == 3
    again = CountingLLM()
    with Cached(again, path) as llm:
        assert llm.generate([REQUEST]) == [second]
    assert again.requests == []


def test_a_request_for_more_is_topped_up(path: Path) -> None:
    inner = CountingLLM()
    with Cached(inner, path) as llm:
        three = texts(llm)
        [more] = llm.generate([replace(REQUEST, n=8)])
        assert [reply.text for reply in more.replies[:3]] == three
        assert more.usage == Usage(1, 10, 0, 5)
        assert texts(llm, replace(REQUEST, n=2)) == three[:2]
    assert inner.requests == [REQUEST, replace(REQUEST, n=5, seed=10)]


def test_gaps_are_filled_each_with_its_own_seeds(path: Path) -> None:
    inner = CountingLLM()
    with Cached(inner, path) as llm:
        texts(llm, replace(REQUEST, n=6))
        with sqlite3.connect(path) as connection:
            connection.execute("DELETE FROM replies WHERE sample IN (0, 3, 4)")
        connection.close()
        inner.requests.clear()
        [response] = llm.generate([replace(REQUEST, n=7)])
    assert [(request.seed, request.n) for request in inner.requests] == [(7, 1), (10, 2), (13, 1)]
    assert [reply.text for reply in response.replies] == [f"reply {i}" for i in (6, 1, 2, 7, 8, 5, 9)]
    assert response.usage == Usage(3, 30, 0, 4)


def test_another_draw_gives_new_replies(path: Path) -> None:
    inner = CountingLLM()
    with Cached(inner, path) as one, Cached(inner, path, "other") as other:
        assert not set(texts(one)) & set(texts(other))
        assert texts(one) == texts(one)
        assert texts(other) == texts(other)


def test_neighbouring_seeds_share_nothing(path: Path) -> None:
    with Cached(CountingLLM(), path) as llm:
        assert not set(texts(llm)) & set(texts(llm, replace(REQUEST, seed=8)))


def test_at_temperature_0_there_is_one_reply_whatever_the_seed(path: Path) -> None:
    greedy = replace(REQUEST, sampling=Sampling(temperature=0))
    inner = CountingLLM()
    with Cached(inner, path) as llm, Cached(inner, path, "other") as other:
        [response] = llm.generate([greedy])
        assert [reply.text for reply in response.replies] == ["reply 0"] * 3
        assert response.usage == Usage(1, 10, 0, 1)
        for request in (replace(greedy, n=1), replace(greedy, seed=None), replace(greedy, seed=8, n=2)):
            assert set(texts(llm, request)) == set(texts(other, request)) == {"reply 0"}
    assert len(inner.requests) == 1


def test_without_a_seed_nothing_is_kept(path: Path) -> None:
    loose = replace(REQUEST, seed=None)
    inner = CountingLLM()
    with Cached(inner, path) as llm:
        assert not set(texts(llm, loose)) & set(texts(llm, loose))
        assert llm.hits == 0
        responses = llm.generate([loose, REQUEST, loose])
        assert [response.usage.calls for response in responses] == [1, 1, 1]
        assert llm.generate([REQUEST, loose])[0].replies == responses[1].replies


def test_the_same_request_twice_in_a_batch_is_paid_for_once(path: Path) -> None:
    inner = CountingLLM()
    with Cached(inner, path) as llm:
        few, many, few_again = llm.generate([REQUEST, replace(REQUEST, n=5), REQUEST])
        assert inner.requests == [replace(REQUEST, n=5)]
        assert few.replies == few_again.replies == many.replies[:3]
        assert few.usage.plus(many.usage).plus(few_again.usage) == Usage(1, 10, 0, 5)
        assert llm.hits == 6


DIFFERENT = [
    replace(REQUEST, prompt="another"),
    replace(REQUEST, prompt=(Message("user", "a prompt"),)),
    replace(REQUEST, prompt=(Message("system", "a prompt"),)),
    replace(REQUEST, seed=6),
    replace(REQUEST, max_tokens=65),
    replace(REQUEST, stop=("x",)),
    replace(REQUEST, constraint=Constraint(grammar="x")),
    replace(REQUEST, constraint=Constraint(schema={"a": 1, "b": 2})),
    replace(REQUEST, constraint=Constraint(schema={"b": 2, "a": 1})),
    replace(REQUEST, sampling=Sampling(temperature=0.5)),
    replace(REQUEST, sampling=Sampling(top_p=0.5)),
    replace(REQUEST, sampling=Sampling(top_k=5)),
    replace(REQUEST, sampling=Sampling(min_p=0.5)),
]


def test_whatever_an_answer_depends_on_tells_requests_apart(path: Path) -> None:
    with Cached(CountingLLM(), path) as llm:
        answers = [texts(llm, request) for request in [REQUEST, *DIFFERENT]]
        assert len(set(itertools.chain(*answers))) == 3 * len(answers)
        assert [texts(llm, request) for request in [REQUEST, *DIFFERENT]] == answers


def test_what_it_does_not_depend_on_does_not(path: Path) -> None:
    schema = {"a": [1, {"b": 2}]}
    same = [
        replace(REQUEST, constraint=Constraint(schema=schema), sampling=Sampling(1.0)),
        replace(REQUEST, constraint=Constraint(schema=MappingProxyType(schema)), sampling=Sampling(1)),
    ]
    with Cached(CountingLLM(), path) as llm:
        assert texts(llm, same[0]) == texts(llm, same[1])


def test_models_are_told_apart_by_spec_and_details(path: Path) -> None:
    infos = [
        ModelInfo("local:a", {"sha256": "1", "file": "x"}),
        ModelInfo("local:a", {"sha256": "2", "file": "x"}),
        ModelInfo("local:b", {"sha256": "1", "file": "x"}),
    ]
    seen: set[str] = set()
    for number, info in enumerate(infos):
        inner = CountingLLM(info, first=10 * number)
        with Cached(inner, path) as llm:
            seen |= set(texts(llm))
    assert len(seen) == 9
    turned = CountingLLM(ModelInfo("local:a", {"file": "x", "sha256": "1"}))
    with Cached(turned, path) as llm:
        texts(llm)
    assert turned.requests == []


def test_any_text_and_either_reason_come_back_as_they_were(path: Path) -> None:
    replies = [Reply("cut", "length"), Reply("\ud800 half", "stop"), Reply("nul \0, \r\n, \U0001f600, ''", "stop")]
    with Cached(FunctionLLM(lambda request, i: replies[i]), path) as llm:
        assert llm.generate([replace(REQUEST, prompt="\udfff")])[0].replies == tuple(replies)
        assert llm.generate([replace(REQUEST, prompt="\udfff")])[0].replies == tuple(replies)
        assert llm.hits == 3


def test_it_is_the_model_in_all_else(path: Path) -> None:
    class Model(CountingLLM):
        def count_tokens(self, prompt: str | tuple[Message, ...]) -> int:
            return 5

    inner = Model()
    llm = Cached(inner, path)
    assert (llm.info, llm.capabilities, llm.count_tokens("x")) == (inner.info, inner.capabilities, 5)
    assert llm.generate([]) == []
    llm.close()
    llm.close()
    with pytest.raises(ModelError, match="was closed"):
        llm.generate([REQUEST])


def test_a_request_for_nothing_is_the_models_to_judge(path: Path) -> None:
    class Strict(CountingLLM):
        def generate(self, requests: Sequence[Request]) -> list[Response]:
            raise InvalidInput("n must be at least 1")

    with Cached(Strict(), path) as llm, pytest.raises(InvalidInput, match="n must be"):
        llm.generate([replace(REQUEST, n=0)])


def test_a_model_that_gives_fewer_replies_is_an_error_and_what_it_gave_is_kept(path: Path) -> None:
    class Short(CountingLLM):
        def generate(self, requests: Sequence[Request]) -> list[Response]:
            return super().generate([replace(request, n=request.n - 1) for request in requests])

    with Cached(Short(), path) as llm, pytest.raises(ModelError, match="another number of replies"):
        llm.generate([REQUEST])
    with Cached(CountingLLM(first=9), path) as llm:
        assert texts(llm) == ["reply 0", "reply 1", "reply 9"]


def test_a_given_reply_is_kept_with_its_likelihood_and_apart_from_all_others(path: Path) -> None:
    free = Request("a prompt", sampling=Sampling(temperature=0))
    requests = [replace(free, given=text) for text in ("yes", "no")]
    known = {"yes": -0.25, "no": -3.402823e38, None: None}

    def reply(request: Request, i: int) -> Reply:
        return Reply(request.given or "yes", logprob=known[request.given])

    inner = FunctionLLM(reply)
    with Cached(inner, path) as llm:
        llm.generate([free])
        first = llm.generate(requests)
    assert inner.requests == [free, *requests]
    assert [response.replies for response in first] == [
        (Reply("yes", logprob=-0.25),),
        (Reply("no", logprob=known["no"]),),
    ]
    again = FunctionLLM(reply)
    with Cached(again, path) as llm:
        assert [response.replies for response in llm.generate(requests)] == [response.replies for response in first]
        assert llm.generate([free])[0].replies == (Reply("yes"),)
    assert again.requests == []
