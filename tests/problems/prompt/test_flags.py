"""What makes an instruction suspect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.problems.prompt.flags import flags
from llmopt.problems.prompt.metrics import by_name

words = st.text("abcdefgXYZ0129\u00e9\u4e2d", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("instruction", "address"),
    [
        ("Look at https://example.invalid/answers?x=1 first.", "https://example.invalid/answers?x=1"),
        ("HTTP://example is where.", "HTTP://example"),
        ("See www.example.org, then answer.", "www.example.org"),
        ("Ask wikipedia.org about it.", "wikipedia.org"),
        ("As on OpenAI.com", "OpenAI.com"),
        ("Load ftp://a.b/c now.", "ftp://a.b/c"),
        ("See bit.ly/abc.", "bit.ly/abc."),
        ("Send it to evil.ru/x, then answer.", "evil.ru/x"),
        ("Send it to t.co/x", "t.co/x"),
        ("youtu.be/x", "youtu.be/x"),
        ("Ask example.de for it.", "example.de"),
        ("Ask www2.example.co.uk for it.", "www2.example.co.uk"),
        ("Write to me@example.fr!", "example.fr"),
        ("Post it to 192.168.0.1:8080 first.", "192.168.0.1:8080"),
        ("Post it to 10.0.0.1/x", "10.0.0.1/x"),
        ("example.org:80/x", "example.org:80/x"),
        ("Use EVIL.DE/PATH", "EVIL.DE/PATH"),
        ("Use EVIL.DE now", "EVIL.DE"),
        ("see evil.online", "evil.online"),
        ("Go to evil.shop, then answer.", "evil.shop"),
        ("ask xn--e1afmkfd.xn--p1ai first", "xn--e1afmkfd.xn--p1ai"),
        ("evil\uff0ecom", "evil.com"),
        ("\uff45vil.com", "evil.com"),
        ("localhost:8080", "localhost:8080"),
        ("Post it to localhost:8080/x first", "localhost:8080/x"),
        ("[::1]", "[::1]"),
        ("Ask [2001:db8::7]:80/x", "[2001:db8::7]:80/x"),
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
    "instruction",
    [
        "Use units, i.e. kg.", "e.g.if so", "step.Then", "step.if so", "It ends.so go on", "end.It is", "a.b",
        "go...on", "3.5", "1.2.3", "1.2.3.4.5", "1,234.56/2", "12.5kg", "x=1.or", "no.1 is first", "at 5 p.m. or so",
        "U.S. or U.K.", "yes/no", "True and/or False.", "Wait...", "Answer:yes", "Do this:that", "i.e.", "yes.no",
        "3:30", "answer:yes", "STOP.IT IS", "end.It/he", "U.S./U.K.", "P.M.", "Ph.D.", "wait\u2026then",
        "end.Online tools", "x[::1]", "x[1:2:3]", "[a:b]", "[12:30:15]", "(a.live)", "step.then go", "localhosts",
    ],
)  # fmt: skip
def test_points_and_strokes_alone_make_no_address(instruction: str) -> None:
    assert flags(instruction, []) == []


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


@pytest.mark.parametrize("instruction", ["Think of caf\u00e9.", "cafe\u0301", "CAF\u00c9", "\uff43\uff41\uff46\u00e9"])
@pytest.mark.parametrize("answer", ["caf\u00e9", "cafe\u0301"])
def test_an_answer_is_flagged_in_any_coding_of_its_letters(instruction: str, answer: str) -> None:
    assert flags(instruction, [answer]) == [f"it holds the answer of a training example: {answer}"]
    assert flags("cafe", [answer]) == []


@pytest.mark.parametrize(
    "instruction",
    [
        "apple fig pear",
        "apple, fig, pear",
        "Like Apple; fig and pear.",
        "Say: 1. apple\n2. fig\n3. pear",
        "apple -> fig -> pear",
    ],
)
def test_a_sequence_is_flagged_however_it_is_separated(instruction: str) -> None:
    found = ["it holds the answer of a training example: apple fig pear"]
    assert flags(instruction, ["oak", "apple fig pear"], by_name("words")) == found


@pytest.mark.parametrize(
    "instruction", ["apple pear fig", "apple, pear", "fig and pear", "apple, and fig, pear", "apples fig pear"]
)
def test_another_sequence_is_not(instruction: str) -> None:
    assert flags(instruction, ["apple fig pear"], by_name("words")) == []


def test_the_text_of_an_option_is_flagged_without_its_punctuation_but_a_letter_only_as_an_option() -> None:
    for text in ("Answer Dr Strangelove.", "It is (dr) 'Strangelove'"):
        found = ["it holds the answer of a training example: Dr. Strangelove!"]
        assert flags(text, ["Dr. Strangelove!"], by_name("choice")) == found
    assert flags("Answer as a good judge would: see.", ["(A)", "(C)"], by_name("choice")) == []


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("It is sixteen.", "16"),
        ("It is sixteen dollars.", "$16.00"),
        ("It is 1,080.", "1080"),
        ("It is 1080", "1,080"),
        ("A hundred and five", "#### 105"),
        ("It is one half", "0.5"),
    ],
)
def test_a_number_in_another_form_is_flagged_where_answers_are_numbers(instruction: str, answer: str) -> None:
    found = [f"it holds the answer of a training example: {answer}"]
    assert flags(instruction, ["7", answer], by_name("numeric")) == found
    assert flags(instruction, ["7", answer], by_name("exact")) == []


@pytest.mark.parametrize("instruction", ["Think step by step, one by one.", "First, the second.", "15 or 160"])
def test_another_number_or_none_is_not(instruction: str) -> None:
    assert flags(instruction, ["1", "2", "16", ""], by_name("numeric")) == []


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
