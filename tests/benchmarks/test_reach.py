"""How far from the start region an optimum lies, and how much runs differ."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from llmopt import Budget
from llmopt.benchmarks.compare import Comparison, create_problems, create_solvers
from llmopt.benchmarks.reach import Reach, Spread, distance_to_region, reaches, run_spreads, spread
from llmopt.benchmarks.results import Results
from llmopt.runlog import LogReader, RunLog
from support.traces import trace

starts = arrays.arrays(np.float64, (5, 2), elements=st.integers(-50, 50))


def found_in(results: Results) -> list[Reach]:
    with LogReader(results.folder) as reader:
        return reaches(results.traces, lambda each: reader.history(each.run))


def run(folder: Path, problem: str, settings: dict[str, str], solvers: list[str], repeats: int = 2) -> Results:
    problems, instance = create_problems(problem, settings, repeats)
    with RunLog(folder) as log:
        built = create_solvers(solvers, None)
        comparison = Comparison(problem, settings, problems, built, Budget(evaluations=60), instance, log=log)
        assert len(list(comparison.runs())) == repeats * len(solvers)
    return Results.read(folder)


def test_the_distance_is_that_of_the_problems_optimum_from_the_logged_starts(tmp_path: Path) -> None:
    results = run(tmp_path, "regression", {"w_true": "36", "b_true": "-1", "instance": "1"}, ["quadratic", "random"])
    found = found_in(results)
    # The starts of the paper's repeats 1 and 2: w from 10 to 19 and from 12 to 20, b from 12 to 19 and from 12 to 15.
    distances = [math.hypot(36 - 19, 12 + 1), math.hypot(36 - 20, 12 + 1)]
    assert [(row.solver, row.instance, row.repeat) for row in found] == [
        (solver, 1 + repeat, repeat) for solver in ("quadratic", "random") for repeat in (0, 1)
    ]
    assert [row.distance for row in found] == pytest.approx(distances * 2)
    for row, run_of in zip(found, results.traces, strict=True):
        if row.solver == "quadratic":
            assert (row.steps, row.evaluations) == (run_of.record.steps, run_of.record.evaluations)
        else:
            assert (row.steps, row.evaluations) == (math.inf, math.inf)


def test_tours_have_no_distance(tmp_path: Path) -> None:
    assert found_in(run(tmp_path, "tsp", {"n": "6"}, ["2-opt-blind"], 1)) == []


def test_a_run_that_did_not_come_about_hides_no_other_one(tmp_path: Path) -> None:
    results = run(tmp_path, "regression", {"w_true": "36", "b_true": "-1"}, ["quadratic", "random"], 1)
    first, second = results.traces
    nothing = replace(first, losses=first.losses[:0], steps=first.steps[:0])
    assert [row.solver for row in found_in(replace(results, traces=[nothing, second]))] == ["random"]


def test_a_problem_that_cannot_be_built_again_has_no_distance(tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text("x,y\n1,2\n2,3\n3,5\n4,4\n")
    folder = tmp_path / "log"
    results = run(folder, "regression", {"data": str(data), "target": "y"}, ["random"], 1)
    assert len(found_in(results)) == 1
    data.unlink()
    assert found_in(results) == []


@given(starts, st.tuples(st.integers(-90, 90), st.integers(-90, 90)))
def test_within_the_box_of_the_starts_the_distance_is_zero_and_elsewhere_no_start_is_nearer(
    starts: np.ndarray, point: tuple[int, int]
) -> None:
    distance = distance_to_region(point, starts)
    low, high = starts.min(axis=0), starts.max(axis=0)
    assert (distance == 0) == bool(((low <= point) & (point <= high)).all())
    assert distance <= np.linalg.norm(starts - np.array(point), axis=1).min() + 1e-9


def test_solvers_that_differ_in_the_proposals_per_step_alone_share_a_method() -> None:
    runs = [
        trace(solver, [5.0] * (n - 1) + [0.0], instance=n, batch=batch)
        for solver, batch in [("opro", 8), ("opro:samples=4:top_k=9", 4), ("opro:top_k=9", 8), ("gaussian:batch=2", 2)]
        for n in (2, 3, 4)
    ]
    found = run_spreads([*runs, trace("powell", [0.0])])
    assert [(row.solver, row.method, row.samples, row.runs) for row in found] == [
        ("opro", "opro", 8, 3),
        ("opro:samples=4:top_k=9", "opro:top_k=9", 4, 3),
        ("opro:top_k=9", "opro:top_k=9", 8, 3),
        ("gaussian:batch=2", "gaussian", 2, 3),
    ]
    assert all(row.evaluations == row.steps == Spread(1.0, 1.0) and row.successes == 3 for row in found)


def test_spreads_are_of_one_problem(tmp_path: Path) -> None:
    results = run(tmp_path, "regression", {}, ["gaussian", "gaussian:batch=3", "powell"])
    assert [(row.method, row.samples) for row in run_spreads(results.traces)] == [("gaussian", 8), ("gaussian", 3)]
    both = [trace("a", [0.0], problem=problem, batch=1) for problem in ("p", "q")]
    assert [row.problem for row in run_spreads(both)] == ["p", "q"]


def test_failures_make_a_spread_infinite() -> None:
    assert spread(np.array([3.0, math.inf])) == Spread(math.inf, math.inf)
    assert spread(np.array([3.0])) == Spread(None, 0.0)
    assert spread(np.array([math.inf])) == Spread(None, math.inf)
