"""What is sent to providers, and how their answers are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from llmopt.errors import InvalidInput, ModelError
from llmopt.llm import Constraint, Message, Request, Sampling
from llmopt.llm.anthropic import AnthropicLLM
from llmopt.llm.anthropic import from_spec as anthropic_from_spec
from llmopt.llm.limits import Limits
from llmopt.llm.openai import OpenAILLM
from llmopt.llm.openai import from_spec as openai_from_spec
from llmopt.llm.retry import Retries
from support.fault_server import FaultServer

PAIR = {
    "type": "object",
    "properties": {"w": {"type": "integer", "minimum": -5, "maximum": 5}},
    "required": ["w"],
    "additionalProperties": False,
}
USER = (Message("user", "hello"),)
TALK = (Message("system", "Be brief. " * 100), Message("user", "hello"))


def sent(
    provider: type[OpenAILLM] | type[AnthropicLLM],
    model: str,
    request: Request,
    reply: Callable[[dict[str, Any], int], str] | None = None,
    **stated: Any,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the bodies of the calls for a request, and the replies."""
    with FaultServer(reply=reply) as server, provider(model, server.url, api_key="k", **stated) as llm:
        [response] = llm.generate([request])
        return server.bodies, [reply.text for reply in response.replies]


def test_a_plain_chat_says_no_more_than_the_model_takes() -> None:
    [body], texts = sent(OpenAILLM, "gpt-4o", Request(USER, n=2, max_tokens=9, seed=7, stop=("x",)))
    assert body == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "hello"}],
        "max_completion_tokens": 9,
        "temperature": 1.0,
        "top_p": 1.0,
        "n": 2,
        "seed": 7,
        "stop": ["x"],
    }
    assert texts == ["reply 0", "reply 1"]


def test_a_model_that_thinks_is_given_room_and_no_sampling() -> None:
    [body], _ = sent(OpenAILLM, "o3", Request(USER, max_tokens=9, sampling=Sampling(0.5), seed=1, stop=("x",)))
    assert body["max_completion_tokens"] == 9 + 8192
    assert body["reasoning_effort"] == "low"
    assert not {"temperature", "seed", "stop", "n"} & set(body)


def test_stop_texts_that_an_endpoint_does_not_take_end_the_reply_here() -> None:
    _, texts = sent(OpenAILLM, "o3", Request(USER, stop=("END", "\n")), reply=lambda body, i: "one\ntwo END")
    assert texts == ["one"]


def test_a_schema_is_sent_in_the_form_that_the_provider_takes() -> None:
    [body], _ = sent(OpenAILLM, "gpt-4.1", Request(USER, constraint=Constraint("root ::= x", PAIR)))
    form = body["response_format"]["json_schema"]
    assert form["strict"] is True and form["schema"] == PAIR
    assert "grammar" not in body
    tour = {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}
    [body], texts = sent(
        OpenAILLM, "gpt-4.1", Request(USER, constraint=Constraint(None, tour)), lambda body, i: '{"answer": [2, 0, 1]}'
    )
    assert (
        body["response_format"]["json_schema"]["schema"]["properties"]["answer"]["description"] == "uniqueItems: true"
    )
    assert texts == ["[2, 0, 1]"]


def test_a_model_without_schemas_is_sent_none() -> None:
    [body], _ = sent(OpenAILLM, "gpt-4", Request(USER, constraint=Constraint(None, PAIR)))
    assert "response_format" not in body


@pytest.mark.parametrize(
    ("kind", "grammar"),
    [("llama.cpp", {"grammar": "root ::= x"}), ("vllm", {"structured_outputs": {"grammar": "root ::= x"}})],
)
def test_a_grammar_is_sent_where_the_server_takes_it(kind: str, grammar: dict[str, Any]) -> None:
    request = Request(
        "text", n=2, constraint=Constraint("root ::= x", PAIR), sampling=Sampling(0.7, 0.9, 40, 0.05), seed=5
    )
    bodies, _ = sent(OpenAILLM, "m", request, kind=kind)
    assert len(bodies) == (2 if kind == "llama.cpp" else 1)
    body = min(bodies, key=lambda body: body["seed"])
    assert body.items() >= grammar.items()
    assert (body["prompt"], body["max_tokens"], body["seed"]) == ("text", 64, 5)
    assert (body["temperature"], body["top_p"], body["top_k"], body["min_p"]) == (0.7, 0.9, 40, 0.05)
    assert "response_format" not in body


