"""Prompt optimization as a problem: its settings, its parts, its starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from llmopt import Budget, InvalidInput, run
from llmopt.baselines.instruction_pool import HandWritten
from llmopt.llm.base import LLM, Message, Request
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.hand_written import STARTS
from llmopt.problems.prompt.metrics.choice import Choice
from llmopt.problems.prompt.metrics.numeric import Numeric
from llmopt.problems.prompt.problem import PromptProblem, prompt
from llmopt.problems.prompt.splits import Splits
from llmopt.runlog import RunLog, Slot
from support.models import ABLE, FunctionLLM

ROWS = [{"input": f"{i} + {i}?", "target": str(2 * i)} for i in range(20)]


class Measured(FunctionLLM):
    """Tells the length of a prompt, a token for each four characters."""

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int:
        texts = [prompt] if isinstance(prompt, str) else [message.content for message in prompt]
        return sum(map(len, texts)) // 4


def never(spec: str) -> NoReturn:
    raise AssertionError(f"{spec} was opened")


def answering(reply: str = "x") -> Callable[[str], LLM]:
    return lambda spec: FunctionLLM(lambda request, i: reply)


def write(folder: Path, rows: list[Any], name: str = "own.jsonl") -> str:
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def text_of(request: Request) -> str:
    return request.prompt if isinstance(request.prompt, str) else "\n".join(m.content for m in request.prompt)


def test_the_items_are_those_of_training_then_of_validation_then_of_the_test(tmp_path: Path) -> None:
    problem = prompt(write(tmp_path, ROWS), train=5, validation=4, test=6, metric="numeric", open_model=answering())
    assert (problem.items, problem.validation_items, problem.test_items) == (5, range(5, 9), range(9, 15))
    parts = problem.splits
    assert problem.examples_of_all == (*parts.train, *parts.validation, *parts.test)
    assert problem.assessed_calls == 5 * 4 + 3 * 6
    assert problem.direction == "maximize" and "5 training questions" in problem.describe()
    assert isinstance(problem.scorer.metric, Numeric)


def test_every_solver_begins_with_what_people_have_written_or_with_the_users_own(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    problem = prompt(write(tmp_path, ROWS), open_model=answering())
    assert problem.starts(rng) == list(STARTS)
    own = tmp_path / "own.txt"
    own.write_text("\ufeff  First.\n\nSecond.\nFirst.\n", encoding="utf-8")
    assert prompt(write(tmp_path, ROWS), initial=own, open_model=answering()).starts(rng) == ["First.", "Second."]
    for start in ("", "Answer."):
        assert prompt(write(tmp_path, ROWS), start=start, open_model=answering()).starts(rng) == [start]


def test_another_instance_is_another_split_and_nothing_else(tmp_path: Path) -> None:
    made = [prompt(write(tmp_path, ROWS), instance=k, open_model=answering()) for k in (0, 0, 1)]
    assert made[0].splits == made[1].splits != made[2].splits
    assert made[0].identity() == made[1].identity() != made[2].identity()
    assert made[0].items == made[2].items


def test_a_run_with_other_answers_or_questions_is_another_run(tmp_path: Path) -> None:
    rows = [{"one": f"{i}?", "two": f"{i}!", "x": "x", "y": "y"} for i in range(20)]
    path = write(tmp_path, rows)

    def problem(input_column: str, target_column: str) -> PromptProblem:
        columns = {"input_column": input_column, "target_column": target_column}
        return prompt(path, train=4, validation=2, test=4, metric="exact", open_model=answering(), **columns)  # type: ignore[arg-type]

    first, *others = [problem(*columns) for columns in (("one", "x"), ("one", "y"), ("two", "x"))]
    assert first.identity() == problem("one", "x").identity()
    assert all(first.identity() != other.identity() for other in others)
    with RunLog(tmp_path / "log") as log:
        assert run(first, HandWritten(), Budget(evaluations=3), log=Slot(log)).fun == 1.0
        with pytest.raises(InvalidInput, match=r"holds another run: problem\.data"):
            run(others[0], HandWritten(), Budget(evaluations=3), log=Slot(log))


def test_the_identity_knows_every_example_of_every_part(tmp_path: Path) -> None:
    made = prompt(write(tmp_path, ROWS), train=4, validation=3, test=5, open_model=answering())
    parts = {name: getattr(made.splits, name) for name in ("train", "validation", "test")}
    other = Example("another question?", "1")
    changed = [{**parts, name: (*parts[name][:-1], other)} for name in parts]
    moved = {**parts, "train": (*parts["train"], *parts["validation"]), "validation": ()}
    digests = [Splits(**found).sha256 for found in [parts, *changed, moved]]
    assert len(set(digests)) == len(digests)
    assert made.identity()["examples"] == digests[0]


def test_bare_letters_of_listed_options_are_multiple_choice(tmp_path: Path) -> None:
    rows = [{"input": f"{i}?\nA. oak\nB. pear\nC. fir\nD. elm", "target": "ABCD"[i % 4]} for i in range(20)]
    problem = prompt(write(tmp_path, rows), open_model=answering())
    assert isinstance(problem.scorer.metric, Choice)
    assert any("metric=choice" in notice for notice in problem.notices)


def test_digits_are_forbidden_where_answers_are_numbers_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    path = write(tmp_path, ROWS)
    legal = [
        prompt(path, metric=metric, digits=digits, open_model=answering()).space.contains("Add 2.")
        for metric, digits in [("exact", None), ("numeric", None), ("numeric", True), ("exact", False)]
    ]
    assert legal == [True, False, True, False]


def test_the_exemplars_are_the_training_examples_and_show_where_the_instruction_stands(tmp_path: Path) -> None:
    problem = prompt(write(tmp_path, ROWS), position="Q_end", open_model=answering())
    assert [exemplar.target for exemplar in problem.exemplars] == [e.target for e in problem.splits.train]
    for exemplar, example in zip(problem.exemplars, problem.splits.train, strict=True):
        assert (exemplar.before, exemplar.after) == (f"Q: {example.input}\n", "\nA:")


def test_notices_say_what_is_left_out_and_the_licence(tmp_path: Path) -> None:
    rows = [*ROWS, {"input": "0  + 0?", "target": "0"}, {"input": "and?", "target": "no number"}]
    path = write(tmp_path, rows)
    problem = prompt(path, metric="numeric", open_model=answering())
    assert list(problem.notices) == [
        f"{path}: 1 of 22 targets do not parse as metric=numeric and are left out",
        f"{path}: 1 examples ask what another one asks and are left out",
    ]
    public = tmp_path / "data" / "bbh" / "navigate.json"
    public.parent.mkdir(parents=True)
    examples = [{"input": f"Turn {i} times. Back?\nOptions:\n- Yes\n- No", "target": "Yes"} for i in range(10)]
    public.write_text(json.dumps({"canary": "never train on this", "examples": examples}))
    notices = list(prompt("bbh/navigate", data=tmp_path / "data", open_model=answering()).notices)
    assert "bbh/navigate: licence MIT" in notices
    assert any("never train on this" in notice for notice in notices)


def bad_inputs() -> dict[str, tuple[Any, dict[str, Any], str]]:
    """Return rows, settings and what the error says."""
    texts = [{"input": f"q{i}", "target": f"word {'abcdefghijklmnopqrst'[i]}"} for i in range(20)]
    listed = [{"input": f"Which, {i}?\n(A) x\n(B) y", "target": "(A)"} for i in range(19)]
    listed.append({"input": "Which, not listed?", "target": "(A)"})
    return {
        "data set": (ROWS, {"dataset": "bbh/nothing"}, "unknown"),
        "file": (ROWS, {"dataset": "missing.jsonl"}, "there is no such file"),
        "columns": ([{"a": "1", "b": "2"}], {}, "input_column is needed"),
        "named column": (ROWS, {"target_column": "gold"}, "unknown column"),
        "empty": ([], {}, "the file holds no examples"),
        "targets": (texts, {"metric": "numeric"}, "0 of 20 targets parse as metric=numeric, such as not 'word a'"),
        "metric": (ROWS, {"metric": "bleu"}, "unknown metric 'bleu'"),
        "metric file": (ROWS, {"metric": "missing.py:score"}, "missing.py"),
        "large": (ROWS, {"train": 30}, "20 different examples"),
        "share": (ROWS, {"train": 0.7, "validation": 0.2, "test": 0.2}, "add to more than 1"),
        "small": (ROWS, {"train": 1}, "would be smaller than 2"),
        "few": (ROWS[:3], {}, "3 different examples"),
        "negative": (ROWS, {"validation": -1}, "validation=-1 is not legal"),
        "share name": (ROWS, {"share": "most"}, "unknown share 'most'"),
        "instance": (ROWS, {"instance": -1}, "whole number from 0 on"),
        "position": (ROWS, {"position": "A_end"}, "position=A_end is not legal"),
        "answer": (ROWS, {"answer": "best"}, "answer=best is not legal"),
        "no options": (ROWS, {"answer": "options"}, "20 of 20 have none, such as the one that begins with '"),
        "few options": (listed, {"answer": "options"}, "1 of 20 have none, such as the one that begins with 'Which, n"),
        "no likelihood": (ROWS, {"answer": "likelihood"}, "20 of 20 have none, such as the one that begins with '"),
        "beginnings": (ROWS, {"answer": "likelihood", "metric": "labels"}, "which begins with the option '"),
        "max_tokens": (ROWS, {"max_tokens": 0}, "max_tokens=0 is not legal"),
        "max_length": (ROWS, {"max_length": 0}, "the space is empty"),
        "no template": (ROWS, {"template": Path("missing.txt")}, "template=missing.txt: there is no such file"),
        "template": (ROWS, {"template": Path("bad.txt")}, "must hold {instruction} once"),
        "no initial": (ROWS, {"initial": Path("missing.txt")}, "initial=missing.txt: cannot be read"),
        "empty initial": (ROWS, {"initial": Path("empty.txt")}, "initial=empty.txt: the file is empty"),
        "long initial": (ROWS, {"initial": Path("bad.txt"), "max_length": 5}, "the initial instruction 'no placehold"),
        "two starts": (ROWS, {"initial": Path("digits.txt"), "start": ""}, "leave one out"),
        "long start": (ROWS, {"start": "Answer.", "max_length": 5}, "the initial instruction 'Answer.' is not legal"),
        "digits": (ROWS, {"initial": Path("digits.txt"), "metric": "numeric"}, "not legal: a digit occurs"),
        "starts": (ROWS, {"max_length": 10}, "the initial instruction \"Let's solve the problem.\" is not legal"),
    }  # fmt: skip


@pytest.mark.parametrize("case", bad_inputs())
def test_bad_input_is_one_clear_error_before_any_model_is_opened(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMOPT_CACHE", str(tmp_path / "cache"))
    for name, text in {"bad": "no placeholders", "empty": "\n \n", "digits": "Add 2 and 2."}.items():
        (tmp_path / f"{name}.txt").write_text(text)
    rows, settings, words = bad_inputs()[case]
    arguments = {"dataset": write(tmp_path, rows), **settings}
    with pytest.raises(InvalidInput) as caught:
        prompt(**arguments, open_model=never)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_models_are_opened_by_their_specs(tmp_path: Path) -> None:
    opened: list[str] = []

    def open_model(spec: str) -> LLM:
        opened.append(spec)
        return FunctionLLM(lambda request, i: "yes")

    problem = prompt(write(tmp_path, ROWS), scorer="openai:a", judge="anthropic:b", open_model=open_model)
    assert sorted(opened) == ["anthropic:b", "openai:a"]
    assert list(problem.models) == ["scorer", "judge"]


def test_a_base_model_as_judge_is_refused_before_a_scorer_is_opened(tmp_path: Path) -> None:
    def open_model(spec: str) -> LLM:
        assert spec == "base"
        return FunctionLLM(lambda request, i: "", replace(ABLE, chat=False))

    with pytest.raises(InvalidInput, match="cannot answer a conversation, which judging needs"):
        prompt(write(tmp_path, ROWS), judge="base", open_model=open_model)


def test_a_system_message_needs_a_model_that_takes_one(tmp_path: Path) -> None:
    def problem(chat: bool, **settings: Any) -> PromptProblem:
        llm = FunctionLLM(lambda request, i: "x", replace(ABLE, chat=chat))
        return prompt(write(tmp_path, ROWS), open_model=lambda spec: llm, **settings)

    with pytest.raises(
        InvalidInput, match=r"^position=system needs a chat model, .* test:function .* position=Q_begin"
    ):
        problem(chat=False, position="system")
    assert problem(chat=True, position="system").scorer.template.system
    (tmp_path / "own.txt").write_text("{instruction} {input}")
    assert problem(chat=False, position="system", template=tmp_path / "own.txt").items


@pytest.mark.parametrize("chat", [True, False])
def test_too_long_an_example_is_named(tmp_path: Path, chat: bool) -> None:
    rows = [*ROWS, {"input": "Once upon a time " * 100, "target": "1"}]

    def problem(context: int | None, max_tokens: int = 50) -> PromptProblem:
        llm = Measured(lambda request, i: "1", replace(ABLE, chat=chat, context=context))
        return prompt(write(tmp_path, rows), max_tokens=max_tokens, open_model=lambda spec: llm)

    # 425 tokens of the example, 125 of the longest instruction, 50 of the answer.
    assert problem(610).items and problem(None).items
    with pytest.raises(InvalidInput) as caught:
        problem(590)
    message = str(caught.value)
    assert "the example that begins with 'Once upon a time Once" in message and "context of 590 tokens" in message
    assert "test:function" in message and "\n" not in message
    assert problem(590, max_tokens=20).items


class Tokenized(Measured):
    """Tells the length of a prompt, a token for four ASCII characters and three for each other one."""

    asked = 0

    def count_tokens(self, prompt: str | tuple[Message, ...]) -> int:
        self.asked += 1
        text = prompt if isinstance(prompt, str) else "".join(message.content for message in prompt)
        ascii_only = sum(map(str.isascii, text))
        return ascii_only // 4 + 3 * (len(text) - ascii_only)


def tokenized(folder: Path, inputs: Sequence[str], context: int) -> Tokenized:
    """Return a model of this context after a problem with these questions was made."""
    rows = [{"input": f"{text} {i}?", "target": str(i)} for i, text in enumerate(inputs)]
    llm = Tokenized(lambda request, i: "1", replace(ABLE, context=context))
    prompt(write(folder, rows), max_tokens=50, max_length=100, open_model=lambda spec: llm)
    return llm


@pytest.mark.parametrize(("common", "long"), [(500, 450), (500, 250), (1600, 350)])
def test_the_longest_example_is_that_of_most_tokens_not_of_most_characters(
    tmp_path: Path, common: int, long: int
) -> None:
    inputs = [*(["word " * (common // 5)] * 3_000), "\u8bf7" * long]
    with pytest.raises(
        InvalidInput, match=r"the example that begins with '\u8bf7.* more than the context of 700 tokens"
    ):
        tokenized(tmp_path, inputs, 700)
    assert tokenized(tmp_path, inputs, 1_500).asked < 50


def test_what_fits_even_if_each_byte_were_a_token_is_not_counted(tmp_path: Path) -> None:
    assert tokenized(tmp_path, 20 * ["\u8bf7" * 100], 1_000).asked == 0


def test_empty_replies_are_wrong_and_counted(tmp_path: Path) -> None:
    # Too few to say that the scorer is broken.
    problem = prompt(write(tmp_path, ROWS), train=3, validation=0, test=3, open_model=answering("  "))
    result = run(problem, HandWritten(), Budget(evaluations=3))
    assert result.fun == 0.0 and result.stop_reason == "evaluations"
    # All are equal, so that the first is chosen, which is the empty one; two instructions are compared.
    assert result.assessment["instruction"] == ""
    assert result.assessment["empty_answers"] == 2 * (3 + 3)
    problem = prompt(write(tmp_path, ROWS), train=4, validation=0, test=5, open_model=answering("x"))
    assert run(problem, HandWritten(), Budget(evaluations=3)).assessment["empty_answers"] == 0


def test_a_scorer_is_asked_with_the_users_template(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("Frage: {input}\n{instruction}\nAntwort:")
    llm = FunctionLLM(lambda request, i: "0")
    problem = prompt(write(tmp_path, ROWS), template=path, open_model=lambda spec: llm)
    assert problem.evaluate("Denk nach.") in {0.0, 0.25}
    assert {text_of(request) for request in llm.requests} == {
        f"Frage: {example.input}\nDenk nach.\nAntwort:" for example in problem.splits.train
    }


def test_parts_that_overlap_or_are_empty_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    made = prompt(write(tmp_path, ROWS), train=5, test=6, open_model=answering())
    train, test = made.splits.train, made.splits.test
    for splits, words in (
        (Splits(train, (), ()), "needs training and test examples, not 5 and 0"),
        (Splits((), (), test), "needs training and test examples, not 0 and 6"),
        (Splits((*train, test[0]), (), test), "^1 questions of the test are training or validation questions too"),
        (Splits(train, test[:2], test), "^2 questions of the test"),
    ):
        with pytest.raises(InvalidInput, match=words):
            PromptProblem(made.scorer, splits, made.dataset)
