"""The paper's straight line: its data, start pairs and optimum."""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import InvalidInput
from llmopt.problems.regression import LinearRegression
from llmopt.registry import create_problem

SETTINGS = [(15, 14), (17, 17), (16, 10), (3, 5), (25, 23), (2, 30), (36, -1)]
STARTS = [
    [(18, 15), (10, 13), (16, 14), (17, 18), (15, 10)],
    [(16, 19), (19, 12), (19, 16), (18, 14), (10, 18)],
    [(16, 15), (14, 12), (17, 14), (12, 13), (20, 12)],
    [(14, 17), (11, 12), (18, 19), (13, 13), (15, 11)],
    [(15, 17), (12, 11), (13, 17), (14, 16), (14, 11)],
]
LOSSES = [47.0, 55.1, 54.2, 48.7, 36.3]


def pairs(problem: LinearRegression) -> list[tuple[int, int]]:
    return [(s["w"], s["b"]) for s in problem.starts(np.random.default_rng(99))]


@pytest.mark.parametrize("instance", range(5))
@pytest.mark.parametrize(("w", "b"), SETTINGS)
def test_repeats_of_the_paper(w: int, b: int, instance: int) -> None:
    problem = LinearRegression(w, b, instance=instance)
    assert pairs(problem) == STARTS[instance]
    assert problem.optimum is not None
    assert problem.optimum.solution == {"w": w, "b": b}
    assert round(problem.optimum.score, 1) == LOSSES[instance]


def test_later_instances_go_on() -> None:
    assert len({tuple(LinearRegression(instance=i).y) for i in range(50)}) == 50
    for i in range(5, 50):
        assert all(10 <= value <= 20 for pair in pairs(LinearRegression(instance=i)) for value in pair)


@pytest.mark.parametrize(("low", "high", "region"), [(12, 60, (12, 20)), (-5, 5, (-5, 5)), (7, 7, (7, 7))])
def test_starts_lie_in_the_box(low: int, high: int, region: tuple[int, int]) -> None:
    problem = LinearRegression(low=low, high=high)
    assert len(pairs(problem)) == 5
    assert all(region[0] <= value <= region[1] for pair in pairs(problem) for value in pair)


@settings(deadline=None, max_examples=150)
@given(
    w_true=st.integers(-60, 60) | st.floats(-60, 60),
    b_true=st.integers(-60, 60) | st.floats(-60, 60),
    low=st.integers(-30, 30),
    width=st.integers(0, 40),
    points=st.integers(2, 60),
    noise=st.sampled_from([0.0, 1.0, 30.0]),
    instance=st.integers(0, 1000),
)
def test_optimum_is_the_best_pair_of_the_box(
    w_true: float, b_true: float, low: int, width: int, points: int, noise: float, instance: int
) -> None:
    problem = LinearRegression(w_true, b_true, low, low + width, points, noise, instance)
    (columns,) = problem.space.enumerate()
    losses = problem.evaluate_batch(columns)
    assert problem.optimum is not None
    assert problem.evaluate(problem.optimum.solution) == problem.optimum.score
    np.testing.assert_allclose(losses.min(), problem.optimum.score, rtol=1e-12)
    residuals = problem.y - np.outer(columns["w"], problem.x) - columns["b"][:, None]
    # Rounding of the data leaves residuals of about 1e-13 where the fit is perfect.
    np.testing.assert_allclose(losses, np.sum(residuals**2, axis=1), rtol=1e-9, atol=1e-18)


def test_a_perfect_fit_has_loss_zero() -> None:
    problem = LinearRegression(noise=0)
    assert problem.evaluate({"w": 15, "b": 14}) == 0.0
    assert problem.optimum is not None
    assert problem.optimum.score == 0.0


def test_ties_all_reach_the_target() -> None:
    problem = LinearRegression(15, 14.5, noise=0)
    assert problem.optimum is not None
    target = problem.optimum.score + problem.optimum.tolerance
    assert {b for b in range(-50, 51) if problem.evaluate({"w": 15, "b": b}) <= target} == {14, 15}


def test_a_distant_line_is_found_at_the_edge() -> None:
    problem = LinearRegression(-3e5, 7, low=-50, high=1_000_000_000)
    assert problem.optimum is not None
    assert problem.optimum.solution == {"w": -50, "b": -50}


def test_a_million_pairs_at_once() -> None:
    problem = LinearRegression(low=-500, high=500)
    (columns,) = problem.space.enumerate(2_000_000)
    began = time.perf_counter()
    losses = problem.evaluate_batch(columns)
    assert time.perf_counter() - began < 1
    assert losses.shape == (1_002_001,)
    best = int(np.argmin(losses))
    assert (columns["w"][best], columns["b"][best]) == (15, 14)
    for i in range(0, len(losses), 50_001):
        assert problem.evaluate(problem.space.row(columns, i)) == losses[i]


def test_description_tells_what_is_sought_but_not_where() -> None:
    text = LinearRegression(w_true=23, b_true=-7, points=44, noise=3).describe()
    assert re.search(r"\bw\b", text)
    assert re.search(r"\bb\b", text)
    assert "minimised" in text
    assert not re.findall(r"\d", text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"w_tru": "3"}, "did you mean 'w_true'"),
        ({"w_true": "many"}, "w_true=many is not legal"),
        ({"w_true": "nan"}, "w_true=nan is not legal"),
        ({"b_true": "1e300"}, "b_true=1e+300 is not legal"),
        ({"low": "3", "high": "2"}, "low=3 is greater than high=2"),
        ({"low": "0.5"}, "low=0.5 is not legal; give a whole number"),
        ({"high": "99999999999999999999"}, "high=99999999999999999999 is not legal"),
        ({"points": "1"}, "points=1 is not legal"),
        ({"points": "9.5"}, "points=9.5 is not legal"),
        ({"noise": "-1"}, "noise=-1.0 is not legal"),
        ({"instance": "-1"}, "instance=-1 is not legal"),
        ({"target": "y"}, "target belongs to a table: add data=FILE"),
        ({"integer": "maybe"}, "integer=maybe is not legal"),
        ({"data": "x.csv", "points": "3"}, "points cannot be combined with data=FILE"),
    ],
)
def test_bad_settings_are_named(given: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(words)) as caught:
        create_problem("regression", given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{"w_true": "15"}, {"low": True}, {"points": None}, {"noise": float("inf")}])
def test_bad_arguments_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=f"{next(iter(given))}=.* is not legal"):
        LinearRegression(**given)


def test_the_registry_gives_the_paper_by_default() -> None:
    problem = create_problem("regression", {"w_true": "3", "b_true": "5"}, instance=4)
    assert isinstance(problem, LinearRegression)
    assert pairs(problem) == STARTS[4]
    assert problem.optimum is not None
    assert problem.optimum.solution == {"w": 3, "b": 5}
