"""Labels of a user's own data."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics import OneOf, by_name, fitting

LABELS = ("positive", "negative", "neutral", "very positive", "don't know")


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("Negative", "negative"),
        ("**Very Positive**!", "very positive"),
        ("Positive. It is not negative at all.", "positive"),
        ("It sounds negative at first, but the answer is positive.", "positive"),
        ("One may find it positive. Therefore, it is neutral.", "neutral"),
        ("I don\u2019t know", "don't know"),
        ("The review is negative", "negative"),
    ],
)
def test_a_reply_that_commits_to_one_label_is_right_for_it_alone(reply: str, label: str) -> None:
    scores = {name: OneOf(LABELS).score(reply, Example("How is it?", name)) for name in LABELS}
    assert scores == {name: float(name == label) for name in LABELS}


@pytest.mark.parametrize(
    "reply", ["positive or negative", "positively", "nonnegative", "", "It is fine.", "[neutral, positive]"]
)
def test_a_reply_that_commits_to_none_is_wrong_for_all(reply: str) -> None:
    assert not any(OneOf(LABELS).score(reply, Example("How is it?", name)) for name in LABELS)


@given(st.text(), st.sampled_from(LABELS))
def test_any_reply_has_a_score(reply: str, label: str) -> None:
    assert OneOf(LABELS).score(reply, Example("?", label)) in (0.0, 1.0)


@given(st.sampled_from(LABELS))
def test_a_label_is_its_own_answer_and_an_option(label: str) -> None:
    metric = OneOf(LABELS)
    assert metric.score(label, Example("?", label)) == 1.0
    assert label in metric.options(Example("?", label)) and metric.parses(label.upper())


def test_the_labels_are_the_targets_of_the_data() -> None:
    assert fitting(["good", "bad"] * 5) == "labels" and fitting(["good", "bad"]) == "exact"
    assert fitting([f"city {i}" for i in range(100)]) == "exact"
    metric = by_name("labels", ["good", "bad", "Good "])
    assert list(metric.options(Example("?", "good"))) == ["Good", "bad"]
    assert metric.identity() != by_name("labels", ["good", "poor"]).identity()
    assert not metric.parses("fair")


LISTED = "Which one?\nA. oak\nB. pear\nC. fir\nD. elm"


def test_letters_of_listed_options_are_multiple_choice() -> None:
    letters = list("ABCD") * 5
    assert fitting(letters, [LISTED] * 20) == "choice"
    assert fitting([f"{letter}." for letter in letters[:3]], [LISTED] * 3) == "choice"
    assert fitting(letters, [*[LISTED] * 15, *["An example with other options"] * 5]) == "choice"
    # Grades and classes are letters too.
    assert fitting(letters, ["How good is this essay?"] * 20) == fitting(letters) == "labels"
    assert fitting(["E", "F"] * 5, [LISTED] * 10) == "labels"
    assert fitting(["good", "bad"] * 5, [LISTED] * 10) == "labels"
    assert fitting([], []) == "exact"


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("A", "A"),
        ("a.", "A"),
        ("The grade is A because it is good.", "A"),
        ("A is right.", "A"),
        ("I think it deserves a B.", "B"),
        ("This needs a closer look.", ""),
        ("A closer look is needed.", ""),
        ("The answer is a matter of taste.", ""),
        ("I'd say so", ""),
        ("It was an A's essay", ""),
        ("I think a B", "B"),
        ("A B", ""),
        ("A or B", ""),
    ],
)
def test_an_article_or_a_pronoun_is_no_label(reply: str, said: str) -> None:
    metric = OneOf("ABI")
    assert [label for label in "ABI" if metric.score(reply, Example("How good?", label))] == list(said)


@pytest.mark.parametrize("targets", [[], ["same"] * 9, [str(i) for i in range(51)]])
def test_too_few_or_too_many_labels_are_one_clear_error(targets: list[str]) -> None:
    with pytest.raises(InvalidInput, match="metric=labels needs 2 to 50 different targets"):
        by_name("labels", targets)
