"""Which instruction is chosen, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt.history import DROPPED, OK, History
from llmopt.items import ItemScore, ItemScores, Keep
from llmopt.problems.prompt.assessment import FINALISTS, assess
from llmopt.problems.prompt.examples import Dataset, Example
from llmopt.problems.prompt.export import messages
from llmopt.problems.prompt.hand_written import COMPARED
from llmopt.problems.prompt.metrics import by_name
from llmopt.problems.prompt.problem import PromptProblem
from llmopt.problems.prompt.scorer import Scorer
from llmopt.problems.prompt.significance import mcnemar, wilson
from llmopt.problems.prompt.splits import Splits
from llmopt.problems.prompt.template import Template
from support.models import FunctionLLM

TRAIN, VALIDATION, TEST = 4, 3, 5
Marks = Mapping[str, Sequence[int]]


class Known(PromptProblem):
    """Scores by a table: what an instruction has on each of the items."""

    marks: Marks

    def score_items(self, pairs: Sequence[tuple[Any, int]], keep: Keep) -> None:
        self.asked = [*getattr(self, "asked", []), *pairs]
        for i, (instruction, item) in enumerate(pairs):
            keep(i, ItemScore(float(self.marks[instruction][item]), "answer"))


def problem(marks: Marks, metric: str = "exact", validation: int = VALIDATION) -> Known:
    examples = tuple(
        Example(f"q{i}", "yes" if metric == "yes-no" else f"t{i}") for i in range(TRAIN + VALIDATION + TEST)
    )
    parts = Splits(examples[:TRAIN], examples[TRAIN : TRAIN + validation], examples[TRAIN + validation :])
    llm = FunctionLLM(lambda request, i: "")
    made = Known(Scorer(llm, Template.at("Q_begin"), by_name(metric)), parts, Dataset("table", examples))
    made.marks = marks
    return made


def history_of(on: Known, instructions: Sequence[str], dropped: Sequence[str] = ()) -> History:
    history = History(on.space, maximize=True)
    columns = on.space.pack(list(instructions))
    losses = np.array([np.nan if text in dropped else -np.mean(on.marks[text][: on.items]) for text in instructions])
    status = np.array([DROPPED if text in dropped else OK for text in instructions], dtype=np.int8)
    history.append(columns, losses, status, 1, {}, on.space.keys(columns))
    return history


def assessed(on: Known, instructions: Sequence[str], dropped: Sequence[str] = ()) -> Mapping[str, Any]:
    return assess(on, history_of(on, instructions, dropped), ItemScores(on))


bits = st.lists(st.integers(0, 1), min_size=TRAIN + VALIDATION + TEST, max_size=TRAIN + VALIDATION + TEST)
tables = st.integers(1, 9).flatmap(
    lambda n: st.fixed_dictionaries({**{f"i{k}": bits for k in range(n)}, **dict.fromkeys(COMPARED, bits)})
)


def found_of(table: Marks) -> list[str]:
    return [text for text in table if text not in COMPARED]


@given(tables)
def test_training_and_validation_together_choose(table: Marks) -> None:
    found = assessed(problem(table), found_of(table))
    finalists = sorted(found_of(table), key=lambda text: -sum(table[text][:TRAIN]))[:FINALISTS]
    best = max(sum(table[text][: TRAIN + VALIDATION]) for text in finalists)
    assert found["instruction"] == next(text for text in finalists if sum(table[text][: TRAIN + VALIDATION]) == best)
    chosen = table[found["instruction"]]
    assert found["train_accuracy"] == np.mean(chosen[:TRAIN])
    assert found["validation_accuracy"] == pytest.approx(np.mean(chosen[TRAIN : TRAIN + VALIDATION]))
    assert found["test_accuracy"] == pytest.approx(np.mean(chosen[-TEST:]))


@given(tables, st.data())
def test_the_test_has_no_part_in_the_choice(table: Marks, data: st.DataObject) -> None:
    other = {text: [*marks[:-TEST], *data.draw(bits)[-TEST:]] for text, marks in table.items()}
    first, second = assessed(problem(table), found_of(table)), assessed(problem(other), found_of(table))
    for name in ("instruction", "train_accuracy", "validation_accuracy", "flags", "messages"):
        assert first[name] == second[name]


@given(tables)
def test_only_finalists_are_validated_and_only_what_is_chosen_or_compared_is_tested(table: Marks) -> None:
    on = problem(table)
    found = assessed(on, found_of(table))
    validated = {text for text, item in on.asked if item in on.validation_items}
    tested = {text for text, item in on.asked if item in on.test_items}
    assert len(validated) <= FINALISTS and tested == {found["instruction"], *COMPARED}
    assert len(on.asked) == len(set(on.asked))
    beyond = [pair for pair in on.asked if pair[1] >= on.items]
    assert len(beyond) <= on.assessed_calls


@given(tables)
def test_what_it_is_compared_with_is_tested_on_the_same_examples(table: Marks) -> None:
    found = assessed(problem(table), found_of(table))
    ours = np.array(table[found["instruction"]][-TEST:], dtype=float)
    assert found["test_interval"] == pytest.approx(wilson(ours.sum(), TEST)) and found["test_examples"] == TEST
    assert [entry["instruction"] for entry in found["compared"]] == list(COMPARED)
    for entry in found["compared"]:
        theirs = np.array(table[entry["instruction"]][-TEST:], dtype=float)
        assert entry["test_accuracy"] == pytest.approx(theirs.mean())
        assert entry["test_interval"] == pytest.approx(wilson(theirs.sum(), TEST))
        assert entry["p_value"] == pytest.approx(mcnemar(ours, theirs))


EVEN: Marks = {text: [1, 0] * 6 for text in ("a", "b", *COMPARED)}


def test_what_was_dropped_on_the_way_is_not_chosen() -> None:
    table = {**EVEN, "a": [1] * 12}
    assert assessed(problem(table), ["a", "b"])["instruction"] == "a"
    assert assessed(problem(table), ["a", "b"], dropped=["a"])["instruction"] == "b"


def test_without_validation_the_best_on_training_is_chosen() -> None:
    on = problem({**EVEN, "b": [1] * 12}, validation=0)
    found = assessed(on, ["a", "b"])
    assert (found["instruction"], found["validation_accuracy"], found["test_examples"]) == ("b", None, 8)


def test_an_instruction_that_holds_an_answer_or_an_address_is_flagged_but_not_one_with_labels() -> None:
    suspect = "See www.example.org: t1, yes."
    table = {**EVEN, suspect: [1] * 12}
    assert assessed(problem(table), [suspect])["flags"] == [
        "it holds an address: www.example.org:",
        "it holds the answer of a training example: t1",
    ]
    labels = "Answer yes or no."
    assert assessed(problem({**EVEN, labels: [1] * 12}, "yes-no"), [labels])["flags"] == []
    # What only the test holds is not looked at: whoever wrote the instruction has not seen it.
    leaked = "t11"
    assert assessed(problem({**EVEN, leaked: [1] * 12}), [leaked])["flags"] == []


def flagged(targets: Sequence[str], instruction: str, metric: str = "exact") -> Sequence[str]:
    """Return the flags of an instruction where the training examples have these targets."""
    examples = tuple(Example(f"q{i}", target) for i, target in enumerate([*targets, "v", "v", "t", "t"]))
    n = len(targets)
    parts = Splits(examples[:n], examples[n : n + 2], examples[n + 2 :])
    llm = FunctionLLM(lambda request, i: "")
    made = Known(Scorer(llm, Template.at("Q_begin"), by_name(metric)), parts, Dataset("table", examples))
    made.marks = {text: [1] * len(examples) for text in (instruction, *COMPARED)}
    return assessed(made, [instruction])["flags"]  # type: ignore[no-any-return]


@pytest.mark.parametrize(("metric", "instruction"), [("exact", "It is 42."), ("numeric", "It is forty-two.")])
@pytest.mark.parametrize("times", [1, 2])
def test_an_answer_of_one_or_two_examples_is_flagged(metric: str, instruction: str, times: int) -> None:
    targets = [str(i) for i in range(100, 110)] + times * ["42"]
    assert flagged(targets, instruction, metric) == ["it holds the answer of a training example: 42"]


@given(st.integers(1, 20), st.integers(3, 8))
def test_an_answer_of_every_twentieth_example_is_a_label(labels: int, each: int) -> None:
    names = [f"name{chr(ord('a') + i)}" for i in range(labels)]
    assert flagged(each * names, f"Answer {' or '.join(names)}.") == []


def test_among_many_examples_an_answer_of_three_is_none() -> None:
    targets = [*(f"t{i}" for i in range(60)), "red", "red", "red"]
    assert flagged(targets, "Say red.") == ["it holds the answer of a training example: red"]


MOVIES = ("Inglourious Basterds", "The Matrix", "Up", "Heat", "Fargo", "Alien", "Brazil", "Jaws")


def chosen(examples: Sequence[Example], instruction: str, metric: str = "choice") -> Sequence[str]:
    """Return the flags of an instruction where these are the training examples."""
    others = tuple(Example(f"q{i}", "(A)") for i in range(4))
    parts = Splits(tuple(examples), others[:2], others[2:])
    made = Known(
        Scorer(FunctionLLM(lambda request, i: ""), Template.at("Q_begin"), by_name(metric)),
        parts,
        Dataset("table", parts.train),
    )
    made.marks = {text: [1] * (len(examples) + 4) for text in (instruction, *COMPARED)}
    return assessed(made, [instruction])["flags"]  # type: ignore[no-any-return]


def asking(options: Sequence[str], target: str, number: int = 0) -> Example:
    return Example(f"Which, {number}?\nOptions:\n(A) {options[0]}\n(B) {options[1]}", target)


@pytest.mark.parametrize("target", ["(B)", "B", "Inglourious Basterds"])
@pytest.mark.parametrize("instruction", ["Answer Inglourious Basterds.", "Think of inglourious  BASTERDS!"])
def test_the_text_of_the_right_option_is_an_answer_but_its_letter_is_none(target: str, instruction: str) -> None:
    examples = [asking([movie, MOVIES[0]], target, i) for i, movie in enumerate(MOVIES[1:3])]
    assert chosen(examples, instruction) == ["it holds the answer of a training example: Inglourious Basterds"]
    assert chosen(examples, "Answer (A) or (B), a letter: B.") == chosen(examples, "Answer The Matrix.") == []


def test_an_option_that_is_listed_twice_is_an_answer_where_one_of_them_is_right() -> None:
    for target in ("(A)", "(B)"):
        assert chosen([asking(["Heat", "Heat"], target)], "Think of heat.") == [
            "it holds the answer of a training example: Heat"
        ]


def test_options_that_recur_are_labels_though_they_are_seldom_right() -> None:
    labels = [asking(["valid", "invalid"], "(B)" if i == 3 else "(A)", i) for i in range(8)]
    assert chosen(labels, "Say whether it is valid or invalid.") == []
    answers = [asking([f"film {i}", MOVIES[i]], "(B)", i) for i in range(8)]
    assert chosen(answers, "Such as Fargo") == ["it holds the answer of a training example: Fargo"]
    assert chosen([*answers, *labels], "valid or Jaws") == ["it holds the answer of a training example: Jaws"]


def test_labels_are_no_answers_where_the_metric_lists_them_however_seldom() -> None:
    examples = [Example(f"Is it {i}?\n(A) left\n(B) right", "No" if i == 3 else "Yes") for i in range(8)]
    assert chosen(examples, "Answer yes or no.", "yes-no") == []


def test_the_instruction_comes_ready_for_use() -> None:
    assert assessed(problem(EVEN), ["a"])["messages"] == messages(Template.at("Q_begin"), "a")
