"""A metric that is a function of the user's own."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from llmopt.errors import InvalidInput
from llmopt.problems.prompt.examples import Example
from llmopt.problems.prompt.metrics import by_name

SOURCE = """
import numpy as np

def same(reply, example):
    return reply == example.target

def half(reply, example):
    return np.float32(0.5)

def fails(reply, example):
    raise KeyError("price")

def returns(reply, example):
    return {"two": 2, "nan": float("nan"), "none": None, "text": "1", "true": np.bool_(True)}[reply]

def alone(reply):
    return 1

number = 3
"""

EXAMPLE = Example("What is two?", "2")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(SOURCE, encoding="utf-8")
    return path


def test_what_a_function_says_is_the_score(source: Path) -> None:
    metric = by_name(f"{source}:same")
    assert [metric.score(reply, EXAMPLE) for reply in ("2", "3")] == [1.0, 0.0]
    assert by_name(f"{source}:half").score("", EXAMPLE) == 0.5
    assert by_name(f"{source}:returns").score("true", EXAMPLE) == 1.0
    assert metric.parses("anything")


def test_a_module_can_hold_it() -> None:
    assert by_name("operator:ne").score("a", EXAMPLE) == 1.0


def test_it_goes_to_another_process(source: Path) -> None:
    assert pickle.loads(pickle.dumps(by_name(f"{source}:same"))).score("2", EXAMPLE) == 1.0


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("missing", "unknown function of .* 'missing'; .*legal: .*same"),
        ("number", "is not a function"),
        ("alone", r"cannot be called as alone\(reply, example\).*two parameters"),
        ("", "is not legal; name it as FILE.py:FUNCTION"),
    ],
)
def test_a_function_that_cannot_be_used(source: Path, function: str, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        by_name(f"{source}:{function}")


@pytest.mark.parametrize("content", ["def broken(:", "1 / 0", "raise SystemExit(3)"])
def test_a_file_that_cannot_be_loaded(tmp_path: Path, content: str) -> None:
    path = tmp_path / "broken.py"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"broken\.py:f cannot be loaded, \w+: ") as caught:
        by_name(f"{path}:f")
    assert "\n" not in str(caught.value)


def test_a_source_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="there is no file"):
        by_name(f"{tmp_path / 'absent.py'}:f")
    with pytest.raises(InvalidInput, match="cannot be loaded, ModuleNotFoundError"):
        by_name("no_such_module_anywhere:f")


def test_what_a_function_raises_is_no_wrong_answer(source: Path) -> None:
    with pytest.raises(InvalidInput, match=r"own\.py:fails raised KeyError: 'price' on the example 'What is two\?'"):
        by_name(f"{source}:fails").score("2", EXAMPLE)


@pytest.mark.parametrize("reply", ["two", "nan", "none", "text"])
def test_a_score_is_a_number_from_0_to_1(source: Path, reply: str) -> None:
    with pytest.raises(InvalidInput, match=r"own\.py:returns returned .* with target '2'; return a bool or a number"):
        by_name(f"{source}:returns").score(reply, EXAMPLE)
