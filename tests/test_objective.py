"""The objective: what is charged, what is answered from the history, what ends a run."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmopt import (
    AskTellSolver,
    Budget,
    Float,
    FunctionProblem,
    Infeasible,
    Int,
    InvalidInput,
    Objective,
    Permutation,
    Proposals,
    Vector,
    run,
)
from llmopt.objective import IN_A_ROW, Stopped
from llmopt.space import Columns

GRID = Vector(x=Int(0, 99))


def points(*xs: int) -> list[dict[str, int]]:
    return [{"x": x} for x in xs]


def noted(calls: list[int], value: int) -> int:
    """Keep a value of a call and return it."""
    calls.append(value)
    return value


def identity(s: dict[str, float]) -> float:
    return float(s["x"])


def objective(fun: Callable[..., Any] = identity, budget: Budget | None = None, **settings: Any) -> Objective:
    problem_settings = {k: settings.pop(k) for k in ("noisy", "vectorized", "direction") if k in settings}
    problem = FunctionProblem(fun, settings.pop("space", GRID), **problem_settings)
    return Objective(problem, budget or Budget(evaluations=1_000), **settings)


def test_a_duplicate_is_answered_from_the_history_and_not_charged() -> None:
    calls: list[int] = []
    door = objective(lambda s: noted(calls, s["x"]))
    door.start(points(5, 7))
    outcome = door.step(points(7, 3, 3, 5))
    assert outcome.losses.tolist() == [7, 3, 3, 5]
    assert calls == [5, 7, 3]
    assert (len(door.history), door.duplicates, door.proposals) == (3, 3, 6)


def test_on_a_noisy_problem_every_call_is_an_evaluation() -> None:
    scores = iter(range(100))
    door = objective(lambda s: next(scores), noisy=True)
    assert door.step(points(1, 1, 1)).losses.tolist() == [0, 1, 2]
    assert (len(door.history), door.duplicates) == (3, 0)


@given(st.lists(st.lists(st.integers(-5, 104), max_size=12), max_size=12), st.integers(1, 40))
def test_no_budget_of_evaluations_is_ever_exceeded(steps: list[list[int]], limit: int) -> None:
    calls: list[int] = []
    door = objective(lambda s: noted(calls, s["x"]), Budget(evaluations=limit))
    stopped = False
    for xs in steps:
        try:
            door.step(points(*xs))
        except Stopped as stop:
            stopped = stop.reason == "evaluations"
            break
    assert len(calls) == len(door.history) == len(set(calls)) <= limit
    assert stopped == (len(calls) == limit)
    assert door.proposals == len(door.history) + door.duplicates + door.invalid.total()


@given(st.lists(st.integers(0, 99), min_size=1, max_size=200), st.integers(1, 7))
def test_counting_does_not_depend_on_how_proposals_are_cut_into_steps(xs: list[int], size: int) -> None:
    whole, parts = objective(), objective()
    outcome = whole.step(points(*xs)).losses.tolist()
    pieces = [parts.step(points(*xs[i : i + size])).losses.tolist() for i in range(0, len(xs), size)]
    assert outcome == [loss for piece in pieces for loss in piece]
    assert (whole.duplicates, len(whole.history)) == (parts.duplicates, len(parts.history))


@pytest.mark.parametrize("count", [3, 200, 70_000])
def test_a_large_step_is_counted_like_a_small_one(count: int) -> None:
    space = Vector(x=Int(0, 99_999))
    door = objective(lambda c: c["x"] * 1.0, Budget(evaluations=10**6), vectorized=True, space=space)
    xs = np.random.default_rng(0).integers(0, 50_000, count)
    outcome = door.step(Proposals({"x": xs}))
    assert np.array_equal(outcome.losses, xs)
    assert len(door.history) == len(np.unique(xs))
    assert door.duplicates == count - len(np.unique(xs))
    first = list(dict.fromkeys(xs.tolist()))
    assert door.history.columns["x"].tolist() == first


def test_what_is_outside_the_space_is_invalid_with_a_reason_and_not_charged() -> None:
    door = objective()
    outcome = door.step(Proposals({"x": np.array([1, 500, 2, -1])}, invalid=["no solution in the reply"]))
    assert outcome.losses[[0, 2]].tolist() == [1, 2] and np.isnan(outcome.losses[[1, 3]]).all()
    assert dict(door.invalid) == {"outside the space": 2, "no solution in the reply": 1}
    assert (len(door.history), door.proposals) == (2, 5)


def fails(s: dict[str, int]) -> float:
    if s["x"] == 1:
        raise ValueError("bad luck")
    if s["x"] == 2:
        raise Infeasible("too heavy")
    return {3: math.nan, 4: math.inf, 5: -math.inf, 6: None, 7: "8", 8: True}.get(s["x"], 0.5)  # type: ignore[return-value]


def test_failed_and_infeasible_evaluations_are_recorded_charged_and_never_the_best() -> None:
    door = objective(fails)
    outcome = door.step(points(*range(10)))
    assert [e.status for e in outcome] == ["ok", "failed", "infeasible", *["failed"] * 6, "ok"]
    assert outcome[1].reason == "ValueError: bad luck"
    assert outcome[2].reason == "too heavy"
    assert outcome[4].reason == "score is inf"
    assert "must be one number" in outcome[6].reason
    assert (len(door.history), door.history.count("failed"), door.history.count("infeasible")) == (10, 7, 1)
    assert door.history.incumbent is not None and door.history.incumbent.solution == {"x": 0}


def test_failures_go_through_where_the_user_asks_for_that() -> None:
    with pytest.raises(ValueError, match="bad luck"):
        objective(fails, raise_failures=True).step(points(1))


def test_minus_infinity_is_not_the_best_of_a_maximized_problem_either() -> None:
    door = objective(lambda s: math.inf if s["x"] == 1 else 3.0, direction="maximize")
    door.step(points(0, 1))
    assert door.history.incumbent is not None and door.history.incumbent.score == 3.0


def test_one_bad_row_of_a_batch_fails_alone() -> None:
    def batch(columns: Columns) -> np.ndarray:
        if (columns["x"] == 13).any():
            raise ValueError("unlucky")
        return columns["x"] * 1.0

    door = objective(batch, vectorized=True)
    assert [e.status for e in door.step(points(12, 13, 14))] == ["ok", "failed", "ok"]
    assert door.history[1].reason == "ValueError: unlucky"


def test_a_batch_of_the_wrong_length_is_one_clear_error() -> None:
    with pytest.raises(InvalidInput, match=r"3 solutions gave an array of shape \(1,\)"):
        objective(lambda c: np.zeros(1), vectorized=True).step(points(1, 2, 3))


def test_a_batch_is_one_call() -> None:
    calls: list[int] = []

    def batch(columns: Columns) -> np.ndarray:
        calls.append(len(columns["x"]))
        return columns["x"] * 1.0

    objective(batch, vectorized=True).step(points(*range(50)))
    assert calls == [50]


def test_the_target_ends_the_run_after_the_whole_step() -> None:
    door = objective(target=3)
    door.start(points(50))
    with pytest.raises(Stopped, match="target"):
        door.step(points(10, 3, 2))
    assert door.target_row == 2 and len(door.history) == 4


def test_a_target_of_a_maximized_problem_is_in_the_users_sign() -> None:
    door = objective(direction="maximize", target=90)
    door.step(points(1, 2))
    with pytest.raises(Stopped, match="target"):
        door.step(points(95))


def test_the_last_step_ends_the_run_before_a_solver_pays_for_another() -> None:
    door = objective(budget=Budget(steps=2))
    door.start(points(1, 2, 3))
    door.step(points(4))
    with pytest.raises(Stopped, match="steps"):
        door.step(points(5))
    assert door.step_count == 2 and door.history.steps.tolist() == [0, 0, 0, 1, 2]


def test_the_clock_ends_a_run_between_evaluations_and_keeps_what_is_done() -> None:
    now = [0.0]

    def slow(s: dict[str, int]) -> float:
        now[0] += 1
        return s["x"]

    door = objective(slow, Budget(seconds=2.5), clock=lambda: now[0])
    with pytest.raises(Stopped, match="seconds"):
        door.step(points(*range(9)))
    assert door.history.losses.tolist() == [0, 1, 2]


def test_only_known_proposals_end_a_run_as_stalled() -> None:
    door = objective(budget=Budget(steps=10**6))
    with pytest.raises(Stopped, match="stalled"):
        for _ in range(IN_A_ROW + 2):
            door.step(points(1))
    assert door.duplicates == IN_A_ROW


def test_twenty_proposals_for_each_evaluation_of_the_budget_end_a_run_as_stalled() -> None:
    door = objective(budget=Budget(evaluations=5))
    with pytest.raises(Stopped, match="stalled"):
        while True:
            door.step(Proposals({"x": np.array([], dtype=np.int64)}, ["no solution in the reply"]))
    assert door.proposals == 101


def test_a_space_that_is_used_up_ends_the_run() -> None:
    door = objective(space=Vector(x=Int(0, 2)))
    with pytest.raises(Stopped, match="exhausted"):
        door.step(points(0, 1, 2))


def test_a_start_point_outside_the_space_is_refused_before_anything_is_evaluated() -> None:
    door = objective(fails)
    with pytest.raises(InvalidInput, match=r"start point \{'x': 100\}"):
        door.start(points(1, 100))
    assert len(door.history) == 0


def test_an_interrupt_loses_only_the_evaluation_that_was_running() -> None:
    def evaluate(s: dict[str, int]) -> float:
        if s["x"] == 30:
            raise KeyboardInterrupt
        return s["x"]

    door = objective(evaluate, target=29)
    with pytest.raises(KeyboardInterrupt):
        door.step(points(*range(60)))
    assert door.history.losses.tolist() == list(range(30))
    assert door.target_row == 0


def test_a_function_that_changes_its_argument_does_not_change_the_history() -> None:
    def spoil(order: np.ndarray) -> float:
        order[:] = 0
        return 1.0

    def spoil_all(columns: Columns) -> np.ndarray:
        columns["x"][:] = 0
        return columns["x"] + 1.0

    door = objective(spoil, space=Permutation(3))
    door.step([np.array([2, 0, 1])])
    assert door.history[0].solution.tolist() == [2, 0, 1]
    door.history[0].solution[:] = 0
    assert door.history[0].solution.tolist() == [2, 0, 1]
    door = objective(spoil_all, vectorized=True)
    door.step(points(5, 6))
    assert door.history.columns["x"].tolist() == [5, 6]
    with pytest.raises(ValueError, match="read-only"):
        door.history.losses[:] = 0


def test_the_outcomes_of_a_list_stand_where_their_proposals_stood() -> None:
    outcome = objective().step(points(3, 500, 4))
    assert [(e.status, e.solution) for e in outcome] == [("ok", {"x": 3}), ("invalid", None), ("ok", {"x": 4})]
    assert math.isnan(outcome[1].loss) and outcome[1].step == -1
    assert math.isnan(objective()({"x": 500}))


def test_a_solver_that_proposes_nothing_ends_as_stalled() -> None:
    door = objective()
    with pytest.raises(Stopped, match="stalled"):
        while True:
            door.step([])


def test_a_batch_of_other_things_than_numbers_is_one_clear_error() -> None:
    for bad in (np.array([True, False]), np.array(["1", "2"]), np.array([1j, 2j])):
        with pytest.raises(InvalidInput, match="return one number for each"):
            objective(lambda c, bad=bad: bad, vectorized=True).step(points(1, 2))


class Uniform(AskTellSolver):
    def ask(self, n: int) -> Proposals:
        return Proposals(self.task.space.sample(n, self.rng))


@given(st.integers(0, 99), st.sampled_from([1, 3, 8]))
def test_maximizing_the_negative_is_the_same_run(seed: int, batch: int) -> None:
    space = Vector(x=Float(-1, 1))
    low = run(FunctionProblem(lambda s: s["x"] ** 2, space), Uniform(batch), Budget(40), seed=seed)
    high = run(FunctionProblem(lambda s: -(s["x"] ** 2), space, "maximize"), Uniform(batch), Budget(40), seed=seed)
    assert low.x == high.x and low.fun == -high.fun
    assert low.history.losses.tolist() == high.history.losses.tolist()