def test_every_reply_has_a_seed_of_its_own() -> None:
    bodies, _ = sent(OpenAILLM, "m", Request(USER, n=3, seed=10))
    assert sorted(body["seed"] for body in bodies) == [10, 11, 12]


def test_more_replies_than_a_call_gives_are_asked_for_in_several() -> None:
    bodies, texts = sent(OpenAILLM, "m", Request(USER, n=7), choices=3)
    assert sorted(body.get("n", 1) for body in bodies) == [1, 3, 3]
    assert len(texts) == 7


def test_what_came_back_short_is_asked_for_again() -> None:
    with FaultServer(["fewer", "fewer"]) as server, OpenAILLM("gpt-4o", server.url) as llm:
        [response] = llm.generate([Request(USER, n=4, seed=0)])
        assert [reply.text for reply in response.replies] == [f"reply {i}" for i in range(4)]
        assert [(body.get("n", 1), body["seed"]) for body in server.bodies] == [(4, 0), (1, 3)]
        assert response.usage.calls == 2


def test_replies_come_in_the_order_of_the_requests() -> None:
    def echo(body: dict[str, Any], number: int) -> str:
        return str(body["messages"][-1]["content"])

    with FaultServer(reply=echo, delay=0.01) as server, OpenAILLM("m", server.url) as llm:
        responses = llm.generate([Request((Message("user", f"word{i}"),), n=2) for i in range(20)])
        assert [[reply.text for reply in response.replies] for response in responses] == [
            [f"word{i}"] * 2 for i in range(20)
        ]
        assert server.most_at_once > 5


def test_no_more_calls_are_in_progress_than_allowed() -> None:
    with FaultServer(delay=0.01) as server, OpenAILLM("m", server.url, limits=Limits(3)) as llm:
        llm.generate([Request(USER, n=20)])
        assert server.most_at_once <= 3


def test_a_plain_message_says_no_more_than_the_model_takes() -> None:
    [body], _ = sent(AnthropicLLM, "m", Request(USER, max_tokens=9, seed=7, stop=("x", " ")))
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hello"}]}],
        "max_tokens": 9,
        "stop_sequences": ["x"],
        "temperature": 1.0,
        "top_p": 1.0,
    }


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("claude-opus-5-5", {"output_config": {"effort": "low"}, "max_tokens": 64 + 8192}),
        ("claude-opus-5", {"thinking": {"type": "disabled"}, "max_tokens": 64}),
        ("claude-sonnet-5-5", {"thinking": {"type": "between_tools"}, "max_tokens": 64}),
        ("claude-haiku-4-5", {"temperature": 0.5}),
    ],
)
def test_each_model_is_sent_what_it_takes(model: str, fields: dict[str, Any]) -> None:
    [body], _ = sent(AnthropicLLM, model, Request(USER, sampling=Sampling(0.5)))
    assert body.items() >= fields.items()
    assert ("temperature" in body) == (model == "claude-haiku-4-5")


def test_several_candidates_are_asked_for_as_one_array_where_nothing_else_makes_them_differ() -> None:
    def candidates(body: dict[str, Any], number: int) -> str:
        return json.dumps({"candidates": [{"w": i} for i in range(4)]})

    [body], texts = sent(
        AnthropicLLM, "m", Request(USER, n=4, max_tokens=9, constraint=Constraint(None, PAIR)), candidates,
        array=True, schema=True, sampling=(),
    )  # fmt: skip
    assert texts == ['{"w": 0}', '{"w": 1}', '{"w": 2}', '{"w": 3}']
    assert "4 candidates" in body["messages"][-1]["content"][-1]["text"]
    schema = body["output_config"]["format"]["schema"]["properties"]["candidates"]
    assert schema["description"] == "minItems: 4; maxItems: 4"
    assert schema["items"]["properties"]["w"] == {"type": "integer", "description": "minimum: -5; maximum: 5"}
    assert body["max_tokens"] == 4 * (9 + 16)


