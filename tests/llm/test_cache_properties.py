"""What the reply cache answers is what the model would have answered, and nothing is paid for twice."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from llmopt.llm import Message, Request, Sampling, Usage
from llmopt.llm.cache import Cached
from support.counting import CountingLLM, by_its_draw
from support.models import FunctionLLM

requests = st.builds(
    Request,
    prompt=st.sampled_from(["a", "b", (Message("user", "a"),)]),
    n=st.integers(1, 5),
    max_tokens=st.sampled_from([1, 2]),
    sampling=st.sampled_from([Sampling(), Sampling(0.5), Sampling(0)]),
    seed=st.sampled_from([None, 0, 1, 2, 5, 2**63 - 1]),
)
batches = st.lists(st.lists(requests, max_size=5), max_size=8)


@given(batches=batches, fresh=st.lists(st.booleans(), min_size=8, max_size=8))
def test_any_requests_in_any_order_get_what_the_model_would_say(
    batches: list[list[Request]], fresh: list[bool]
) -> None:
    inner = FunctionLLM(by_its_draw)
    with tempfile.TemporaryDirectory() as folder:
        llm = Cached(inner, Path(folder) / "x")
        for batch, reopen in zip(batches, fresh, strict=False):
            if reopen:
                llm.close()
                llm = Cached(inner, Path(folder) / "x")
            expected = [response.replies for response in FunctionLLM(by_its_draw).generate(batch)]
            assert [response.replies for response in llm.generate(batch)] == expected
        llm.close()


@given(batches=batches)
def test_each_sample_is_paid_for_once_and_none_is_given_for_another(batches: list[list[Request]]) -> None:
    given: dict[object, str] = {}
    inner = CountingLLM()
    total = paid = Usage()
    with tempfile.TemporaryDirectory() as folder, Cached(inner, Path(folder) / "x") as llm:
        everything = 0
        for number, batch in enumerate(batches):
            for position, (request, response) in enumerate(zip(batch, llm.generate(batch), strict=True)):
                total = total.plus(response.usage)
                everything += request.n
                for i, reply in enumerate(response.replies):
                    draw: object = (request.seed, i)
                    if request.sampling.temperature == 0:
                        draw = None
                    elif request.seed is None:
                        draw = (number, position, i)
                    key = (request.prompt, request.max_tokens, request.sampling, draw)
                    assert given.setdefault(key, reply.text) == reply.text
        for request in inner.requests:
            paid = paid.plus(Usage(1, 10, 0, request.n))
        assert llm.hits == everything - paid.completion_tokens
    assert len(set(given.values())) == len(given) == paid.completion_tokens
    assert total == paid
