"""Several models that answer as one: each request by one of them, in its place."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from llmopt.benchmarks.studies.mixture import Mixture
from llmopt.llm.base import Request
from support.models import ABLE, FunctionLLM


@given(st.integers(1, 3), st.integers(0, 20))
def test_requests_are_dealt_in_pairs_and_answered_in_their_order(count: int, requests: int) -> None:
    models = [FunctionLLM(lambda request, i, k=k: f"{k}:{request.prompt}") for k in range(count)]  # type: ignore[misc]
    answers = Mixture(models).generate([Request(str(i)) for i in range(requests)])
    assert [answer.replies[0].text for answer in answers] == [f"{i // 2 % count}:{i}" for i in range(requests)]


def test_it_can_do_what_all_of_them_can() -> None:
    able = [replace(ABLE, chat=False, context=4096), replace(ABLE, seed=False, context=2048), ABLE]
    mixture = Mixture([FunctionLLM(lambda request, i: "", each) for each in able])
    assert mixture.capabilities == replace(ABLE, chat=False, seed=False, context=2048)
