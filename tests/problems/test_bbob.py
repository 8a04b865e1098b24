"""COCO's functions: its numbers, its optima, and nothing of its state."""

from __future__ import annotations

import pickle
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cocoex
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import InvalidInput, MissingExtra
from llmopt.problems.bbob import BBOB, DIMENSIONS, FUNCTIONS, LAST_INSTANCE
from llmopt.registry import create_problem

functions = st.integers(1, FUNCTIONS)
dimensions = st.sampled_from(DIMENSIONS)
instances = st.integers(0, 14) | st.integers(0, LAST_INSTANCE)
every_function = pytest.mark.parametrize("function", range(1, FUNCTIONS + 1))


@every_function
@pytest.mark.parametrize("dim", DIMENSIONS)
def test_the_optimum_of_every_function_has_its_value(function: int, dim: int) -> None:
    for instance in (0, 1, 14, 109, LAST_INSTANCE):
        problem = BBOB(function, dim, instance=instance)
        assert problem.optimum is not None
        assert problem.space.violation(problem.optimum.solution) is None
        assert problem.evaluate(problem.optimum.solution) == pytest.approx(problem.optimum.score, abs=1e-10)


@given(function=functions, dim=dimensions, instance=instances)
def test_the_optimum_is_not_beaten(function: int, dim: int, instance: int) -> None:
    problem = BBOB(function, dim, instance=instance)
    optimum = problem.optimum
    assert optimum is not None
    rng = np.random.default_rng(instance)
    near = {name: np.clip(x + rng.normal(0, 1e-4, 100), -5, 5) for name, x in optimum.solution.items()}
    for columns in (problem.space.sample(100, rng), near):
        assert problem.evaluate_batch(columns).min() >= optimum.score - 1e-10


@pytest.mark.parametrize("instance", [0, 4, 100])
def test_it_is_the_suite_of_coco(instance: int) -> None:
    suite = cocoex.Suite("bbob", f"instances: {instance + 1}", "")
    assert len(suite) == FUNCTIONS * len(DIMENSIONS)
    rng = np.random.default_rng(instance)
    for theirs in suite:
        ours = BBOB(theirs.id_function, theirs.dimension, instance=instance)
        assert ours.optimum is not None
        assert [variable.box for variable in ours.space.variables.values()] == list(
            zip(theirs.lower_bounds, theirs.upper_bounds, strict=True)
        )
        columns = ours.space.sample(3, rng)
        points = np.column_stack(list(columns.values()))
        assert ours.evaluate_batch(columns).tolist() == [theirs(point) for point in points]
        # COCO takes its last target, 1e-8 above the minimum, for reached at our optimum and not before.
        assert not theirs.final_target_hit
        assert theirs(list(ours.optimum.solution.values())) <= ours.optimum.score + ours.optimum.tolerance
        assert theirs.final_target_hit


@pytest.mark.parametrize(
    ("function", "point", "value"), [(1, [1, 2], 90.00369408), (1, [0, 0], 80.88209408), (1, [0.2528, -1.1568], 79.48)]
)
def test_published_values(function: int, point: list[float], value: float) -> None:
    assert BBOB(function).evaluate({"x1": float(point[0]), "x2": float(point[1])}) == pytest.approx(value, abs=1e-10)


@given(function=functions, dim=dimensions, instance=instances, count=st.integers(1, 20))
def test_a_value_depends_on_neither_the_batch_nor_what_was_asked_before(
    function: int, dim: int, instance: int, count: int
) -> None:
    problem = BBOB(function, dim, instance=instance)
    columns = problem.space.sample(count, np.random.default_rng(instance))
    values = problem.evaluate_batch(columns).tolist()
    solutions = problem.space.solutions(columns)
    assert [problem.evaluate(solution) for solution in reversed(solutions)] == values[::-1]
    assert problem.evaluate_batch(columns).tolist() == values
    assert BBOB(function, dim, instance=instance).evaluate_batch(columns).tolist() == values


@every_function
def test_threads_and_copies_give_the_same_values(function: int) -> None:
    problem = BBOB(function, 5, instance=3)
    columns = problem.space.sample(40, np.random.default_rng(0))
    values, solutions = problem.evaluate_batch(columns).tolist(), problem.space.solutions(columns)
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(problem.evaluate, solutions)) == values
    copy = pickle.loads(pickle.dumps(problem))
    assert copy.evaluate_batch(columns).tolist() == values
    assert (copy.space, copy.optimum, copy.identity()) == (problem.space, problem.optimum, problem.identity())


@given(function=functions, dim=dimensions, instance=instances)
def test_description_is_neutral(function: int, dim: int, instance: int) -> None:
    problem = BBOB(function, dim, instance=instance)
    text = problem.describe()
    assert all(re.search(rf"\b{name}\b", text) for name in problem.space.variables)
    assert not re.search("coco|bbob|optimum", text.lower())
    assert not re.findall(r"(?<!x)(?<![\d.])-?\d+(?:\.\d+)?\b", text)


def test_instances_differ_in_optimum_and_starts() -> None:
    problems = [BBOB(8, instance=instance) for instance in range(15)]
    assert len({tuple(p.optimum.solution.values()) for p in problems if p.optimum}) == 15
    assert len({p.optimum.score for p in problems if p.optimum}) == 15
    starts = [p.starts(np.random.default_rng(0)) for p in problems]
    assert all(len(points) == 5 for points in starts)
    assert starts[0] == problems[0].starts(np.random.default_rng(1)) != starts[1]


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    problem = create_problem("bbob", {"function": "24", "dim": "10", "tolerance": "0.1"}, instance=1)
    assert isinstance(problem, BBOB)
    assert problem.optimum is not None and problem.optimum.tolerance == 0.1
    problem.evaluate(problem.optimum.solution)
    del problem
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_without_coco_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cocoex", None)
    with pytest.raises(MissingExtra, match=re.escape("pip install 'llmopt[bbob]'")):
        BBOB(1)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "the setting function is missing"),
        ({"function": "0"}, "function=0 is not legal; give a whole number from 1 to 24"),
        ({"function": "25"}, "function=25 is not legal"),
        ({"function": "sphere"}, "function=sphere is not legal; give a whole number"),
        ({"function": "1", "dim": "4"}, "dim=4 is not legal; COCO has 2, 3, 5, 10, 20, 40"),
        ({"function": "1", "tolerance": "0"}, "tolerance=0.0 is not legal"),
        ({"function": "1", "instance": "-1"}, "instance=-1 is not legal; give a whole number from 0 to 200,000"),
        ({"function": "1", "instance": "200001"}, "instance=200001 is not legal"),
    ],
)
def test_bad_settings_are_named(given: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)) as caught:
        create_problem("bbob", given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{"function": None}, {"function": True}, {"function": 1, "dim": "2"}])
def test_bad_arguments_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        BBOB(**given)
