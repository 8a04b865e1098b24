"""A person who brings the scores gets the run that a function would have got."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmopt import Experiment, Float, History, Int, InvalidInput, Permutation, Vector, maximize, minimize
from llmopt.opro import OPRO
from support.models import obedient

SPACE = Vector(x=Float(-5, 5), n=Int(-9, 9))


def score(solution: dict[str, Any]) -> float:
    return float((solution["x"] - 1) ** 2 + abs(solution["n"] - 3))


def measure(experiment: Experiment, order: Any = None) -> None:
    """Measure whatever is asked for until nothing is."""
    while batch := experiment.ask():
        for solution in batch if order is None else order(batch):
            experiment.tell(solution, score(solution))


def same(one: History, other: History) -> bool:
    return [(e.solution, e.score, e.step) for e in one] == [(e.solution, e.score, e.step) for e in other]


@pytest.mark.parametrize(
    "solver", ["random", "tpe:batch=8", "nelder-mead", "cma-es", "direct", "differential-evolution"]
)
def test_an_experiment_is_the_run_of_a_function(solver: str) -> None:
    expected = minimize(score, SPACE, solver=solver, max_evaluations=40, seed=3)
    with Experiment(SPACE, solver=solver, max_evaluations=40, seed=3) as experiment:
        measure(experiment)
        result = experiment.result()
    assert same(result.history, expected.history)
    assert (result.stop_reason, result.nit) == (expected.stop_reason, expected.nit)


@settings(max_examples=10)
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_a_step_is_told_makes_no_difference(random: Any) -> None:
    expected = minimize(score, SPACE, solver="tpe:batch=8", max_evaluations=30)
    with Experiment(SPACE, solver="tpe:batch=8", max_evaluations=30) as experiment:
        measure(experiment, lambda batch: random.sample(batch, len(batch)))
        assert same(experiment.result().history, expected.history)


def test_a_model_proposes_and_a_person_measures() -> None:
    with Experiment(SPACE, solver=OPRO(llm=obedient()), max_evaluations=20) as experiment:
        measure(experiment)
        assert experiment.result().nfev == 20


def test_what_is_open_is_asked_for_again_until_it_is_told() -> None:
    with Experiment(SPACE, solver="random", max_evaluations=20) as experiment:
        first = experiment.ask()
        assert len(first) == 5
        assert experiment.ask(2) == first[:2]
        experiment.tell(first[1], 1.0)
        assert experiment.ask() == [first[0], *first[2:]]
        assert len(experiment.history) == 0


def test_permutations_are_told_as_arrays() -> None:
    with Experiment(Permutation(5), "maximize", solver="random", max_evaluations=10) as experiment:
        while batch := experiment.ask():
            for order in reversed(batch):
                experiment.tell(order, float(order[0]))
        result = experiment.result()
    assert result.fun == max(float(e.solution[0]) for e in result.history)


@pytest.mark.parametrize("failure", [None, math.nan, math.inf])
def test_a_measurement_that_failed_is_an_outcome(failure: float | None) -> None:
    with Experiment(SPACE, "maximize", solver="random", starts=[{"x": 1.0, "n": 1}], max_evaluations=1) as experiment:
        [start] = experiment.ask()
        experiment.tell(start, failure)
        result = experiment.result()
    assert result.history[0].status == "failed"
    assert result.x is None


def test_an_experiment_goes_on_where_its_log_ends(tmp_path: Path) -> None:
    expected = minimize(score, SPACE, solver="tpe:batch=8", max_evaluations=24, seed=1)
    told = 0
    while told < 24:
        # Three measurements a day.
        with Experiment(SPACE, solver="tpe:batch=8", max_evaluations=24, seed=1, log=tmp_path) as experiment:
            for _ in range(3):
                solution = experiment.ask()[-1]
                experiment.tell(solution, score(solution))
                told += 1
    with Experiment(SPACE, solver="tpe:batch=8", max_evaluations=24, seed=1, log=tmp_path) as experiment:
        assert experiment.ask() == []
        assert same(experiment.result().history, expected.history)


def test_an_experiment_that_is_left_open_ends_with_what_was_told() -> None:
    experiment = Experiment(SPACE, solver="random", max_evaluations=20)
    for solution in experiment.ask():
        experiment.tell(solution, score(solution))
    result = experiment.result()
    assert (result.stop_reason, result.nfev) == ("interrupted", 5)
    assert experiment.ask() == []


def test_earlier_measurements_are_known_to_the_solver() -> None:
    earlier = [({"x": 0.0, "n": n}, float(n)) for n in range(6)]
    with Experiment(SPACE, solver="nelder-mead", earlier=earlier, max_evaluations=10) as experiment:
        measure(experiment)
        result = experiment.result()
    assert np.array_equal(result.history.steps[:6], np.zeros(6))
    assert [e.score for e in result.history][:6] == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert result.nfev == 10


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 2}, "an experiment has no workers"),
        ({"max_seconds": 3.0}, "evaluations or steps"),
        ({"direction": "up"}, "'minimize' or 'maximize'"),
        ({"solver": "no"}, "unknown solver"),
        ({"max_evaluations": 0}, "at least 1"),
    ],
)
def test_bad_options_are_one_clear_error(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        Experiment(SPACE, **options)


@pytest.mark.parametrize(
    ("solution", "value", "words"),
    [
        ({"x": 9.0, "n": 0}, 1.0, "not legal"),
        ({"x": 0.123, "n": 0}, 1.0, "was not asked for"),
        ({"x": 1.0, "n": 1}, "good", "must be a number"),
    ],
)
def test_what_cannot_be_told_is_one_clear_error(solution: Any, value: Any, words: str) -> None:
    with Experiment(SPACE, solver="random", starts=[{"x": 1.0, "n": 1}], max_evaluations=3) as experiment:
        with pytest.raises(InvalidInput, match=words):
            experiment.tell(solution, value)
        assert experiment.ask() == [{"x": 1.0, "n": 1}]


def test_the_direction_is_the_users() -> None:
    expected = maximize(score, SPACE, solver="random", max_evaluations=12)
    with Experiment(SPACE, "maximize", solver="random", max_evaluations=12) as experiment:
        measure(experiment)
        assert experiment.result().fun == expected.fun
