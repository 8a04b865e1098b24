"""Metrics of prompt optimization: what counts as a right reply, and what never does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics import METRICS, by_name, fitting
from llmopt.problems.prompt.metrics.final import LIMIT, bounded, plain, statements

SHARED = Path(__file__).parents[4] / "shared" / "data"

MOVIES = """Find a movie similar to Batman, The Mask, The Fugitive, Pretty Woman:
Options:
(A) The Front Page
(B) Maelstrom
(C) The Lion King
(D) Lamerica"""

METRIC_OF_TASK = {
    "boolean_expressions": "true-false",
    "causal_judgement": "yes-no",
    "dyck_languages": "brackets",
    "formal_fallacies": "valid-invalid",
    "multistep_arithmetic_two": "numeric",
    "navigate": "yes-no",
    "object_counting": "numeric",
    "sports_understanding": "yes-no",
    "web_of_lies": "yes-no",
    "word_sorting": "words",
}
WITHOUT_OPTIONS = {"brackets", "numeric", "words"}
# The targets that no option of their example has.
MALFORMED = {("movie_recommendation", 163), ("ruin_names", 99), ("ruin_names", 144)}


def right(metric: str, reply: str, target: str, question: str = "Q") -> bool:
    score = by_name(metric).score(reply, Example(question, target))
    assert score in (0.0, 1.0)
    return score == 1.0


# Where the paper's program is wrong.


def test_invalid_is_not_valid() -> None:
    assert not right("valid-invalid", "invalid", "valid")
    assert not right("valid-invalid", "The argument is invalid.", "valid")
    assert right("valid-invalid", "The argument is invalid.", "invalid")


@pytest.mark.parametrize("target", ["(A)", "(B)", "(C)", "(D)"])
@pytest.mark.parametrize(
    "reply",
    [
        "(A), (B), (C), (D)",
        "(A)\n(B)\n(C)\n(D)",
        "A: The Front Page\nB: Maelstrom",
        "A, B, C, D",
        "A\nB\nC\nD",
        "A B C D",
        "The answer is (A), (B), (C) or (D).",
        "The answer is A, B, C, D",
        "Answer: A/B/C/D",
        "\\boxed{A, B, C, D}",
        "The Front Page, Maelstrom, The Lion King, Lamerica",
        MOVIES,
        "It is one of A, B, C or D.",
        "",
        "none of them",
    ],
)
def test_naming_every_option_is_wrong_for_every_target(reply: str, target: str) -> None:
    assert not right("choice", reply, target, MOVIES)


def test_sixteen_is_not_six() -> None:
    assert right("numeric", "sixteen dollars", "16")
    assert not right("numeric", "sixteen dollars", "6")


# Multiple choice.


@pytest.mark.parametrize(
    "reply",
    [
        "(C)",
        "C",
        "C.",
        "C)",
        "**C**",
        "**(C)**",
        "(C) The Lion King",
        "C. The Lion King",
        "C) The Lion King",
        "[C]",
        "(c)",
        "\uff23",
        "The Lion King",
        "the lion king.",
        '"The Lion King"',
        "The answer is C",
        "The answer is C.",
        "The answer is (C).",
        "The answer is (C), because (A) is a comedy.",
        "The answer is (C) since Maelstrom is not well known.",
        "The answer is **The Lion King**.",
        "the answer is:\n\n(C)",
        "**Final Answer**\n\nC",
        "**Answer:** C",
        "Answer: (C) The Lion King",
        "The correct option is (C) The Lion King.",
        "The most similar movie among these is The Lion King",
        "(A) and (B) are little known; (D) is a drama. So the answer is (C).",
        "A viewer of Batman would like Maelstrom or The Lion King. So the answer is (C).",
        "(A) is wrong. (B) is wrong. (C) is correct.",
        "(A) is a comedy. (B) is too slow.\nTherefore, (C).",
        "We compare (A) with (B) first.\n\n(C)",
        "$\\boxed{C}$",
        "\\boxed{\\text{(C)}}",
        "<answer>C</answer>",
        "Option C",
        "A: (C)",
        "A: The Lion King",
        "I would go with option C.",
        "I would say C.",
        "A good choice for a fan of I, Robot: (C)",
        "The answer is most likely to be C.",
        "Let's think step by step. " * 2000 + "The answer is (C).",
        "The answer is (C). I hope this answer is helpful.",
        "The answer is not (A). The answer is (C).",
        "'C'",
        "The answer is 'C'.",
        "The answer is \u2018C\u2019.",
        "I would say 'C'.",
        "I would say 'C.'",
        "I would go with option 'C'.",
        "'C' is correct.",
        r"\(C\)",
        "$C$",
        r"The answer is \(C\).",
        r"The correct answer is \(\text{C}\).",
        r"I would say \(C\).",
        r"\( \text{(C)} \)",
        "c",
        "c)",
        "c.",
        "**c**",
        "'c'",
        "answer: c",
        "Answer: c)",
        "The answer is c.",
        "The answer is c, because a is a comedy.",
        "\\boxed{c}",
        "$\\boxed{\\text{c}}$",
        "<answer>c</answer>",
        "c) The Lion King",
        "answer: c. The Lion King",
        "Let me see.\n\nc",
        '"C" is correct.',
    ],
)
def test_a_reply_that_commits_to_an_option(reply: str) -> None:
    assert right("choice", reply, "(C)", MOVIES)
    assert right("choice", reply, "C", MOVIES)
    assert right("choice", reply, "The Lion King", MOVIES)
    assert not any(right("choice", reply, target, MOVIES) for target in ("(A)", "(B)", "(D)"))


@pytest.mark.parametrize("target", ["(A)", "(B)", "(C)", "(D)"])
@pytest.mark.parametrize(
    "reply",
    [
        "A dog is a good friend.",
        "A film like these is hard to find.",
        "The answer is a film.",
        "Answer: A film of this kind is not listed.",
        "The answer is not (A).",
        "(A) is wrong.",
        "It is not (B).",
        "B or C",
        "(B) or (C)",
        "The answer is (B) or (C).",
        "The answer is either B or C.",
        "The answer is (B) Maelstrom or (C) The Lion King.",
        "(B) because (C) is a film for children.",
        "It is either B or C.",
        "(E)",
        "Lion",
        "A's film",
        "a film",
        "It is a b-movie.",
        "The answer is a film.",
        "I like c and d",
        "a, b, c, d",
        "a or b",
        "a\nb\nc\nd",
        "answer: a or b",
        "e",
        "That is a",
        "The answer is B's neighbour.",
        "'A film'",
    ],
)
def test_a_reply_that_commits_to_no_option(reply: str, target: str) -> None:
    assert not right("choice", reply, target, MOVIES)


FILMS = "Which film is like Ronin?\nOptions:\n(A) Jaws\n(B) Heat\n(C) Alien\n(D) Up"


@pytest.mark.parametrize(
    "reply",
    [
        "Not (A), so (B)",
        "The answer is not (A), it is (B).",
        "A is wrong, B is right",
        "A is wrong, so B.",
        "(A) is wrong, so B.",
        "A is wrong. B.",
        "A is wrong and C is wrong, so it must be B.",
        "Since A is wrong, it is B.",
        "(A) is wrong, (B) is right",
        "(A) Jaws is wrong, (B) Heat is right.",
        "The answer is neither (A) nor (C) but (B).",
        "The answer is Heat, not Jaws.",
        "It is not Jaws. It is Heat.",
        "It is (B) rather than (A).",
        "No doubt the answer is (B)",
        "No doubt it is (B).",
        "It is not only plausible but (B).",
        "I see no reason for the others, (B)",
        "The one that does not fit is (B)",
        "The answer that isn't like the others is (B)",
        "(B) Heat.\nExplanation: (A) Jaws, (C) Alien and (D) Up are different.",
        "B\nThe others, such as (A) and (C), are different.",
        "**(B)**\n\nIt is neither (A) nor (C).",
    ],
)
def test_a_reply_that_rules_options_out_commits_to_the_one_that_it_leaves(reply: str) -> None:
    assert [right("choice", reply, letter, FILMS) for letter in "ABCD"] == [False, True, False, False]


@pytest.mark.parametrize(
    "reply",
    [
        "It cannot be (B).",
        "It can't be option B.",
        "(B) would be wrong",
        "(B) Heat would be wrong",
        "Heat would be wrong",
        "I don't think it is (B)",
        "I don't think the answer is (B)",
        "I do not think that (B) is correct.",
        "I don't think it is (A), and (B) is close",
        "The correct answer cannot be (B).",
        "It is not Heat.",
        "The answer is not Heat.",
        "I doubt it is (B)",
        "There is no way it is (B)",
        "(A) is false, (B) is true",
        "(A) is not bad, (B) is worse",
        "Not (A), so (B) or (C)",
        "(B)\nNo wait, it must be (A).",
        "(B) Heat.\nBut Jaws fits.",
        "(A) or (B)\nThese two are close.",
        "(B) Heat. (A) Jaws and (C) Alien are close.",
    ],
)
def test_an_option_that_is_denied_or_left_open_is_not_committed_to(reply: str) -> None:
    assert not any(right("choice", reply, letter, FILMS) for letter in "ABCD")


@given(
    first=st.sampled_from("ABCD"), second=st.sampled_from("ABCD"), joint=st.sampled_from([" or ", ", ", " and ", "/"])
)
def test_no_denial_makes_a_list_of_options_an_answer(first: str, second: str, joint: str) -> None:
    others = [letter for letter in "ABCD" if letter not in (first, second)]
    reply = f"Not ({others[0]}), so " + joint.join(f"({letter})" for letter in (first, second))
    said = [letter for letter in "ABCD" if right("choice", reply, letter, FILMS)]
    assert said == ([first] if first == second else [])


def test_the_pronoun_is_not_the_letter() -> None:
    shapes = "This draws a\nOptions:\n" + "\n".join(f"({c}) shape{c}" for c in "ABCDEFGHIJ")
    for reply in ("I think it is a shape.", "Answer: I think so.", "I", "(I)", "The answer is I."):
        assert right("choice", reply, "(I)", shapes) == ("think" not in reply)
    assert right("choice", "I think it is (B).", "(B)", shapes)
    assert right("choice", "I believe the answer is B", "(B)", shapes)


def test_a_small_letter_that_is_an_options_text_is_that_text() -> None:
    question = "Which letter comes next?\nOptions:\n(A) b\n(B) a\n(C) x"
    for reply in ("b", "The answer is b.", "\\boxed{b}"):
        assert right("choice", reply, "(A)", question)
    assert right("choice", "c", "(C)", question)
    assert right("choice", "B", "(B)", question)


def test_the_longest_text_counts_where_one_contains_another() -> None:
    question = "Which?\nOptions:\n(A) Town\n(B) Town & Country\n(C) Country"
    assert right("choice", "Town & Country", "(B)", question)
    assert not right("choice", "Town & Country", "(A)", question)
    assert right("choice", "The town.", "(A)", question)
    assert not right("choice", "Townsville", "(A)", question)


@pytest.mark.parametrize(
    "question",
    [
        "How much?\nOptions:\n(A) 21\n(B) 21.5\n(C) 22",
        "How much?\nA) 21\nB) 21.5\nC) 22",
        "How much?\nA. 21\nB. 21.5\nC. 22",
        "How much?\nA)21\nB)21.5\nC)22",
        "How much? Answer Choices: (A) 21 (B) 21.5 (C) 22",
        "How much? Answer Choices: A)21 B)21.5 C)22",
        "How much? ['A)21', 'B)21.5', 'C)22']",
        "(A) note: how much?\nChoices:\n- (A) 21\n- (B) 21.5\n- (C) 22",
    ],
)
def test_options_are_read_from_the_input(question: str) -> None:
    choice = by_name("choice")
    assert choice.options(Example(question, "B")) == ("(A)", "(B)", "(C)")
    assert right("choice", "21.5", "B", question)
    assert not right("choice", "21.5", "A", question)
    assert right("choice", "21", "(A)", question)


def test_one_option_alone_counts_only_after_a_heading() -> None:
    choice = by_name("choice")
    assert choice.options(Example("Which statement is sarcastic?\nOptions:\n(A) The NB", "(A)")) == ("(A)",)
    assert choice.options(Example("Which?\n(A) The NB", "(A)")) == ()
    assert choice.options(Example("Which?\nOptions:\n(B) The NB", "(B)")) == ()


def test_targets_that_are_texts() -> None:
    choice = by_name("choice")
    assert choice.parses("(B)")
    assert choice.parses("B")
    assert not choice.parses("Monsters, Inc")
    assert choice.fits(Example(MOVIES, "the lion king"))
    assert not choice.fits(Example(MOVIES, "(E)"))
    torn = "Find one:\nOptions:\n(A) Monsters\n(B) Inc\n(C) Children of the Night"
    assert not choice.fits(Example(torn, "Monsters, Inc"))
    assert not any(right("choice", f"({letter})", "Monsters, Inc", torn) for letter in "ABC")
    twice = "Which?\nOptions:\n(A) same\n(B) same"
    assert not choice.fits(Example(twice, "same"))
    assert not right("choice", "same", "(A)", twice)


def test_a_question_without_options_is_answered_by_letter() -> None:
    assert right("choice", "The answer is (B).", "B", "Which of the above?")
    assert not right("choice", "(A) or (B)", "B", "Which of the above?")


# Labels.


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("yes", "Yes"),
        ("Yes.", "Yes"),
        ("**Yes**", "Yes"),
        ("_No_", "No"),
        ("The answer is yes", "Yes"),
        ("the answer is: No.", "No"),
        ("No, because otherwise yes would be right.", "No"),
        ("No it is not; yes would need another step.", "No"),
        ("I do not know", None),
        ("nobody knows", None),
        ("Yes and no.", None),
        ("yes or no", None),
        ("Yes, No", None),
        ("Yes/No", None),
        ("No\nYes", None),
        ("Is it yes? Is it no?", None),
        ("The answer is yes or no.", None),
        ("Yes, at first. But the answer is no.", "No"),
        ("It seems that no would do. So the answer is Yes. I hope this answer is helpful.", "Yes"),
        ("There is no evidence against it: yes.", "Yes"),
        ("First no, then yes.\n\nYes", "Yes"),
        ("One may say yes; one may say no.\nTherefore, no.", "No"),
        ("The answer is no, because yes would need more.", "No"),
        ("\\boxed{\\text{Yes}}", "Yes"),
        ("yes-man", None),
        ("no's", None),
        ("o'no", None),
        ("I don't", None),
        ("'No'", "No"),
        ("The answer is 'No'.", "No"),
        ("The answer is \u2018Yes\u2019.", "Yes"),
        ("'Yes' or 'no'", None),
        ("", None),
    ],
)
def test_yes_and_no(reply: str, said: str | None) -> None:
    for target in ("Yes", "No", "yes", "no"):
        assert right("yes-no", reply, target) == (said is not None and target.lower() == said.lower())


@given(
    label=st.sampled_from(["yes-no: Yes", "yes-no: no", "valid-invalid: invalid", "true-false: False", "choice: (B)"]),
    quotes=st.sampled_from(["''", '""', "\u2018\u2019", "\u201c\u201d", "``", "**"]),
    before=st.sampled_from(["", "The answer is ", "Answer: ", "So it is "]),
    after=st.sampled_from(["", ".", " because of that."]),
)
def test_quotes_around_an_answer_change_nothing(label: str, quotes: str, before: str, after: str) -> None:
    metric, _, answer = label.partition(": ")
    letter = answer.strip("()")
    assert right(metric, f"{before}{quotes[0]}{letter}{quotes[1]}{after}", answer)


LEAVES = st.sampled_from(["True", "False"])
EXPRESSIONS = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds("not {}".format, inner)
        | st.builds("( {} )".format, inner)
        | st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner)
    ),
    max_leaves=8,
)


@given(EXPRESSIONS, st.sampled_from(["=", "is", "\u2192", "=>", "->", "equals", "evaluates to"]), LEAVES)
def test_the_value_of_a_repeated_expression_is_the_answer(expression: str, sign: str, value: str) -> None:
    other = "False" if value == "True" else "True"
    assert right("true-false", f"{expression} {sign} {value}", value)
    assert not right("true-false", f"{expression} {sign} {value}.", other)


@pytest.mark.parametrize(
    ("metric", "reply", "said"),
    [
        ("valid-invalid", "The argument is not valid.", "invalid"),
        ("valid-invalid", "It isn't deductively valid.", "invalid"),
        ("valid-invalid", "Valid arguments need more, so this one is invalid", None),
        ("valid-invalid", "If it were valid, ... Therefore, the argument is invalid.", "invalid"),
        ("valid-invalid", "valid", "valid"),
        ("valid-invalid", "invalid, not valid", "invalid"),
        ("valid-invalid", "Is it valid or invalid?", None),
        ("valid-invalid", "The argument is 'invalid'.", "invalid"),
        ("valid-invalid", "The argument is not 'valid'.", "invalid"),
        ("valid-invalid", 'The argument is not "valid".', "invalid"),
        ("true-false", "The answer is 'False'.", "False"),
        ("true-false", "not ( True ) and ( True ) is False", "False"),
        ("true-false", "True and False = False", "False"),
        ("true-false", "True and False\nFalse", "False"),
        ("true-false", "not ( True and False ) =\nTrue", "True"),
        ("true-false", "Step 1: not True = False\nStep 2: True or False = True\nResult: **True**", "True"),
        ("true-false", "( True and False ) = False.", "False"),
        ("true-false", "`True and False` = **False**", "False"),
        ("true-false", "False or True \u2192 True", "True"),
        ("true-false", "False or True => True", "True"),
        ("true-false", "True or False evaluates to True", "True"),
        ("true-false", "True and ( not True )\n= True and False\n= False", "False"),
        ("true-false", "True and False = False and not True = False", "False"),
        ("true-false", "True, because not False = True and False = False", "True"),
        ("true-false", "True. That False = False.", "True"),
        ("true-false", "True and False", None),
        ("true-false", "True and not False or ( True )", None),
        ("true-false", "False or ( False ) and\nnot False =", None),
        ("true-false", "True and", None),
        ("true-false", "True and that is final", "True"),
        ("true-false", "The answer is True and False = False.", "False"),
        ("true-false", "So True and False = False.", "False"),
        ("true-false", "True = True or False", None),
        ("valid-invalid", "valid, and its negation is invalid", "valid"),
        ("true-false", "not ( True ) and ( True ) = False and True = False", "False"),
        ("true-false", "not True is False. So the answer is False.", "False"),
        ("true-false", "untrue", None),
        ("true-false", "True", "True"),
    ],
)
def test_other_labels(metric: str, reply: str, said: str | None) -> None:
    labels = metric.split("-")
    assert [right(metric, reply, label) for label in labels] == [label == (said or "").lower() for label in labels]


@pytest.mark.parametrize(
    "reply",
    [
        "The argument cannot be considered valid.",
        "The argument can't be called valid.",
        "The argument fails to be valid.",
        "The argument is not, in fact, valid.",
        "The argument is neither valid nor sound.",
        "It is neither sound nor valid.",
        "It is invalid rather than valid.",
        "This is an argument that is not valid.",
        "The answer cannot be valid.",
        "The conclusion does not follow, making the argument invalid.",
    ],
)
def test_a_negated_label_is_the_other_one(reply: str) -> None:
    assert right("valid-invalid", reply, "invalid")
    assert not right("valid-invalid", reply, "valid")


@given(
    negation=st.sampled_from(["is not", "isn't", "can't be", "cannot be", "is never", "is neither"]),
    between=st.sampled_from(["strictly", "explicitly", "entirely", "such that one may find it", "clear as to being"]),
    label=st.sampled_from(["valid", "invalid"]),
)
def test_an_unknown_word_after_a_negation_leaves_the_answer_open(negation: str, between: str, label: str) -> None:
    for reply in (f"The argument {negation} {between} {label}.", f"So the argument {negation} {between} {label}."):
        assert not any(right("valid-invalid", reply, target) for target in ("valid", "invalid"))


@pytest.mark.parametrize(
    "reply",
    [
        "It is not the case that the argument is valid.",
        "It is not the case, as claimed, that the argument is valid.",
        "I don't think the answer is valid.",
        "I do not think that the correct answer is: valid",
        "I doubt that it is valid.",
        "There is no way that the argument is valid.",
        "I cannot say that it is not valid.",
    ],
)
def test_a_label_after_a_negation_of_something_else_is_no_answer(reply: str) -> None:
    assert not right("valid-invalid", reply, "valid")


@pytest.mark.parametrize(
    "reply",
    [
        "There is no doubt that the argument is valid.",
        "It is not only sound but valid.",
        "Not all premises matter, and the argument is valid.",
        "I see no counterexample and the argument is valid.",
        "The first premise does not matter. The argument is valid.",
    ],
)
def test_a_negation_of_something_else_changes_no_label(reply: str) -> None:
    assert right("valid-invalid", reply, "valid")
    assert not right("valid-invalid", reply, "invalid")


@pytest.mark.parametrize(
    "expression", ["not True or True", "not True and True", "not ( True or True )", 'The expression "not ( False ) and']
)
def test_a_repeated_expression_with_a_negation_is_no_answer(expression: str) -> None:
    assert not any(right("true-false", expression, value) for value in ("True", "False"))


def test_targets_and_options_of_labels() -> None:
    metric = by_name("yes-no")
    assert metric.options(Example("Q", "Yes")) == ("Yes", "No")
    assert metric.parses("no")
    assert not metric.parses("maybe")


# Numbers.


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("18", "18"),
        ("$18.00", "18"),
        ("She makes 9 * 2 = $<<9*2=18>>18 every day.\n#### 18", "18"),
        ("#### 18\nThat was 5 steps.", "18"),
        ("#### 1,080", "1080"),
        ("It is \\boxed{18}, for 3 reasons.", "18"),
        ("\\boxed{\\frac{3}{4}}", "3/4"),
        ("\\boxed{1{,}080}", "1080"),
        ("The answer is 18. There were 3 ducks.", "18"),
        ("The answer is 18 because 9 * 2.", "18"),
        ("Answer: Janet sells 9 eggs and makes $18.", "18"),
        ("The answer is 16 - 3 - 4 = 9.", "9"),
        ("The answer is 9 * 2 = 18 dollars in 1 day.", "18"),
        ("So the answer is 16 - 3 + 5 = 18 eggs out of 24.", "18"),
        ("The answer is 9 * 2 = $18 for 3 days of work.", "18"),
        ("The answer is 9 * 2 = about 18 in 1 day", "18"),
        ("The answer is x = 18 = total", "18"),
        ("\\boxed{20 - 2 = 18 = x}", "18"),
        ("So there are 3 and 15, 18 in total", "18"),
        ("So 18 is the right one.", "18"),
        ("one", "1"),
        ("The answer is one.", "1"),
        ("1,080 dollars", "1080"),
        ("1\u202f080", "1080"),
        ("109,200,000", "109200000"),
        ("50%", "50"),
        ("50 percent", "50%"),
        ("-35", "-35"),
        ("\u221235", "-35"),
        ("minus thirty-five", "-35"),
        ("-$5", "-5"),
        ("3 - 5 = -2", "-2"),
        ("10-3", "3"),
        ("3/4", "0.75"),
        ("1 1/2", "1.5"),
        ("1\u00bd", "1.5"),
        ("1.5e3", "1500"),
        ("1.5 x 10^3", "1500"),
        ("1.5 \u00d7 10^{3}", "1500"),
        ("2.5 million", "2500000"),
        ("one hundred and twenty-three thousand", "123,000"),
        ("a hundred and five", "105"),
        ("one million", "1000000"),
        ("nineteen", "19"),
        ("two and a half", "2.5"),
        ("three point one four", "3.14"),
        ("0.333333333", "1/3"),
        ("18kg", "18"),
        ("**18**", "18"),
        ("16*2", "2"),
        # A fraction at the end of a sentence.
        ("It is 3/4.", "0.75"),
        ("It is 1 1/2.", "1.5"),
        # LaTeX.
        ("\\boxed{1\\frac{1}{2}}", "1.5"),
        ("2 \\frac{1}{4}", "2.25"),
        ("-1\\frac12", "-1.5"),
        ("\\frac12", "0.5"),
        ("\\dfrac{3}4", "0.75"),
        ("\\frac3{4}", "0.75"),
        # Minus signs with a space.
        ("The answer is - 18", "-18"),
        ("The answer is: \u2212 18.", "-18"),
        ("x = - 18", "-18"),
        ("x = - $18", "-18"),
        ("\\boxed{- 18}", "-18"),
        ("\\boxed{- \\frac{1}{2}}", "-0.5"),
        ("#### - 18", "-18"),
        ("\\(- 18\\)", "-18"),
        ("- 18", "-18"),
        # Those of lists, differences and ranges are none.
        ("20 - 18", "18"),
        ("20 - 18 = 2", "2"),
        ("The answer is 20 - 2 = 18", "18"),
        ("range 10 - 18", "18"),
        ("They have:\n- 18 apples", "18"),
        ("- 18 apples", "18"),
        ("The answer is:\n- 18", "18"),
        # Parts in words.
        ("one third", "1/3"),
        ("one-half", "0.5"),
        ("two thirds of it", "2/3"),
        ("two and a quarter", "2.25"),
        ("one and one half", "1.5"),
        ("2 and a third", "7/3"),
        ("three quarters", "3"),  # coins
        ("ten seconds", "10"),
        # A dozen is a unit: GSM8K asks for dozens.
        ("3 dozen", "3"),
        # Times, dates, decimal commas and versions are none.
        ("18 people came at 2:30", "18"),
        ("18 people came on 12/25/2020", "18"),
        ("18 people came on 25.12.2020", "18"),
        ("18, not 12,5", "18"),
        ("18, says 192.168.0.1", "18"),
    ],
)
def test_numbers(reply: str, value: str) -> None:
    assert right("numeric", reply, value)
    assert not right("numeric", reply, f"{value}1" if "%" not in value else "5")


@pytest.mark.parametrize(
    ("reply", "target"),
    [
        ("0.5", "50%"),
        ("50%", "0.5"),
        ("The answer is 17 or 18", "18"),
        ("The answer is 17 or 18", "17"),
        ("The answer is x = 17 or 18", "18"),
        ("The answer is x = 17 or 18", "17"),
        ("The answer is 9 * 2 = 18 dollars in 1 day.", "1"),
        ("The answer is 9 * 2 = 18 dollars in 1 day.", "9"),
        ("one thousand, two hundred and thirty-four", "234"),
        ("one thousand, five", "1005"),
        ("one hundred, two", "102"),
        ("one hundred, two hundred", "300"),
        ("the 18th", "18"),
        ("eighteenth", "18"),
        ("18.01", "18"),
        ("109200001", "109,200,000"),
        ("118", "18"),
        ("180", "18"),
        ("1.8", "18"),
        ("18", "-18"),
        ("nobody knows", "1"),
        ("weight", "8"),
        ("1/0", "1"),
        ("9" * 10_000, "9"),
        ("12,5", "12"),
        ("12,5", "5"),
        ("12,5", "125"),
        ("1,00", "1"),
        ("1.234,56", "1.234"),
        ("1.234,56", "234"),
        ("1.234.567", "1.234"),
        ("1,23,456", "1"),
        ("2:30", "2"),
        ("2:30", "30"),
        ("12/25/2020", "12"),
        ("12/25/2020", "12/25"),
        ("12/25/2020", "2020"),
        ("1\\frac{1}{2}", "5.5"),
        ("one third", "1"),
        ("two thirds", "2"),
        ("", "0"),
    ],
)
def test_numbers_that_are_not_equal(reply: str, target: str) -> None:
    assert not right("numeric", reply, target)


def test_targets_of_numbers() -> None:
    metric = by_name("numeric")
    assert metric.parses("She has 3 and 4.\n#### 7")
    assert metric.parses("$1,080")
    assert metric.parses("- 18")
    for target in ("12,5", "0,5", "1,00", "1.234,56", "12,34", "2:30", "1/2/2020"):
        assert not metric.parses(target)
    assert not metric.parses("3 or 4")
    assert not metric.parses("Monsters, Inc")


def test_numbers_with_decimal_commas_are_not_taken_for_others() -> None:
    assert fitting(["12,5", "0,5", "3"]) == fitting(["1.234,56"]) == fitting(["1,00"]) == "exact"
    assert fitting(["1,234", "-0.5", "1234", "1,234,567.89"]) == "numeric"


UNITS = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def in_words(n: int, joint: str, hyphen: str) -> str:
    """Return a number in English words."""
    for value, name in ((1_000_000, "million"), (1_000, "thousand"), (100, "hundred")):
        if n >= value:
            rest = n % value
            link = joint if rest < 100 else " "
            return f"{in_words(n // value, joint, hyphen)} {name}" + (
                link + in_words(rest, joint, hyphen) if rest else ""
            )
    if n < 20:
        return UNITS[n]
    return TENS[n // 10 - 2] + (hyphen + UNITS[n % 10] if n % 10 else "")


@given(n=st.integers(0, 10**9 - 1), joint=st.sampled_from([" ", " and "]), hyphen=st.sampled_from([" ", "-"]))
def test_number_words(n: int, joint: str, hyphen: str) -> None:
    words = in_words(n, joint, hyphen)
    assert right("numeric", f"{words} dollars", str(n))
    assert right("numeric", f"The answer is {words.upper()}.", str(n))


@given(
    groups=st.tuples(st.integers(0, 999), st.integers(0, 999), st.just(0) | st.integers(100, 999)).filter(any),
    joint=st.sampled_from([" ", " and "]),
)
def test_number_words_with_commas(groups: tuple[int, int, int], joint: str) -> None:
    named = zip(groups, (" million", " thousand", ""), strict=True)
    words = ", ".join(in_words(n, joint, "-") + name for n, name in named if n)
    value = groups[0] * 10**6 + groups[1] * 10**3 + groups[2]
    assert right("numeric", f"{words} dollars", str(value))
    assert right("numeric", f"The answer is {words}.", str(value))
    assert not groups[2] or value == groups[2] or not right("numeric", words, str(groups[2]))


@given(numbers=st.lists(st.integers(2, 99), min_size=2, max_size=4))
def test_commas_between_small_numbers_make_a_list(numbers: list[int]) -> None:
    words = ", ".join(in_words(n, " ", "-") for n in numbers)
    assert right("numeric", f"They are {words}", str(numbers[-1]))


@given(n=st.integers(-(10**12), 10**12), shift=st.integers(0, 6))
def test_written_numbers(n: int, shift: int) -> None:
    assert right("numeric", f"{n:,}", str(n))
    assert right("numeric", f"The answer is ${n}.00.", str(n))
    assert right("numeric", f"{n}e{shift}", str(n * 10**shift))
    assert not right("numeric", str(n + 1), str(n))


@given(n=st.integers(0, 10**6), decimals=st.text("0123456789", min_size=1, max_size=6).filter(lambda d: len(d) != 3))
def test_a_comma_that_does_not_separate_three_digits_makes_no_number(n: int, decimals: str) -> None:
    assert not by_name("numeric").parses(f"{n},{decimals}")
    assert not any(right("numeric", f"{n},{decimals}", value) for value in (str(n), decimals, f"{n}{decimals}"))


@given(whole=st.integers(1, 99), top=st.integers(1, 9), bottom=st.integers(1, 9), space=st.sampled_from(["", " "]))
def test_fractions_in_latex(whole: int, top: int, bottom: int, space: str) -> None:
    value = f"{whole * bottom + top}/{bottom}"
    for fraction in (f"\\frac{{{top}}}{{{bottom}}}", f"\\dfrac{top}{bottom}", f"\\tfrac{{{top}}}{bottom}"):
        assert right("numeric", fraction, f"{top}/{bottom}")
        assert right("numeric", f"\\boxed{{{whole}{space}{fraction}}}", value)


@given(n=st.integers(1, 10**6), before=st.sampled_from(["The answer is", "x =", "####", "Answer:", "It equals", "("]))
def test_a_minus_with_a_space_after_what_announces_a_value(n: int, before: str) -> None:
    assert right("numeric", f"{before} - {n}", str(-n))
    assert not right("numeric", f"{before} 1 - {n}", str(-n))


# Sequences.


@pytest.mark.parametrize(
    "reply",
    [
        "apple pear r&d",
        "Apple, Pear, R&D",
        "apple\npear\nr&d",
        "1. apple\n2. pear\n3. r&d",
        "1) apple 2) pear 3) r&d",
        "- apple\n- pear\n- r&d",
        "apple, pear, and r&d.",
        "apple -> pear -> r&d",
        "Sure! Sorted alphabetically:\n\napple pear r&d",
        "First apple, then pear. The sorted list is: apple pear r&d",
        "So the answer is apple pear r&d.",
        "The answer is apple pear r&d. It is sorted.",
        "Answer: **apple pear r&d**",
        "Step 1. x\n\napple pear r&d",
        "Step 1: pear is after apple.\nThat leaves r&d.\n\napple\npear\nr&d",
        "I compare the first letters.\napple pear r&d",
        "The words sorted alphabetically are apple, pear, r&d.",
        "The sorted list is apple, pear and r&d",
        "(1) apple (2) pear (3) r&d",
        "1: apple\n2: pear\n3: r&d",
        "Sorted:\n1: apple\n2: pear\n3: r&d",
        "a. apple\nb. pear\nc. r&d",
        "A) apple\nB) pear\nC) r&d",
        "(a) apple (b) pear (c) r&d",
        "1- apple\n2- pear\n3- r&d",
        "apple pear r&d\n\nLet me know if you need more.",
        "Sorted:\n\n1. apple\n2. pear\n3. r&d\n\nI hope this helps! Let me know if you need more.",
        "Here it is.\n\napple, pear, r&d\n\nLet me know if you need more.",
        "The answer is:\n- apple\n- pear\n- r&d\n\nLet me know if you need more.",
    ],
)
def test_a_sequence_of_words(reply: str) -> None:
    assert right("words", reply, "apple pear r&d")


@pytest.mark.parametrize(
    "reply",
    [
        "pear apple r&d",
        "apple pear",
        "apple pear r&d zoo",
        "applepear r&d",
        "apple pear r&d or not",
        "",
        "apple pear r&d\n\npear apple r&d",
        "apple pear r&d\n\nOr rather pear, apple, r&d.",
        "apple pear r&d\n\nOr rather zoo: pear first.",
        "apple pear r&d\n\nzoo.",
        "apple pear r&d\n\nThe answer is zoo apple.",
        "The answer is pear apple r&d.\n\napple pear r&d",
        "zoo\napple pear r&d",
        "zoo, apple, pear, r&d",
        "1. zoo\n2. apple\n3. pear\n4. r&d",
        "a. pear\nb. apple\nc. r&d",
        "The words sorted are not apple, pear, r&d.",
        "I don't think the sorted words are apple, pear, r&d.",
        "The words sorted alphabetically are zoo, apple, pear, r&d.",
    ],
)
def test_another_sequence_of_words(reply: str) -> None:
    assert not right("words", reply, "apple pear r&d")


@pytest.mark.parametrize(
    ("reply", "is_right"),
    [
        ("> ]", True),
        (">]", True),
        ("[ < > ]", True),
        ("`> ]`", True),
        ("The answer is > ].", True),
        ("We close < first.\nSo the answer is > ].", True),
        ("The completion: > ]", True),
        ("We close the last one first.\n> ]", True),
        ("] >", False),
        ("> ] ]", False),
        ("[ < > ] > ]", False),
        ("> ] or ] >", False),
        ("", False),
        ("Nothing", False),
    ],
)
def test_brackets(reply: str, is_right: bool) -> None:
    assert right("brackets", reply, "> ]", "Complete the rest of the sequence. Input: [ <") == is_right


CLOSING = st.lists(st.sampled_from(")>}]"), min_size=1, max_size=12).map(" ".join)


@given(
    answer=CLOSING, other=CLOSING, after=st.sampled_from(["", ".", "$", " since {} closes it.", "\nThese } close it."])
)
def test_boxed_brackets_may_hold_braces(answer: str, other: str, after: str) -> None:
    for written in (answer, answer.replace("}", "\\}")):
        for reply in (f"\\boxed{{{written}}}{after}", f"The answer is $\\boxed{{{written}}}${after}"):
            assert right("brackets", reply, answer)
            assert right("brackets", reply, other) == (other == answer)


@pytest.mark.parametrize("target", [")", ") >", "> ]"])
def test_a_part_of_boxed_brackets_is_no_answer(target: str) -> None:
    assert not right("brackets", "The answer is \\boxed{) } ]}", target)
    assert not right("brackets", "\\boxed{) > } ]}", target)


def test_a_box_ends_where_its_brace_closes() -> None:
    assert [s.text for s in statements("\\boxed{a\\}b} c} \\boxed{\\frac{1}{x}} }")] == ["a\\}b", "\\frac{1}{x}"]


def test_the_last_word_of_a_list_is_not_the_list() -> None:
    for reply in ("pear\napple", "1. pear\n\n2. apple", "It is sorted.\npear\napple", "They are pear.\napple"):
        assert not right("words", reply, "apple")


@given(st.permutations(["ant", "bee", "cow", "dog"]), st.sampled_from(["{}", "(1) {}", "{}\n\nLet me know of others."]))
def test_only_the_right_order_of_words_is_right(order: list[str], shape: str) -> None:
    for joint, start in ((" ", "Step 1. I sort.\n\n"), (", ", "The sorted words are "), ("\n", "Sorted:\n")):
        reply = start + shape.format(joint.join(order))
        assert right("words", reply, "ant bee cow dog") == (order == sorted(order))


# Exact match.


@pytest.mark.parametrize(
    "reply",
    [
        "New York",
        "new  york.",
        '"New York"',
        "**New York**",
        "\uff2eew York",
        "The answer is New York.",
        "Answer: New York",
        "It may be Boston. The final answer is: New York. It is large.",
        "The answer is Boston. No, the answer is New York",
    ],
)
def test_exact_match(reply: str) -> None:
    assert right("exact", reply, "New York")


@pytest.mark.parametrize("reply", ["York", "New York City", "The answer is New York. The answer is Boston.", ""])
def test_no_exact_match(reply: str) -> None:
    assert not right("exact", reply, "New York")


def test_signs_are_part_of_an_exact_answer() -> None:
    assert not right("exact", "35", "-35")
    assert not right("exact", ">", "> ]")


# All metrics.


def test_names() -> None:
    assert set(METRICS) == {
        "exact", "choice", "numeric", "yes-no", "valid-invalid", "true-false", "words", "brackets",
    }  # fmt: skip
    with pytest.raises(InvalidInput, match=r"unknown metric 'numerics'; did you mean 'numeric'\? legal: .*FILE\.py"):
        by_name("numerics")


PIECES = (
    "answer is Answer: ( ) A B (A) (B) I yes no not valid invalid \\boxed{ } #### 1 , 2/0 . - $ \u00bd one hundred and "
    "million point < > [ ] ** _ \n = so or Options: True 1e9 x10^9 \x00 <answer> ` : %"
)
HOSTILE = st.text(max_size=200) | st.lists(st.sampled_from(PIECES.split(" ")), max_size=40).map(" ".join)


@given(
    name=st.sampled_from(sorted(METRICS)),
    reply=HOSTILE,
    question=st.just(MOVIES) | HOSTILE,
    target=st.sampled_from(["(A)", "Yes", "18", "True", "valid", "> ]", "a b"]) | HOSTILE,
)
def test_no_text_raises(name: str, reply: str, question: str, target: str) -> None:
    metric, example = by_name(name), Example(question, target)
    assert metric.score(reply, example) in (0.0, 1.0)
    assert isinstance(metric.parses(target), bool)
    assert isinstance(metric.fits(example), bool)
    assert all(isinstance(option, str) for option in metric.options(example))


@given(target=st.text(min_size=1))
def test_an_exact_target_is_its_own_reply(target: str) -> None:
    assert right("exact", target, target)


HARD = [
    "the answer is ", "answer ", "answer: ", "answer the is ", "option ", "A is the ", "(", "(A) ", "A ", "A, ", "a, ",
    "not ", "no ", "yes ", "or ", "so ", "1", "1,", "1,111", "1.", "1/", "x 10^", "\\frac{1}{", "one ", "a ", "point ",
    "one hundred and ", "\u00bd", "e", "x", "-", "_", "*", "**", "#", "#### ", "\\boxed{", "{", " ", "\n", "\t", ":",
    ": ", "<", "[ ", "=", "= ", "$", ".", "`", "The ", "The Lion ", "\ufdfa",
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(METRICS))
def test_long_hostile_replies_take_linear_time(name: str) -> None:
    targets = {"yes-no": "No", "valid-invalid": "valid", "true-false": "True", "brackets": "]", "numeric": "7"}
    targets["words"] = "a b"
    metric, example = by_name(name), Example(MOVIES, targets.get(name, "(A)"))
    began = time.perf_counter()
    for unit in HARD:
        for reply in (unit * (LIMIT // len(unit)), unit * (LIMIT // len(unit)) + "!z"):
            metric.score(reply, example)
    # More than a hundred replies of 20,000 characters; one that is read in quadratic time takes longer alone.
    assert time.perf_counter() - began < 60


def test_only_the_end_of_a_long_reply_is_read() -> None:
    assert right("yes-no", "no " * LIMIT + "the answer is yes", "Yes")
    assert bounded("in" + "valid." + " " * (LIMIT - 6)) == ""  # not a cut-off "valid"
    assert len(bounded("x y" * LIMIT)) <= LIMIT
    assert len(plain("\ufdfa " * LIMIT)) <= LIMIT


def test_statements_do_not_reach_into_each_other() -> None:
    found = statements("The answer is 5. Wait. So the answer is (B), since 3.5 < 4. Done. #### 7\n\\boxed{a{b}c} d")
    assert [(s.mark, s.sentence) for s in found] == [
        ("phrase", "5"),
        ("phrase", "(B), since 3.5 < 4"),
        ("hash", "7"),
        ("boxed", "a{b}c"),
    ]


# Real data.


def bbh() -> Iterator[Path]:
    yield from sorted((SHARED / "bbh").glob("*.json"))


@pytest.mark.skipif(not SHARED.exists(), reason="the data of ../shared is not here")
def test_every_target_of_big_bench_hard_is_its_own_right_answer() -> None:
    tasks = {path.stem: json.loads(path.read_text(encoding="utf-8"))["examples"] for path in bbh()}
    assert len(tasks) == 27
    unfit = set()
    for task, rows in tasks.items():
        metric = by_name(METRIC_OF_TASK.get(task, "choice"))
        for i, row in enumerate(rows):
            example = Example(row["input"], row["target"])
            for reply in (example.target, f"Let me see.\nSo the answer is {example.target}."):
                assert metric.score(reply, example) == 1.0, (task, i, reply)
            if not metric.fits(example):
                unfit.add((task, i))
            assert metric.options(example) or METRIC_OF_TASK.get(task) in WITHOUT_OPTIONS, (task, i)
            for other in metric.options(example):
                same = other.lower() == example.target.lower()
                assert metric.score(f"The answer is {other}.", example) == same, (task, i, other)
    assert unfit == MALFORMED


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="the data of ../shared is not here")
def test_every_option_of_big_bench_hard_can_be_named_by_its_text() -> None:
    from llmopt.problems.prompt.metrics.choice import read_options

    metric = by_name("choice")
    for path in bbh():
        for i, row in enumerate(json.loads(path.read_text(encoding="utf-8"))["examples"]):
            options = read_options(row["input"])
            for letter, text in options.items():
                if list(options.values()).count(text) > 1 or (path.stem, i) in MALFORMED:
                    continue
                for reply in (text, f"({letter}) {text}", f"The answer is ({letter}) {text}."):
                    assert metric.score(reply, Example(row["input"], f"({letter})")) == 1.0, (path.stem, i, reply)


@pytest.mark.skipif(not SHARED.exists(), reason="the data of ../shared is not here")
@pytest.mark.parametrize("part", ["train", "test"])
def test_every_target_of_gsm8k_is_its_own_right_answer(part: str) -> None:
    metric = by_name("numeric")
    lines = (SHARED / "gsm8k" / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        example = Example(row["question"], row["answer"])
        assert metric.parses(example.target)
        assert metric.score(example.target, example) == 1.0
        assert metric.score("The answer is " + example.target.rpartition("####")[2].strip() + ".", example) == 1.0