def test_an_array_that_is_short_is_filled_up() -> None:
    def two(body: dict[str, Any], number: int) -> str:
        return '{"candidates": [{"w": 1}, {"w": 2}]}' if number == 0 else '{"w": 3}'

    bodies, texts = sent(
        AnthropicLLM, "m", Request(USER, n=3, constraint=Constraint(None, PAIR)), two, array=True, schema=True
    )
    assert texts == ['{"w": 1}', '{"w": 2}', '{"w": 3}']
    assert len(bodies) == 2


def test_a_reply_that_is_no_array_is_an_error_in_the_end() -> None:
    request = Request(USER, n=3, constraint=Constraint(None, PAIR))
    with (
        FaultServer() as server,
        AnthropicLLM("m", server.url, array=True, schema=True, retries=Retries(attempts=2, first=0.01)) as llm,
        pytest.raises(ModelError, match="holds no reply"),
    ):
        llm.generate([request])


def test_the_stable_part_of_a_prompt_is_marked_for_the_cache() -> None:
    mark = {"type": "ephemeral"}
    [body], _ = sent(AnthropicLLM, "m", Request(TALK), cache_from=512)
    assert body["system"][0]["cache_control"] == mark
    assert "cache_control" not in json.dumps(body["messages"])
    [body], _ = sent(AnthropicLLM, "m", Request(TALK), cache_from=4096)
    assert "cache_control" not in json.dumps(body)
    task = Message("user", "x" * 600 + "the latest", stable=600)
    [body], _ = sent(AnthropicLLM, "m", Request((task,)), cache_from=512)
    first, second = body["messages"][0]["content"]
    assert (first["text"], first["cache_control"]) == ("x" * 600, mark)
    assert second == {"type": "text", "text": "the latest"}
    [body], _ = sent(OpenAILLM, "m", Request((task,)))
    assert body["messages"] == [{"role": "user", "content": task.content}]
    # Nothing of this message is known to stay, and writing to the cache costs more than reading.
    [body], _ = sent(AnthropicLLM, "m", Request((Message("user", "x" * 9999),)), cache_from=512)
    assert "cache_control" not in json.dumps(body)


def test_what_a_model_cannot_do_is_refused_before_it_is_asked() -> None:
    with FaultServer() as server, AnthropicLLM("m", server.url) as llm:
        for request in (
            Request("text"),
            Request(USER, n=0),
            Request(USER, max_tokens=0),
            Request((Message("user", "\ud800"),)),
        ):
            with pytest.raises(InvalidInput) as error:
                llm.generate([request])
            assert "\n" not in str(error.value)
        assert server.bodies == []


def test_a_closed_model_sends_nothing() -> None:
    with FaultServer() as server:
        llm = OpenAILLM("m", server.url)
        llm.close()
        llm.close()
        with pytest.raises(ModelError, match="closed"):
            llm.generate([Request(USER)])
        assert server.bodies == []


def test_a_redirect_is_not_followed_and_the_key_is_sent_nowhere_else() -> None:
    with FaultServer() as other, FaultServer([f"to {other.url}"]) as server, OpenAILLM("m", server.url) as llm:
        with pytest.raises(ModelError, match="address that it has moved to"):
            llm.generate([Request(USER)])
        assert other.bodies == []


def test_specs_name_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with openai_from_spec("gpt-4.1") as official, openai_from_spec("m@http://127.0.0.1:1/v1#vllm") as own:
        assert official.info.spec == "openai:gpt-4.1"
        assert own.info.spec == "openai:m@http://127.0.0.1:1/v1#vllm"
    with anthropic_from_spec("m@http://127.0.0.1:1") as other:
        assert other.info.spec == "anthropic:m@http://127.0.0.1:1"
    with pytest.raises(InvalidInput, match="openai:MODEL"):
        openai_from_spec("")
