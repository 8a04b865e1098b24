"""A metric that is a function of the user's own."""

from __future__ import annotations

import pickle
import sys
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


RULES = """
import string

LIMIT = 3

def norm(t): return t.lower()

def same(reply, example, strict=False):
    return norm(reply) == norm(example.target)
"""


def identity_of(path: Path, source: str) -> str:
    path.write_text(source, encoding="utf-8")
    return by_name(f"{path}:same").identity()


@pytest.mark.parametrize(
    ("old", "new"),
    [("return t.lower()", "return 1"), ("strict=False", "strict=True"), ("LIMIT = 3", "LIMIT = 30"), ("== n", "!= n")],
)
def test_what_a_function_depends_on_in_its_file_is_part_of_the_metric(tmp_path: Path, old: str, new: str) -> None:
    assert old in RULES
    assert identity_of(tmp_path / "a.py", RULES) == identity_of(tmp_path / "b.py", RULES)
    assert identity_of(tmp_path / "a.py", RULES) != identity_of(tmp_path / "c.py", RULES.replace(old, new))


def test_comments_and_layout_make_no_other_metric(tmp_path: Path) -> None:
    said = "# What is right.\n" + RULES.replace("return t", "\n    # Case does not matter.\n    return t")
    assert identity_of(tmp_path / "a.py", RULES) == identity_of(tmp_path / "b.py", said)


def test_a_function_of_a_module_depends_on_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for folder, source in (("one", RULES), ("two", RULES.replace("t.lower()", "t.upper()"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rules_of_a_user.py").write_text(source, encoding="utf-8")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / folder))
            found.append(by_name("rules_of_a_user:same").identity())
        monkeypatch.delitem(sys.modules, "rules_of_a_user")
    assert found[0] != found[1]


def test_a_function_without_source_is_told_by_its_name() -> None:
    assert by_name("_operator:ne").identity() == "_operator:ne"
