"""The official SDKs against a real llama.cpp server, through our providers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from llmopt import Budget, OptimizeResult
from llmopt.errors import ModelError
from llmopt.llm import Constraint, Message, Request
from llmopt.llm.anthropic import AnthropicLLM
from llmopt.llm.ledger import total
from llmopt.llm.limits import Limits
from llmopt.llm.local import LocalLLM
from llmopt.llm.openai import OpenAILLM
from llmopt.llm.prices import FREE
from llmopt.llm.remote import RemoteLLM
from llmopt.llm.retry import Retries
from llmopt.llm.terms import Terms
from llmopt.opro import OPRO
from llmopt.opro.solver import SerializerName
from llmopt.problems.regression import LinearRegression
from llmopt.run import run

pytestmark = pytest.mark.model


SAMPLES = 3
RETRIES = Retries(attempts=2, first=0.01)
PAIR = 'root ::= int " b=" int "\\n"\nint ::= "-"? [1-9] [0-9]? | "0"'


@pytest.fixture
def openai(local_llm: LocalLLM) -> Iterator[OpenAILLM]:
    url, key = reached(local_llm)
    with OpenAILLM("gemma", url, kind="llama.cpp", api_key=key, limits=Limits(4), retries=RETRIES) as llm:
        yield llm


@pytest.fixture
def anthropic(local_llm: LocalLLM) -> Iterator[AnthropicLLM]:
    url, key = reached(local_llm)
    with AnthropicLLM("gemma", url, kind="llama.cpp", api_key=key, limits=Limits(4), retries=RETRIES) as llm:
        yield llm


def reached(local_llm: LocalLLM) -> tuple[str, str]:
    assert local_llm._server is not None
    address = local_llm._server.address
    return f"{address.url}/v1", address.key


def regression(llm: RemoteLLM, serializer: SerializerName) -> OptimizeResult:
    solver = OPRO(llm, serializer=serializer, samples=SAMPLES, top_k=4, retries=0, max_tokens=12)
    budget = Budget(steps=2, tokens=50_000)
    return run(LinearRegression(40, -30, points=5), solver, budget, terms=Terms({llm.info.spec: FREE}))


def check_counts(result: OptimizeResult) -> None:
    spent = total(result.spent)
    assert result.stop_reason == "steps"
    assert spent.calls == 2 * SAMPLES and spent.calls <= spent.completion_tokens <= spent.calls * 20
    assert 0 <= spent.cached_tokens < spent.prompt_tokens
    assert (spent.retries, spent.unreported, spent.dollars) == (0, 0, 0.0)


def test_a_regression_run_by_completions_under_a_grammar(openai: OpenAILLM, local_llm: LocalLLM) -> None:
    result = regression(openai, "continuation")
    check_counts(result)
    assert result.invalid.total() == 0
    assert result.nfev > 5


def test_a_regression_run_by_chat_under_a_grammar(openai: OpenAILLM) -> None:
    result = regression(openai, "chat")
    check_counts(result)
    assert result.nfev > 5


def test_a_regression_run_by_messages(anthropic: AnthropicLLM) -> None:
    # This protocol takes neither a grammar nor a schema at this server: a base model's replies are seldom legal.
    result = regression(anthropic, "auto")
    check_counts(result)
    assert result.invalid.total() + result.nfev >= 5


@pytest.mark.slow
@pytest.mark.parametrize("kind", [OpenAILLM, AnthropicLLM])
def test_an_instruct_model_proposes_by_either_protocol(
    instruct_llm: LocalLLM, kind: type[OpenAILLM] | type[AnthropicLLM]
) -> None:
    url, key = reached(instruct_llm)
    with kind("smollm2", url, kind="llama.cpp", api_key=key, limits=Limits(4), retries=RETRIES) as llm:
        # Greedy, so that what it says is no matter of chance.
        solver = OPRO(llm, serializer="chat", samples=1, temperature=0.0, retries=0, max_tokens=40)
        result = run(LinearRegression(15, 14), solver, Budget(steps=3), terms=Terms({llm.info.spec: FREE}))
    spent = total(result.spent)
    assert result.stop_reason == "steps"
    assert (spent.calls, spent.retries, spent.unreported, spent.dollars) == (3, 0, 0, 0.0)
    assert spent.prompt_tokens > spent.completion_tokens > 0
    assert result.proposals - result.invalid.total() >= 1


def test_chat_under_a_schema_is_json(openai: OpenAILLM) -> None:
    colours = Constraint(schema={"enum": ["red", "blue"]})
    [response] = openai.generate([Request((Message("user", "A colour?"),), n=2, max_tokens=40, constraint=colours)])
    for reply in response.replies:
        if reply.finish_reason == "stop":
            assert json.loads(reply.text) in ("red", "blue")
        else:
            # A base model may fill its tokens with white space, which JSON allows, and be cut within the value.
            begun = "".join(reply.text.split())
            wholes = [json.dumps(value, separators=(",", ":")) for c in ("red", "blue") for value in (c, {"answer": c})]
            assert any(whole.startswith(begun) for whole in wholes), reply.text


def test_counts_are_those_of_the_model(openai: OpenAILLM, local_llm: LocalLLM) -> None:
    request = Request("One two three", n=3, max_tokens=5, constraint=Constraint('root ::= "a" [a-z]+'), seed=3)
    [response] = openai.generate([request])
    assert [reply.finish_reason for reply in response.replies] == ["length"] * 3
    assert response.usage.prompt_tokens == 3 * (local_llm.count_tokens(request.prompt) or 0)
    assert (response.usage.calls, response.usage.completion_tokens) == (3, 15)
    # How much of a prompt the server still knows depends on what it was asked between.
    assert 0 <= response.usage.cached_tokens < response.usage.prompt_tokens


def test_raw_text_is_continued_under_a_grammar(openai: OpenAILLM) -> None:
    [response] = openai.generate([Request("loss=5 at w=", n=3, max_tokens=16, constraint=Constraint(PAIR))])
    assert all(re.fullmatch(r"(-?[1-9][0-9]?|0) b=(-?[1-9][0-9]?|0)\n", reply.text) for reply in response.replies)


@pytest.mark.parametrize("kind", [OpenAILLM, AnthropicLLM])
def test_a_wrong_key_is_one_clear_line(local_llm: LocalLLM, kind: type[OpenAILLM] | type[AnthropicLLM]) -> None:
    url, _ = reached(local_llm)
    with (
        kind("gemma", url, kind="llama.cpp", api_key="sk-wrong") as llm,
        pytest.raises(ModelError, match=r"answered 401 .*; check the key") as error,
    ):
        llm.generate([Request((Message("user", "hi"),))])
    assert "sk-wrong" not in str(error.value)
