"""The numeric functions: known optimum, shift, neutral description."""

from __future__ import annotations

import re
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.problems.functions import FunctionName, NumericFunction, random_orthogonal
from llmopt.registry import create_problem

NAMES: tuple[FunctionName, ...] = get_args(FunctionName)
FREE_DIMENSION: tuple[FunctionName, ...] = ("ackley", "rastrigin", "rosenbrock", "sphere")
functions = st.tuples(st.sampled_from(FREE_DIMENSION), st.integers(2, 20)) | st.tuples(
    st.sampled_from(NAMES), st.none()
)
instances = st.integers(0, 10_000_000)


@settings(deadline=None, max_examples=100)
@given(function=functions, instance=instances, rotated=st.booleans())
def test_the_declared_optimum_is_reached_and_not_beaten(
    function: tuple[FunctionName, int | None], instance: int, rotated: bool
) -> None:
    problem = NumericFunction(*function, instance=instance, rotated=rotated)
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
@given(function=functions, instance=instances, rotated=st.booleans(), count=st.integers(1, 70))
def test_a_value_does_not_depend_on_its_batch(
    function: tuple[FunctionName, int | None], instance: int, rotated: bool, count: int
) -> None:
    problem = NumericFunction(*function, instance=instance, rotated=rotated)
    columns = problem.space.sample(count, np.random.default_rng(instance))
    values = problem.evaluate_batch(columns)
    assert [problem.evaluate(solution) for solution in problem.space.solutions(columns)] == values.tolist()
    again = NumericFunction(*function, instance=instance, rotated=rotated)
    assert values.tolist() == again.evaluate_batch(columns).tolist()


@given(function=functions, instance=st.integers(1, 10_000_000))
def test_a_rotation_keeps_the_optimum_and_is_about_it(function: tuple[FunctionName, int | None], instance: int) -> None:
    plain = NumericFunction(*function, instance=instance)
    turned = NumericFunction(*function, instance=instance, rotated=True)
    assert plain.rotation is None
    assert turned.rotation is not None
    assert (plain.space, plain.optimum, plain.describe()) == (turned.space, turned.optimum, turned.describe())
    assert plain.starts(np.random.default_rng(0)) == turned.starts(np.random.default_rng(0))
    assert plain.identity() != turned.identity()
    # f(R (x - p) + m) at x = p + R.T y is f(m + y), which is the unrotated instance at p + y.
    assert turned.optimum is not None
    place = np.array(list(turned.optimum.solution.values()))[:, None]
    steps = np.random.default_rng(instance).normal(0, 1, (len(place), 20))
    moved = dict(zip(turned.space.variables, place + turned.rotation.T @ steps, strict=True))
    straight = dict(zip(plain.space.variables, place + steps, strict=True))
    assert turned.evaluate_batch(moved) == pytest.approx(plain.evaluate_batch(straight), rel=1e-6, abs=1e-6)


@given(function=functions)
def test_instance_0_is_never_rotated(function: tuple[FunctionName, int | None]) -> None:
    plain, rotated = NumericFunction(*function), NumericFunction(*function, rotated=True)
    columns = plain.space.sample(20, np.random.default_rng(0))
    assert plain.evaluate_batch(columns).tolist() == rotated.evaluate_batch(columns).tolist()


@given(dim=st.integers(1, 40), instance=st.integers(1, 9_999_999))
def test_rotations_are_orthogonal_and_belong_to_the_instance(dim: int, instance: int) -> None:
    first, same, other = (
        NumericFunction("sphere", dim, instance=i, rotated=True).rotation for i in (instance, instance, instance + 1)
    )
    assert first is not None and same is not None and other is not None
    assert first.T @ first == pytest.approx(np.eye(dim), abs=1e-12)
    assert (first == same).all()
    assert dim == 1 or (first != other).any()


def test_rotations_are_uniform() -> None:
    """Each entry of a uniform orthogonal matrix has mean 0 and mean square 1/d, half of the determinants are -1."""
    rng = np.random.default_rng(0)
    draws = np.array([random_orthogonal(3, rng) for _ in range(4_000)])
    assert draws.mean(axis=0) == pytest.approx(np.zeros((3, 3)), abs=0.04)
    assert (draws**2).mean(axis=0) == pytest.approx(np.full((3, 3), 1 / 3), abs=0.02)
    assert (np.linalg.det(draws) > 0).mean() == pytest.approx(0.5, abs=0.04)


def test_a_rotation_couples_the_variables() -> None:
    """On ``rastrigin`` f(x, y) - f(x, b) - f(a, y) + f(a, b) is 0, until it is rotated."""
    for rotated in (False, True):
        problem = NumericFunction("rastrigin", 2, instance=1, rotated=rotated)
        x, y = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
        mixed = problem.evaluate_batch({"x1": x, "x2": y}) @ [1, -1, -1, 1]
        assert abs(mixed) > 0.1 if rotated else abs(mixed) < 1e-9


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
        ({"name": "sphere", "rotated": "maybe"}, "rotated=maybe is not legal; give true or false"),
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
