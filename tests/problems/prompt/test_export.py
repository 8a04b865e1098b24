"""A found instruction in the forms in which it is used."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.llm.base import Request
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.export import INPUT, messages
from llmopt.problems.prompt.metrics import by_name
from llmopt.problems.prompt.scorer import Scorer
from llmopt.problems.prompt.template import POSITIONS, Template
from support.models import FunctionLLM

templates = st.sampled_from(
    [
        *map(Template.at, POSITIONS),
        Template("{instruction} {input}", system="Be {brief}."),
        Template("{input}{instruction}"),
    ]
)
instructions = st.text(max_size=40).filter(lambda text: INPUT not in text)


def sent(template: Template, instruction: str, question: str) -> Request:
    return Scorer(FunctionLLM(lambda request, i: ""), template, by_name("exact")).request(
        instruction, Example(question, "x")
    )


@given(templates, instructions, st.text(st.characters(exclude_characters="{"), min_size=1, max_size=20))
def test_with_a_question_in_its_place_it_is_what_the_scorer_was_sent(
    template: Template, instruction: str, question: str
) -> None:
    found = messages(template, instruction)
    request = sent(template, instruction, question)
    turns = found["openai"]["messages"]
    filled = [(turn["role"], turn["content"].replace(INPUT, question)) for turn in turns]
    assert not isinstance(request.prompt, str)
    assert filled == [(message.role, message.content) for message in request.prompt]
    assert sum(turn["content"].count(INPUT) for turn in turns) == 1
    assert json.loads(json.dumps(found)) == found


@given(
    st.sampled_from([*map(Template.at, POSITIONS), Template("{instruction}{input}{input_}")]),
    st.lists(st.sampled_from(["{input}", "{input_}", "{input", "}", "_", "{", "x"]), max_size=6).map("".join),
)
def test_the_question_has_its_place_whatever_the_instruction_holds(template: Template, instruction: str) -> None:
    found = messages(template, instruction)
    request = sent(template, instruction, "1 + 1 =")
    assert not isinstance(request.prompt, str)
    filled = [turn["content"].replace(found["input"], "1 + 1 =") for turn in found["openai"]["messages"]]
    assert filled == [message.content for message in request.prompt]


def test_the_place_of_the_question_has_its_usual_name_where_it_can() -> None:
    assert messages(Template.at("Q_begin"), "Think of {it}.")["input"] == INPUT
    assert messages(Template.at("Q_begin"), "Fill in {input} and {input_}.")["input"] == "{input__}"


@given(templates, instructions)
def test_anthropic_gets_the_same_with_the_system_message_apart(template: Template, instruction: str) -> None:
    found = messages(template, instruction)
    turns = found["openai"]["messages"]
    system = [turn["content"] for turn in turns if turn["role"] == "system"]
    assert found["anthropic"].get("system", "") == "\n\n".join(system)
    assert ("system" in found["anthropic"]) == bool(system)
    assert found["anthropic"]["messages"] == [turn for turn in turns if turn["role"] == "user"]


@pytest.mark.parametrize("position", POSITIONS)
def test_an_empty_instruction_leaves_one_message(position: str) -> None:
    found = messages(Template.at(position), "")  # type: ignore[arg-type]
    assert [turn["role"] for turn in found["openai"]["messages"]] == ["user"] and "system" not in found["anthropic"]
