"""The numeric functions: known optimum, shift, neutral description."""

from __future__ import annotations

import re
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.problems.functions import FunctionName, NumericFunction
from llmopt.registry import create_problem

NAMES: tuple[FunctionName, ...] = get_args(FunctionName)
FREE_DIMENSION: tuple[FunctionName, ...] = ("ackley", "rastrigin", "rosenbrock", "sphere")
functions = st.tuples(st.sampled_from(FREE_DIMENSION), st.integers(2, 20)) | st.tuples(
    st.sampled_from(NAMES), st.none()
)
instances = st.integers(0, 10_000_000)


@settings(deadline=None, max_examples=100)
@given(function=functions, instance=instances)
def test_the_declared_optimum_is_reached_and_not_beaten(
    function: tuple[FunctionName, int | None], instance: int
) -> None:
    problem = NumericFunction(*function, instance=instance)
    optimum = problem.optimum
    assert optimum is not None
    assert problem.space.violation(optimum.solution) is None
    assert problem.evaluate(optimum.solution) == pytest.approx(optimum.score, abs=1e-10)
    rng = np.random.default_rng(instance)
    wide = problem.space.sample(10_000, rng)
    near = {
        name: np.clip(optimum.solution[name] + rng.normal(0, 1e-3, 1000), *variable.box)
        for name, variable in problem.space.variables.items()
    }
    for columns in (wide, near):
        assert problem.evaluate_batch(columns).min() >= optimum.score - 1e-12


@settings(deadline=None, max_examples=100)
@given(function=functions, instance=instances, count=st.integers(1, 70))
def test_a_value_does_not_depend_on_its_batch(
    function: tuple[FunctionName, int | None], instance: int, count: int
) -> None:
    problem = NumericFunction(*function, instance=instance)
    columns = problem.space.sample(count, np.random.default_rng(instance))
    values = problem.evaluate_batch(columns)
    assert [problem.evaluate(solution) for solution in problem.space.solutions(columns)] == values.tolist()
    assert values.tolist() == NumericFunction(*function, instance=instance).evaluate_batch(columns).tolist()


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("sphere", [1, -2, 3], 14.0),
        ("rosenbrock", [0, 0, 0], 2.0),
        ("rosenbrock", [-1.2, 1.0], 24.2),
        ("rosenbrock-paper", [10, 20], 100.0 + 6400.0),
        ("rosenbrock-paper", [20, 400], 0.0),
        ("rastrigin", [1, -2], 5.0),
        ("rastrigin", [0.5, 0.0], 20.25),
        ("ackley", [1, 1], 20 - 20 * np.exp(-0.2)),
        ("branin", [0, 0], 36 + 10 * (1 - 1 / (8 * np.pi)) + 10),
        ("branin", [-np.pi, 12.275], 0.397887),
        ("branin", [np.pi, 2.275], 0.397887),
        ("branin", [9.42478, 2.475], 0.397887),
        ("hartmann6", [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573], -3.32237),
    ],
)
def test_published_values_of_instance_0(name: FunctionName, point: list[float], value: float) -> None:
    problem = NumericFunction(name, len(point))
    solution = {f"x{i + 1}": float(x) for i, x in enumerate(point)}
    assert problem.evaluate(solution) == pytest.approx(value, abs=1e-5)


def test_the_paper_is_a_preset() -> None:
    for instance in (0, 7):
        preset = NumericFunction("rosenbrock-paper", instance=instance)
        spelled = NumericFunction("rosenbrock", a=20, b=1, instance=instance)
        assert preset.space == spelled.space
        assert preset.optimum == spelled.optimum


@pytest.mark.parametrize("name", NAMES)
def test_instances_move_the_optimum(name: FunctionName) -> None:
    problems = [NumericFunction(name, instance=i) for i in range(20)]
    places = {tuple(p.optimum.solution.values()) for p in problems if p.optimum}
    assert len(places) == 20
    assert len({p.space for p in problems}) == 1
    assert not problems[0].shift.any()


@pytest.mark.parametrize("name", NAMES)
def test_starts_belong_to_the_instance_and_differ_from_a_solver_s_draws(name: FunctionName) -> None:
    problem = NumericFunction(name, instance=3)
    starts = problem.starts(np.random.default_rng(0))
    assert len(starts) == 5
    assert (
        starts
        == problem.starts(np.random.default_rng(1))
        != NumericFunction(name, instance=4).starts(np.random.default_rng(0))
    )
    for seed in (3, [3, 0], [3, 1]):
        assert problem.space.solutions(problem.space.sample(5, np.random.default_rng(seed))) != starts


@settings(deadline=None)
@given(function=functions, instance=instances)
def test_description_is_neutral(function: tuple[FunctionName, int | None], instance: int) -> None:
    problem = NumericFunction(*function, instance=instance)
    text = problem.describe()
    assert all(re.search(rf"\b{name}\b", text) for name in problem.space.variables)
    assert not any(name.split("-")[0].rstrip("6") in text.lower() for name in NAMES)
    assert not re.findall(r"(?<!x)(?<![\d.])-?\d+(?:\.\d+)?\b", text)


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_and_sources(name: FunctionName) -> None:
    problem = create_problem("function", {"name": name}, instance=2)
    assert isinstance(problem, NumericFunction)
    assert problem.instance == 2
    assert re.search(r"19\d\d", problem.formula.source)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "the setting name is missing"),
        ({"name": "akley"}, "name=akley is not legal; choose one of ackley"),
        ({"name": "sphere", "dims": "3"}, "did you mean 'dim'"),
        ({"name": "sphere", "dim": "0"}, "dim=0 is not legal; give a whole number from 1 to 1,000"),
        ({"name": "sphere", "dim": "2.5"}, "dim=2.5 is not legal"),
        ({"name": "rosenbrock", "dim": "1"}, "dim=1 is not legal; give a whole number from 2"),
        ({"name": "branin", "dim": "3"}, "function branin: dim=3 is not legal, since it has 2 variables"),
        ({"name": "hartmann6", "dim": "2"}, "it has 6 variables"),
        ({"name": "rosenbrock", "a": "20", "dim": "3"}, "rosenbrock with a=20: dim=3"),
        ({"name": "rosenbrock", "b": "0"}, "b=0.0 is not legal"),
        ({"name": "ackley", "a": "1"}, "a and b are settings of rosenbrock only"),
        ({"name": "rosenbrock-paper", "b": "1"}, "a and b are settings of rosenbrock only"),
        ({"name": "sphere", "tolerance": "0"}, "tolerance=0.0 is not legal"),
        ({"name": "sphere", "instance": "-3"}, "instance=-3 is not legal"),
    ],
)
def test_bad_settings_are_named(given: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)) as caught:
        create_problem("function", given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{"name": "Ackley"}, {"name": None}, {"name": "sphere", "dim": "2"}])
def test_bad_arguments_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        NumericFunction(**given)
