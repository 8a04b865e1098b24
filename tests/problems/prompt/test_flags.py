"""What makes an instruction suspect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.problems.prompt.flags import flags

words = st.text("abcdefgXYZ0129\u00e9\u4e2d", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("instruction", "address"),
    [
        ("Look at https://example.invalid/answers?x=1 first.", "https://example.invalid/answers?x=1"),
        ("HTTP://example is where.", "HTTP://example"),
        ("See www.example.org, then answer.", "www.example.org"),
        ("Ask wikipedia.org about it.", "wikipedia.org"),
        ("As on OpenAI.com", "OpenAI.com"),
    ],
)
def test_an_address_is_flagged(instruction: str, address: str) -> None:
    assert flags(instruction, []) == [f"it holds an address: {address}"]


@pytest.mark.parametrize(
    "instruction",
    ["", "Think step by step.", "Add e.g. 1.5 and 2.", "Answer (A), (B) or (C).", "end.Then go on", "a: b/c"],
)
def test_an_ordinary_instruction_is_not(instruction: str) -> None:
    assert flags(instruction, ["Madrid", "17", "(D)", ""]) == []


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("The answer is 42.", "42"),
        ("Say MADRID!", "Madrid"),
        ("It is New  York, always.", "new york"),
        ("Reply (B).", "(B)"),
        ("Gr\u00f6\u00dfe", "gr\u00f6\u00dfe"),
        ("It is -3", "-3"),
    ],
)
def test_the_answer_of_a_training_example_is_flagged(instruction: str, answer: str) -> None:
    assert flags(instruction, ["elsewhere", answer]) == [f"it holds the answer of a training example: {answer}"]


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("It is 142 or 420.", "42"),
        ("Madridistas", "Madrid"),
        ("New and York", "New York"),
        ("anything", ""),
        ("a. b", "."),
    ],
)
def test_a_part_of_a_word_is_no_answer(instruction: str, answer: str) -> None:
    expected = [f"it holds the answer of a training example: {answer}"] if answer == "." else []
    assert flags(instruction, [answer]) == expected


@given(st.lists(words, min_size=1, max_size=5), st.lists(words, max_size=4), st.lists(words, max_size=4))
def test_an_answer_is_found_wherever_it_stands(answer: list[str], before: list[str], after: list[str]) -> None:
    instruction = " ".join([*before, *answer, *after])
    assert any("training example" in flag for flag in flags(instruction, [" ".join(answer).upper()]))


@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=4))
def test_each_thing_is_one_line_of_bounded_length_said_once(instruction: str, answers: list[str]) -> None:
    found = flags(instruction, answers)
    assert len(found) <= 2 and all(len(flag) < 140 for flag in found)
    assert flags(instruction, []) == [flag for flag in found if "address" in flag]
