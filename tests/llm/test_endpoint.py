"""Where a model is, what it takes, and the key to it."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from llmopt.errors import InvalidInput
from llmopt.llm import keys, schemas
from llmopt.llm.anthropic import AnthropicLLM
from llmopt.llm.endpoint import Place
from llmopt.llm.keys import Key
from llmopt.llm.openai import OpenAILLM


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("gpt-4.1", Place("gpt-4.1")),
        ("a/b@http://h:1/v1/", Place("a/b", "http://h:1/v1")),
        ("@cf/llama@https://h/v1#vllm", Place("@cf/llama", "https://h/v1", "vllm")),
        ("claude@20250514", Place("claude@20250514")),
    ],
)
def test_a_place_is_a_model_and_maybe_a_url_and_a_kind(text: str, place: Place) -> None:
    assert Place.parse(text, "openai") == place
    assert Place.parse(place.spec, "openai") == place


@pytest.mark.parametrize(
    "text",
    ["", "@http://h", " m", "m@http://", "m@http://u:secret@h/v1", "m@http://h/v1?key=secret", "m@http://h:x/v1"],
)
def test_a_place_that_is_not_legal_is_one_line_without_secrets(text: str) -> None:
    with pytest.raises(InvalidInput) as error:
        Place.parse(text, "openai")
    assert "\n" not in str(error.value) and "secret" not in str(error.value)


def test_the_record_is_that_of_the_longest_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("ANTHROPIC_BASE_URL", raising=False)

    def record(name: str) -> tuple[str, bool, int]:
        with OpenAILLM(name, api_key="k") as llm:
            return llm.endpoint.effort, "temperature" in llm.endpoint.sampling, llm.endpoint.choices

    assert record("gpt-4.1-mini") == ("", True, 128)
    assert record("gpt-5-mini-2025-08-07") == ("low", False, 128)
    assert record("gpt-5.4") == ("none", True, 128)
    assert record("gpt-6.1-sol") == ("low", False, 128)
    assert record("gpt-99") == ("", False, 128)
    with AnthropicLLM("claude-opus-5-5", api_key="k") as llm:
        assert (llm.endpoint.thinking, llm.endpoint.effort, llm.endpoint.array) == ("", "low", True)
    with AnthropicLLM("claude-opus-5", api_key="k") as llm:
        assert llm.endpoint.thinking == "disabled"


def test_another_server_is_trusted_with_little_unless_its_kind_is_stated() -> None:
    with (
        OpenAILLM("m", "http://127.0.0.1:1/v1") as plain,
        OpenAILLM("m", "http://127.0.0.1:1", kind="llama.cpp") as llama,
    ):
        assert not plain.capabilities.grammar and not plain.capabilities.n
        assert llama.capabilities.grammar
        assert llama.info.spec == "openai:m@http://127.0.0.1:1#llama.cpp"
    with OpenAILLM("m", "http://127.0.0.1:1", choices=4, context=100) as stated:
        assert stated.capabilities.n and stated.capabilities.context == 100
    with pytest.raises(InvalidInput, match="did you mean grammar"):
        OpenAILLM("m", "http://127.0.0.1:1", gramar="x")
    with pytest.raises(InvalidInput, match=r"one of llama\.cpp, vllm"):
        OpenAILLM("m", "http://127.0.0.1:1", kind="lamma")


def test_the_url_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1/")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:2/v1")
    with OpenAILLM("m") as openai, AnthropicLLM("m") as anthropic:
        assert openai.info.spec == "openai:m@http://127.0.0.1:1/v1"
        assert anthropic.info.spec == "anthropic:m@http://127.0.0.1:2"


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ANTHROPIC_API_KEY"])
def test_a_key_comes_from_the_environment_or_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(name, raising=False)
    with pytest.raises(InvalidInput, match=f"set {name} to your key, or {name}_FILE"):
        keys.find(name, None, needed=True)
    assert keys.find(name, None, needed=False).reveal() == "none"
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "missing"))
    with pytest.raises(InvalidInput, match=f"from {name}_FILE"):
        keys.find(name, None, needed=True)
    (tmp_path / "key").write_text("sk-file\n")
    monkeypatch.setenv(f"{name}_FILE", str(tmp_path / "key"))
    assert keys.find(name, None, needed=True).reveal() == "sk-file"
    monkeypatch.setenv(name, "sk-variable")
    assert keys.find(name, None, needed=True).reveal() == "sk-variable"
    assert keys.find(name, "sk-given", needed=True).reveal() == "sk-given"


@pytest.mark.parametrize("text", ["", "two words", "line\nline", "schlüssel", "\x00"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidInput, match="not legal") as error:
        Key(text)
    assert not text or text not in str(error.value).replace("not one plain word", "")


def test_a_key_is_not_shown() -> None:
    key = Key("abcdef-123456", "OPENAI_API_KEY")
    assert "abcdef" not in repr(key) + str(key) + f"{key}"
    assert key.scrub("bad key abcdef-123456\n or sk-ab***yz \x1b[31m") == "bad key *** or *** [31m"
    assert len(key.scrub("x" * 9999)) == 300
    with pytest.raises(InvalidInput):
        pickle.dumps(key)


def test_a_model_is_pickled_without_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-one-two-three")
    with OpenAILLM("gpt-4.1", choices=3) as llm:
        data = pickle.dumps(llm)
    assert b"one-two-three" not in data
    with pickle.loads(data) as copy:
        assert copy.endpoint.choices == 3
        assert copy.info == llm.info


SCHEMAS: list[tuple[dict[str, object], st.SearchStrategy[object]]] = [
    (
        {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 4}, "minItems": 5, "uniqueItems": True},
        st.permutations(range(5)),
    ),
    ({"type": "string", "minLength": 1, "maxLength": 9}, st.text(min_size=1, max_size=9)),
    ({"enum": ["a", 1, None]}, st.sampled_from(["a", 1, None])),
    (
        {
            "type": "object",
            "properties": {"w": {"type": "integer", "minimum": -5}, "minimum": {"type": "string"}},
            "required": ["w", "minimum"],
            "additionalProperties": False,
        },
        st.fixed_dictionaries({"w": st.integers(-5), "minimum": st.text()}),
    ),
]
WORDS = ("type", "enum", "required", "additionalProperties")


@given(st.sampled_from(SCHEMAS), st.data())
def test_a_reply_in_the_providers_form_is_read_as_one_in_the_requests(
    case: tuple[dict[str, object], st.SearchStrategy[object]], data: st.DataObject
) -> None:
    schema, values = case
    value = data.draw(values)
    one = schemas.single(schema, WORDS)
    dressed = value if schema.get("type") == "object" else {"answer": value}
    Draft202012Validator(one).validate(dressed)
    assert json.loads(schemas.read_single(json.dumps(dressed), schema)) == value
    many = schemas.array(schema, 3, WORDS)
    Draft202012Validator(many).validate({"candidates": [value] * 3})
    assert [json.loads(text) for text in schemas.read_array(json.dumps({"candidates": [value] * 3}))] == [value] * 3


def test_a_trimmed_schema_has_only_words_that_are_taken_and_says_the_others() -> None:
    whole = {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 5, "description": "A tour."}
    assert schemas.trimmed(whole, ("type",)) == {
        "type": "array",
        "items": {"type": "integer", "description": "minimum: 0"},
        "description": "A tour.; minItems: 5",
    }
    assert schemas.trimmed({"oneOf": [{"const": 1}]}, ("const",)) == {"anyOf": [{"const": 1}]}


@given(st.text() | st.sampled_from(["{}", "[]", '{"candidates": 1}', '{"candidates": [[', "1"]))
def test_a_reply_that_does_not_obey_is_read_all_the_same(text: str) -> None:
    assert schemas.read_single(text, {"type": "string"}) == text or "answer" in text
    assert schemas.read_array(text) == []
