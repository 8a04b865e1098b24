"""Where an instruction stands in what a scorer reads."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput
from llmopt.llm.base import Message
from llmopt.problems.prompt.template import POSITIONS, Template

PIECES = st.sampled_from(["{input}", "{instruction}", "{{", "}", "\n", "\\1", "\\g<1>", "%s", "$", "Q:", "x", " ", "é"])
texts = st.one_of(st.text(max_size=30), st.lists(PIECES, max_size=8).map("".join))
# Marks at both ends: without them, whether a text occurs once depends on the text.
instructions = texts.map(lambda text: f"<I>{text}</I>")
questions = texts.map(lambda text: f"<X>{text}</X>")

BEFORE, AFTER = "You are careful.\n", "\n\nThink."
OWN = [
    Template("Question: {input}\n\n{instruction}"),
    Template("{instruction} {input}"),
    Template("{input}\n{instruction}\n{input}"),
    Template("{input}", system=f"{BEFORE}{{instruction}}{AFTER}"),
    Template("{instruction}: {input}", system="Be brief."),
    Template("{instruction}", system="{input}"),
]
TEMPLATES = [*map(Template.at, POSITIONS), *OWN]
templates = st.sampled_from(TEMPLATES)


def whole(messages: tuple[Message, ...]) -> str:
    return "\n\n".join(message.content for message in messages)


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ("Q_begin", "Think.\nQ: 1 + 1?\nA:"),
        ("Q_end", "Q: 1 + 1?\nThink.\nA:"),
        ("A_begin", "Q: 1 + 1?\nA: Think."),
        ("system", "Think.\n\n1 + 1?"),
    ],
)
def test_the_positions_are_those_of_the_paper(position: str, expected: str) -> None:
    template = Template.at(position)  # type: ignore[arg-type]
    assert template.filled("Think.", "1 + 1?") == expected
    messages = template.messages("Think.", "1 + 1?")
    assert whole(messages) == expected
    roles = ["system", "user"] if position == "system" else ["user"]
    assert [message.role for message in messages] == roles


@given(templates, instructions, questions)
def test_what_is_filled_in_stands_there_unchanged_and_is_not_filled_itself(
    template: Template, instruction: str, question: str
) -> None:
    asked = (template.system + template.text).count("{input}")
    for text in (template.filled(instruction, question), whole(template.messages(instruction, question))):
        # Each once more where the other one holds it.
        assert text.count(instruction) == 1 + asked * question.count(instruction)
        assert text.count(question) == asked + instruction.count(question)
        rest = text.replace(instruction, "", 1).replace(question, "", asked)
        own = template.system + "\n\n" * bool(template.system) + template.text
        assert rest == own.replace("{instruction}", "").replace("{input}", "")


@given(st.sampled_from(POSITIONS), questions)
def test_an_empty_instruction_leaves_no_empty_line_and_no_empty_message(position: str, question: str) -> None:
    template = Template.at(position)  # type: ignore[arg-type]
    filled = template.filled("", question)
    assert filled == {"A_begin": f"Q: {question}\nA: ", "system": question}.get(position, f"Q: {question}\nA:")
    [message] = template.messages("", question)
    assert (message.role, message.content) == ("user", filled)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("{input}\n{instruction}", "x"), ("{instruction}\n\n{input}", "\nx"), ("{instruction}{input}", "x")],
)
def test_the_line_of_an_empty_instruction_goes_in_a_users_template_too(text: str, expected: str) -> None:
    assert Template(text).filled("", "x") == expected


@given(templates, instructions, questions)
def test_what_stands_around_an_instruction_makes_the_whole_with_it(
    template: Template, instruction: str, question: str
) -> None:
    before, after = template.around(question)
    assert before + instruction + after == template.filled(instruction, question)


@given(templates, st.one_of(texts, st.just("")), st.lists(questions, min_size=2, max_size=2, unique=True))
def test_what_is_called_stable_is_a_beginning_that_the_next_request_shares(
    template: Template, instruction: str, two: list[str]
) -> None:
    first, second = (template.messages(instruction, question) for question in two)
    for message in (*first, *second):
        assert 0 <= message.stable <= len(message.content)
    if template.instruction_first and "{input}" not in template.system:
        for a, b in zip(first, second, strict=True):
            assert a.content[: a.stable] == b.content[: b.stable]


@given(templates, st.lists(instructions, min_size=2, max_size=2), questions)
def test_where_the_question_comes_first_the_beginning_does_not_depend_on_the_instruction(
    template: Template, two: list[str], question: str
) -> None:
    if not template.instruction_first:
        first, second = (template.messages(instruction, question) for instruction in two)
        assert [m.content[: m.stable] for m in first] == [m.content[: m.stable] for m in second]


@pytest.mark.parametrize("position", POSITIONS)
def test_the_beginning_reaches_up_to_what_changes(position: str) -> None:
    template = Template.at(position)  # type: ignore[arg-type]
    stable = [m.content[: m.stable] for m in template.messages("Think.", "1 + 1?")]
    assert (
        stable
        == {
            "Q_begin": ["Think.\nQ: "],
            "Q_end": ["Q: 1 + 1?\n"],
            "A_begin": ["Q: 1 + 1?\nA: "],
            "system": ["Think.", ""],
        }[position]
    )


def test_a_users_own_file(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes("\ufeffFrage: {input}\n{instruction}\nAntwort:\n\n".encode())
    assert Template.read(path).filled("Denk {nach}.", "x") == "Frage: x\nDenk {nach}.\nAntwort:"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "there is no such file"),
        (b"\xff\xfe", "not UTF-8"),
        (b"", "must hold {instruction} once and {input} at least once"),
        (b"Q: {input}", "must hold {instruction} once"),
        (b"{instruction}", "{input} at least once"),
        (b"{instruction} {instruction} {input}", "must hold {instruction} once"),
        (b"{Instruction} {Input}", "must hold {instruction} once"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "own.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        Template.read(path)
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_a_folder_is_no_template(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"cannot be read: Is a directory"):
        Template.read(tmp_path)


def test_an_unknown_position_names_the_legal_ones() -> None:
    with pytest.raises(
        InvalidInput, match="position=A_end is not legal; choose one of Q_begin, Q_end, A_begin, system"
    ):
        Template.at("A_end")  # type: ignore[arg-type]
